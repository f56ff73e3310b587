package attack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// hasty is a gateway with little patience, for servers that have much.
var hasty = struct {
	once sync.Once
	door *door
	err  error
}{}

func theHasty(t *testing.T, w *world) *door {
	t.Helper()
	hasty.once.Do(func() {
		hasty.door, hasty.err = w.open("hasty", "gateway:\n  upstream:\n    callTimeout: 5s\n    silenceTimeout: 4s\n    answerTimeout: 8s\n")
	})
	if hasty.err != nil {
		t.Fatal(hasty.err)
	}
	return hasty.door
}

// patiently writes a part again and again until nobody reads any more, and
// notes on done that this happened.
func patiently(mediaType, head, part string, pause time.Duration, done chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		w.Header().Set("Content-Type", mediaType)
		_, _ = io.WriteString(w, head)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, part); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
	}
}

// flood writes up to 1 GiB, as long as somebody reads.
func flood(mediaType, head string, length int64, done chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		w.Header().Set("Content-Type", mediaType)
		if length > 0 {
			w.Header().Set("Content-Length", fmt.Sprint(length))
		}
		_, _ = io.WriteString(w, head)
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for range 1 << 14 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

// bomb is little that unpacks to much.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	chunk := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(chunk)
	}
	_ = z.Close()
	return b.Bytes()
})

