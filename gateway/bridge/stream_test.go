package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Many servers ask on the session's stream; it belongs to the newest call that
// can be asked.
func TestAskedOnTheStream(t *testing.T) {
	f := newFake(t)
	calls, ponged := make(chan *jsonrpc.Message, 4), make(chan struct{})
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		calls <- m
		<-ponged
		for reply := <-f.heard; ; reply = <-f.heard {
			if reply.Kind == jsonrpc.Response {
				a.result(m, string(reply.Result))
				return
			}
		}
	}
	c := serve(t, f, nil)
	a, err := c.ask("1", protocol.MethodToolsCall, one, `,"progressToken":7,"io.modelcontextprotocol/logLevel":"info"`)
	if err != nil {
		t.Fatal(err)
	}
	call := <-calls
	f.stream().raw(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if m := f.next(""); string(m.Raw) != `{"jsonrpc":"2.0","id":1,"result":{}}` {
		t.Errorf("ping: %s", m.Raw)
	}
	close(ponged)
	for _, raw := range []string{
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":2}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":4711,"progress":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + string(call.ID) + `,"progress":1}}`,
		`{"jsonrpc":"2.0","id":5,"method":"elicitation/create","params":{"message":"Sure?","extra":[1e2]}}`,
	} {
		f.stream().raw(raw)
	}
	all, err := c.said(a)
	if err != nil || len(all) != 3 || string(at(all[0].Params, "data")) != "2" || string(at(all[1].Params, "progressToken")) != "7" {
		t.Fatalf("%v, %v", all, err)
	}
	if m := c.mustCall("2", one+given(stateOf(t, all[2]))); string(at(m.Result, "action")) != `"accept"` {
		t.Errorf("%s", m.Raw)
	}
	f.stream().raw(`{"jsonrpc":"2.0","id":6,"method":"elicitation/create","params":{"message":"Sure?"}}`)
	if m := f.next(""); string(m.ID) != "6" || m.Error == nil {
		t.Errorf("asked without a call: %s", m.Raw)
	}
}

// What is asked in vain is answered.
func TestAskedInVain(t *testing.T) {
	f := newFake(t)
	begun := make(chan struct{})
	f.on[protocol.MethodToolsCall] = func(ctx context.Context, _ *jsonrpc.Message, _ *spoken) { close(begun); <-ctx.Done() }
	c := serve(t, f, nil)
	a, err := c.ask("1", protocol.MethodToolsCall, one, "")
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	f.stream().raw(`{"jsonrpc":"2.0","id":5,"method":"roots/list"}`)
	f.stream().raw(`{"jsonrpc":"2.0","method":"vendor/x"}`) // has been read when the next one is taken
	a.Close()
	for m := f.next(""); string(m.ID) != "5" || m.Error == nil; m = f.next("") {
		t.Errorf("%s", m.Raw)
	}
}

// A stream that the server closes to be polled is followed to the response; the
// call is not sent again.
func TestPolledAnswer(t *testing.T) {
	f := newFake(t)
	var call *jsonrpc.Message
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		call = m
		a.say(upstream.Event{ID: "e1", Retry: 1})
	}
	c := serve(t, f, nil)
	a, err := c.ask("1", protocol.MethodToolsCall, one, "")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, next := range []string{"e1", "e2"} {
			eventually(t, "resumed after "+next, func() bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				return len(f.resumes) > 0 && f.resumes[len(f.resumes)-1] == next
			})
			stream := f.stream()
			if next == "e1" {
				stream.say(upstream.Event{ID: "e2"})
				close(stream.events)
				continue
			}
			stream.result(call, `{"content":[]}`)
		}
	}()
	if all, err := c.said(a); err != nil || len(all) != 1 || all[0].Result == nil {
		t.Errorf("%v, %v", all, err)
	}
	if n := len(f.sent(protocol.MethodToolsCall)); n != 1 {
		t.Errorf("the call was sent %d times", n)
	}
	f.on[protocol.MethodToolsCall] = func(_ context.Context, _ *jsonrpc.Message, a *spoken) { a.say(upstream.Event{Retry: 1}) }
	if _, err := c.call("2", one); !errors.Is(err, io.EOF) {
		t.Errorf("without an event id there is nothing to go on with: %v", err)
	}
}

