package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sync"

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
		work.Go(func() { g.watchAt(ctx, x, alias, uris, shared, granted) })
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
// listens. What the server grants goes to granted, once.
func (g *Gateway) watchAt(ctx context.Context, x *exchange, alias string, uris []string, shared *sharedWriter, granted chan<- []string) {
	acknowledged := false
	report := func(got []string) {
		if !acknowledged { // a server may acknowledge twice, or never
			acknowledged = true
			granted <- got
		}
	}
	defer func() { report(nil) }()
	raw, err := narrowed(x.msg.Raw, uris)
	if err != nil {
		return
	}
	y := x.towards(alias, raw)
	p := &part{g: g, x: y}
	p.got = func(m *jsonrpc.Message) {
		if m.Kind != jsonrpc.Notification {
			return // the end of one server's subscription is not the end of all
		}
		var got []string
		if list, ok := subscribed(m.Params); ok {
			for _, uri := range list {
				if slices.Contains(uris, uri) {
					got = append(got, uri)
				}
			}
		}
		report(got)
	}
	out := &responder{w: &tracked{ResponseWriter: shared.of()}, timeout: g.cfg.WriteTimeout, seal: g.seal, part: p}
	g.pass(ctx, y, out)
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