// TestSlowAndLarge (row 17): a server that hangs, drips, floods or sends a bomb
// ends with a deadline or a cap, its connection is closed, memory is bounded,
// and the next call is served.
func TestSlowAndLarge(t *testing.T) {
	w := enter(t)
	d := theHasty(t, w)
	a := w.cast(t, "quay", protocol.Modern, nil, d)
	_, before := memory(t, d.Process)
	bomb() // not while the gateway waits
	note := `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}` + "\n\n"
	type fault struct {
		name   string
		answer func(done chan<- struct{}) http.HandlerFunc
		status int
		reason []string
	}
	attack := func(t *testing.T, tt fault) {
		t.Parallel()
		cue := "slow " + tt.name
		done := make(chan struct{})
		a.cue(cue, tt.answer(done))
		r := d.call(t, a.name, "tools/call", a.act(cue))
		e := r.told(t)
		// On a machine that is busy enough, any of them is late before it is large.
		late := r.status == http.StatusGatewayTimeout && e.Data.Reason == "upstream_timeout"
		if !late && (r.status != tt.status || tt.reason != nil && !slices.Contains(tt.reason, e.Data.Reason)) {
			t.Errorf("%d %q, want %d %q (%.300s)", r.status, e.Data.Reason, tt.status, tt.reason, r.body)
		}
		d.onRecord(t, e.Data.AuditID, e.Data.Reason)
		select { // the server is rid of the call, too
		case <-done:
		case <-time.After(2 * time.Minute):
			t.Error("the connection to the server stays open")
		}
		if n := len(a.saw(`"` + cue + `"`)); n != 1 {
			t.Errorf("the call arrived %d times", n)
		}
	}
	faults := []fault{
		{"hangs", func(done chan<- struct{}) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { defer close(done); <-r.Context().Done() }
		}, 504, []string{"upstream_timeout"}},
		{"drips a body", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("application/json", `{"jsonrpc":"2.0","id":1,"result":{"x":"`, "y", 50*time.Millisecond, done)
		}, 504, []string{"upstream_timeout"}},
		{"drips an event", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("text/event-stream", "data: ", "y", 50*time.Millisecond, done)
		}, 504, []string{"upstream_timeout"}},
		{"drips comments", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("text/event-stream", "", ": still here\n\n", 50*time.Millisecond, done)
		}, 504, []string{"upstream_timeout"}},
		{"falls silent after an event", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("text/event-stream", note, "", time.Second, done)
		}, 200, []string{"upstream_timeout"}},
		{"talks for ever", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("text/event-stream", note, note, 300*time.Millisecond, done)
		}, 200, []string{"upstream_timeout"}},
		{"talks for ever and fast", func(done chan<- struct{}) http.HandlerFunc {
			return patiently("text/event-stream", "", `data: {"jsonrpc":"2.0","id":12345,"result":{}}`+"\n\n", 0, done)
		}, 502, []string{"upstream_too_large", "upstream_timeout"}},
		{"announces 1 GiB", func(done chan<- struct{}) http.HandlerFunc { return flood("application/json", "", 1<<30, done) }, 502, []string{"upstream_too_large"}},
		{"sends 1 GiB", func(done chan<- struct{}) http.HandlerFunc {
			return flood("application/json", `{"jsonrpc":"2.0","id":1,"result":{"x":"`, 0, done)
		}, 502, []string{"upstream_too_large"}},
		{"sends an event of 1 GiB", func(done chan<- struct{}) http.HandlerFunc { return flood("text/event-stream", "data: ", 0, done) }, 502, []string{"upstream_too_large"}},
		{"sends 1 GiB with an error status", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				flood("application/json", "", 0, done)(w, r)
			}
		}, 502, []string{"upstream_refused", "upstream_too_large"}},
		{"sends 1 GiB of no known type", func(done chan<- struct{}) http.HandlerFunc { return flood("image/png", "", 0, done) }, 502, []string{"upstream_gone"}},
		{"sends a gzip bomb", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(bomb())
			}
		}, 502, []string{"upstream_protocol"}},
		{"sends a gzip bomb and does not say so", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(bomb())
			}
		}, 502, []string{"upstream_protocol"}},
		{"nests without end", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"x":`+strings.Repeat("[", 8<<20))
			}
		}, 502, []string{"upstream_protocol"}},
		{"sends headers without end", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					return
				}
				defer conn.Close()
				_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
				for i := 0; err == nil; i++ {
					_, err = fmt.Fprintf(conn, "X-%d: %s\r\n", i, strings.Repeat("x", 1000))
				}
			}
		}, 502, []string{"upstream_gone", "upstream_unavailable", "upstream_protocol"}},
		{"switches protocols", func(done chan<- struct{}) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				w.Header().Set("Upgrade", "h2c")
				w.Header().Set("Connection", "Upgrade")
				w.WriteHeader(http.StatusSwitchingProtocols)
			}
		}, 502, nil},
	}
	t.Run("faults", func(t *testing.T) {
		for _, tt := range faults {
			t.Run(tt.name, func(t *testing.T) { attack(t, tt) })
		}
	})
	if r := d.call(t, a.name, "tools/call", a.act("slow-after")); r.status != http.StatusOK {
		t.Errorf("the next call: %d %s", r.status, r.body)
	}
	if _, after := memory(t, d.Process); after > before+768<<20 {
		t.Errorf("the gateway grew from %d MiB to %d MiB", before>>20, after>>20)
	}
}

// cut takes the connection from under an answer; hard sends a reset.
func cut(w http.ResponseWriter, hard bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if hard {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	conn.Close()
}

// TestDeathMidStream (row 18): a server that dies under a call is one error,
// and the call is sent once.
func TestDeathMidStream(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	const progress = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":%d}}\n\n"
	begin := func(w http.ResponseWriter, mediaType, part string) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = io.WriteString(w, part)
		w.(http.Flusher).Flush()
	}
	for name, answer := range map[string]func(w http.ResponseWriter, hard bool){
		"before a byte": func(w http.ResponseWriter, hard bool) { cut(w, hard) },
		"after the headers": func(w http.ResponseWriter, hard bool) {
			begin(w, "text/event-stream", "")
			cut(w, hard)
		},
		"mid-body": func(w http.ResponseWriter, hard bool) {
			w.Header().Set("Content-Length", "1000")
			begin(w, "application/json", `{"jsonrpc":"2.0","id":1,"re`)
			cut(w, hard)
		},
		"mid-event": func(w http.ResponseWriter, hard bool) {
			begin(w, "text/event-stream", `data: {"jsonrpc":"2.0","id":1,"re`)
			cut(w, hard)
		},
		"after a whole line of an event that never ends": func(w http.ResponseWriter, hard bool) {
			begin(w, "text/event-stream", `data: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}`+"\n")
			cut(w, hard)
		},
		"after progress": func(w http.ResponseWriter, hard bool) {
			for i := range 3 {
				begin(w, "text/event-stream", fmt.Sprintf(progress, i))
			}
			cut(w, hard)
		},
		"at the end of a stream without an answer": func(w http.ResponseWriter, _ bool) { begin(w, "text/event-stream", fmt.Sprintf(progress, 1)) },
	} {
		for _, hard := range []bool{false, true} {
			for _, tool := range []string{"pier_act", "pier_look"} {
				cue := fmt.Sprintf("death %s %t %s", name, hard, tool)
				pier.cue(cue, func(w http.ResponseWriter, _ *http.Request) { answer(w, hard) })
				// On a connection that served before: there, clients try again by themselves.
				w.gate.call(t, "pier", "tools/call", pier.act("death-warm"))
				r := w.gate.call(t, "pier", "tools/call", fmt.Sprintf(`{"name":%q,"arguments":{"cue":%q}}`, tool, cue))
				e := r.told(t)
				if e.Data.Reason != "upstream_gone" || r.status != http.StatusBadGateway && r.status != http.StatusOK {
					t.Errorf("%s: %d %s", cue, r.status, r.body)
				}
				answers := 0
				for _, raw := range r.messages() {
					if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{}); err != nil {
						t.Errorf("%s: %v in %s", cue, err, raw)
					} else if m.Kind == jsonrpc.Response {
						answers++
					}
				}
				if answers > 1 || answers == 0 && len(r.messages()) > 0 {
					t.Errorf("%s: %d answers in %s", cue, answers, r.body)
				}
				w.gate.onRecord(t, e.Data.AuditID, "upstream_gone")
				stages := map[string]int{}
				for _, rec := range w.gate.events(t, audit.Query{ID: e.Data.AuditID}) {
					for _, same := range w.gate.events(t, audit.Query{ID: rec.Event.Metadata.CorrelationUID}) {
						stages[same.Event.Metadata.EventCode]++
					}
				}
				if want := map[string]int{"call_outcome": 1}; tool == "pier_look" && stages["call_outcome"] != want["call_outcome"] || tool == "pier_act" && (stages["call_intent"] != 1 || stages["call_outcome"] != 1) {
					t.Errorf("%s: on record %v", cue, stages)
				}
				if n := len(pier.saw(`"` + cue + `"`)); n != 1 {
					t.Errorf("%s: arrived %d times", cue, n)
				}
			}
		}
	}
	if r := w.gate.call(t, "pier", "tools/call", pier.act("death-after")); r.text(t) != "fine" {
		t.Errorf("the next call: %s", r.body)
	}
}