func (c *client) listen(notifications string) Answers {
	c.t.Helper()
	a, err := c.ask(`"sub"`, protocol.MethodSubscriptionsListen, `"notifications":`+notifications, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// notified is the next message of a subscription.
func (c *client) notified(a Answers) *jsonrpc.Message {
	c.t.Helper()
	ev, err := a.Next(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func TestListeners(t *testing.T) {
	f := newFake(t)
	f.on[protocol.MethodResourcesSubscribe] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		if jsonrpc.Text(m.Params, "/uri") == "test://no" {
			a.raw(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"error":{"code":-32602,"message":"no"}}`)
			return
		}
		a.result(m, `{}`)
	}
	changed := make(chan Key, 4)
	c := serve(t, f, func(cfg *Config) { cfg.Changed = func(k Key) { changed <- k } })
	first := c.listen(`{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["test://a","test://a","test://no"]}`)
	second := c.listen(`{"resourceSubscriptions":["test://a"]}`)
	if got, want := string(c.notified(first).Params), `{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"},"notifications":{"resourceSubscriptions":["test://a"],"toolsListChanged":true}}`; got != want {
		t.Errorf("acknowledged %s", got)
	}
	c.notified(second)
	if n := len(f.sent(protocol.MethodResourcesSubscribe)); n != 2 {
		t.Errorf("subscribed %d times", n)
	}
	stream := f.stream()
	stream.raw(`{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`) // not granted: the server said it has none
	stream.raw(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://b"}}`)
	stream.raw(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"x":1}}`)
	if got, want := string(c.notified(first).Raw), `{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"},"x":1}}`; got != want {
		t.Errorf("%s", got)
	}
	if key := <-changed; key.Server != "srv" || key.Instance != "i" {
		t.Errorf("changed: %+v", key)
	}
	stream.raw(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"test://a"}}`)
	for _, a := range []Answers{first, second} {
		if m := c.notified(a); m.Method != protocol.NotificationResourcesUpdated {
			t.Errorf("%s", m.Raw)
		}
	}
	second.Close()
	if m := c.mustCall("1", one); m.Result == nil || len(f.sent(protocol.MethodResourcesUnsubscribe)) != 0 {
		t.Error("unsubscribed while somebody watches")
	}
	first.Close()
	eventually(t, "unsubscribed", func() bool { return len(f.sent(protocol.MethodResourcesUnsubscribe)) == 1 })

	// A stream that breaks without event ids may have missed something: who
	// listens is told that it is over, and the stream is taken up again.
	third := c.listen(`{"toolsListChanged":true}`)
	c.notified(third)
	close(stream.events)
	if m := c.notified(third); string(m.Raw) != `{"jsonrpc":"2.0","id":"sub","result":{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"},"resultType":"complete"}}` {
		t.Errorf("%s", m.Raw)
	}
	if _, err := third.Next(t.Context()); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	third.Close()
	eventually(t, "another stream", func() bool { return f.stream() != stream })
}

// A client that does not read is let go; the others are not held up.
func TestSlowListener(t *testing.T) {
	f := newFake(t)
	c := serve(t, f, nil)
	slow := c.listen(`{"toolsListChanged":true}`)
	defer slow.Close()
	for range maxQueued + 1 {
		f.stream().raw(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
	}
	f.stream().raw(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	f.next("")
	n := 0
	for c.notified(slow).Kind == jsonrpc.Notification {
		n++
	}
	if n != maxQueued+1 {
		t.Errorf("%d messages before the end", n)
	}
}

// A server without such a stream has nothing to tell; calls go on.
func TestNoStream(t *testing.T) {
	f := newFake(t)
	f.silent = true
	c := serve(t, f, nil)
	a := c.listen(`{"toolsListChanged":true}`)
	defer a.Close()
	c.notified(a)
	for i := range 3 {
		c.mustCall(fmt.Sprint(i), one)
	}
}

// mute takes no replies before it is given up on.
type mute struct {
	*fake
	now, all atomic.Int64
}

func (f *mute) Send(ctx context.Context, m *jsonrpc.Message, version string) (Answers, error) {
	if m.Kind != jsonrpc.Response {
		return f.fake.Send(ctx, m, version)
	}
	f.all.Add(1)
	f.now.Add(1)
	defer f.now.Add(-1)
	<-ctx.Done()
	return nil, ctx.Err()
}

// A server that asks and takes no answers is not waited for without end.
func TestRepliesAreBounded(t *testing.T) {
	f := &mute{fake: newFake(t)}
	c := serve(t, f, nil)
	c.mustCall("1", one)
	for i := range 4 * repliesAtOnce {
		f.stream().raw(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping"}`, i))
	}
	eventually(t, "replies are on their way", func() bool { return f.now.Load() == repliesAtOnce })
	if got := f.all.Load(); got != repliesAtOnce {
		t.Errorf("%d replies were begun", got)
	}
}

// TestPause holds that a server cannot have its stream taken up again as fast
// as it closes it, nor never.
func TestPause(t *testing.T) {
	for retry, want := range map[int]time.Duration{1: leastPause, 700: 700 * time.Millisecond, 1 << 40: fullPause} {
		var last string
		var pause time.Duration
		if note(upstream.Event{Retry: retry}, &last, &pause); pause != want {
			t.Errorf("retry %d: %s, want %s", retry, pause, want)
		}
	}
}
