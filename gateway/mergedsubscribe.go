package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sync"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// subscribeMerged serves subscriptions/listen: the list changes are the
// gateway's to tell, resources are watched at their servers.
func (g *Gateway) subscribeMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	if x.msg.Params == nil {
		return refuse(ReasonInvalidParams)
	}
	uris, ok := subscribed(x.msg.Params)
	wanted, ok2 := wantedChanges(x.msg.Params)
	if !ok || !ok2 {
		return refuse(ReasonInvalidParams)
	}
	claims := g.merged.claimsOf(g.usable(x))
	perAlias := map[string][]string{}
	for _, uri := range uris {
		alias, no := owner(claims.Resource(uri))
		if no != nil {
			return no
		}
		perAlias[alias] = append(perAlias[alias], uri)
	}
	ctx, dog := guard(ctx, g.cfg, true)
	defer dog.stop()
	defer g.callers.hold(&holder{keyID: x.caller.KeyID, endless: true, allowed: always, cancel: dog.cancel})()
	var known told
	g.changed(ctx, x, &known)
	out.begin()
	shared := &sharedWriter{w: out.w, wait: make(chan struct{})}

	var work sync.WaitGroup
	defer work.Wait()
	defer dog.cancel(context.Canceled)
	granted := make(chan []string, len(perAlias))
	for alias, uris := range perAlias {
		work.Go(func() { g.survive(ctx, func() { g.watchAt(ctx, x, alias, uris, shared, granted) }) })
	}
	accepted := g.grants(ctx, granted, len(perAlias))
	wanted["resourceSubscriptions"] = accepted
	if len(accepted) == 0 {
		delete(wanted, "resourceSubscriptions")
	}
	out.event(upstream.Event{Data: g.tagged(x, protocol.NotificationSubscriptionsAck, wanted)})
	close(shared.wait)
	out.w = &tracked{ResponseWriter: shared.of()}
	out.w.Header().Set("Content-Type", "text/event-stream")

	tick := time.NewTicker(g.cfg.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r := &relay{g: g, x: x, out: out}
			r.end(ctx, r.failure(ctx, context.Cause(ctx)), false)
			return nil
		case <-tick.C:
			for _, method := range g.changed(ctx, x, &known) {
				if wanted[optIn[method]] == true {
					out.event(upstream.Event{Data: g.tagged(x, method, nil)})
				}
			}
		}
	}
}

// optIn is the member of subscriptions/listen that asks for a notification.
var optIn = map[string]string{
	protocol.NotificationToolsListChanged: "toolsListChanged", protocol.NotificationPromptsListChanged: "promptsListChanged",
	protocol.NotificationResourcesListChanged: "resourcesListChanged",
}

// wantedChanges are the list changes that a client asks to hear of.
func wantedChanges(params jsontext.Value) (map[string]any, bool) {
	wanted := map[string]any{}
	for _, member := range optIn {
		switch value := valueAt(params, jsontext.Pointer("/notifications").AppendToken(member)); value.Kind() {
		case 't':
			wanted[member] = true
		case 0, 'f', 'n':
		default:
			return nil, false
		}
	}
	return wanted, true
}

// tagged builds a notification of a subscription.
func (g *Gateway) tagged(x *exchange, method string, notifications map[string]any) []byte {
	params := map[string]any{"_meta": map[string]any{protocol.MetaSubscriptionID: x.msg.ID}}
	if notifications != nil {
		params["notifications"] = notifications
	}
	return jsonrpc.NewNotification(method, params)
}

// watchAt subscribes to resources of one server for as long as the client
// listens, anew where the server ends it. What the server grants first goes to
// granted, once.
func (g *Gateway) watchAt(ctx context.Context, x *exchange, alias string, uris []string, shared *sharedWriter, granted chan<- []string) {
	w := watch{uris: uris, granted: granted}
	defer w.report(nil)
	raw, err := narrowed(x.msg.Raw, uris)
	if err != nil {
		return
	}
	pauses := pauses{}
	for {
		y := x.towards(alias, raw)
		y.id = audit.NewID()
		w.refused = false
		out := &responder{w: &tracked{ResponseWriter: shared.of()}, timeout: g.cfg.WriteTimeout, seal: g.seal}
		out.part = &part{g: g, x: y, got: w.got}
		began := time.Now()
		g.pass(ctx, y, out)
		if w.refused && out.refused == nil || final(out.refused) || !rest(ctx, pauses.after(alias, time.Since(began))) {
			return
		}
		w.report(nil) // a server that cannot be reached now grants nothing, and may later
	}
}

// watch is one server's part of a subscription.
type watch struct {
	uris     []string
	granted  chan<- []string
	reported bool
	refused  bool // the last answer was an error
}

// report says what the server grants: it may acknowledge twice, or never.
func (w *watch) report(got []string) {
	if !w.reported {
		w.reported = true
		w.granted <- got
	}
}

// got takes the server's acknowledgement. The end of one server's subscription
// is not the end of all.
func (w *watch) got(m *jsonrpc.Message) {
	if m.Kind != jsonrpc.Notification {
		w.refused = m.Error != nil
		return
	}
	var granted []string
	if list, ok := subscribed(m.Params); ok {
		for _, uri := range list {
			if slices.Contains(w.uris, uri) {
				granted = append(granted, uri)
			}
		}
	}
	w.report(granted)
}

// narrowed is the client's subscription to these resources and nothing else.
func narrowed(raw jsontext.Value, uris []string) ([]byte, error) {
	only, err := json.Marshal(map[string][]string{"resourceSubscriptions": uris})
	if err != nil {
		return nil, err
	}
	return replaceAt(raw, "/params/notifications", only)
}

// grants waits for the servers' acknowledgements, for as long as a list would.
func (g *Gateway) grants(ctx context.Context, granted <-chan []string, n int) []string {
	patience := time.NewTimer(g.cfg.MergePatience)
	defer patience.Stop()
	var all []string
	for range n {
		select {
		case got := <-granted:
			all = append(all, got...)
		case <-patience.C:
			return all
		case <-ctx.Done():
			return all
		}
	}
	slices.Sort(all)
	return all
}
