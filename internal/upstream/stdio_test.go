package upstream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

func dial(t *testing.T, target Target, era protocol.Era, lim Limits) *Client {
	t.Helper()
	c, err := Dial(t.Context(), target, era, lim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func toolNames(l *listing.Listing) string {
	var names []string
	for _, raw := range l.Tools {
		name, _, _, _ := jsonrpc.Get(raw, "/name")
		names = append(names, strings.Trim(string(name), `"`))
	}
	return strings.Join(names, ",")
}

func TestStdioListing(t *testing.T) {
	for mode, want := range map[string]string{
		"noise":        "t",
		"wrong id":     "t",
		"stderr flood": "t",
		"asks":         "{} 2 -32601",
	} {
		t.Run(mode, func(t *testing.T) {
			l, err := dial(t, fake(t, mode), protocol.Legacy, Limits{}).Listing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if toolNames(l) != want || l.Era != protocol.Legacy || l.Prompts != nil || l.Instructions != nil || string(l.ServerInfo) != `{"name":"fake"}` {
				t.Errorf("listing = %q %+v", toolNames(l), l)
			}
		})
	}
}

// Each hostile answer ends the conversation with an error that says what it is.
func TestStdioAttacks(t *testing.T) {
	for mode, want := range map[string]error{
		"die":            ErrClosed,
		"big line":       ErrTooLarge,
		"duplicate keys": jsonrpc.ErrAmbiguous,
		"batch":          jsonrpc.ErrBatch,
	} {
		t.Run(mode, func(t *testing.T) {
			c := dial(t, fake(t, mode), protocol.Legacy, Limits{})
			if l, err := c.Listing(t.Context()); !errors.Is(err, want) {
				t.Errorf("Listing = %+v, %v; want %v", l, err, want)
			}
			<-c.Done()
			if !errors.Is(c.Err(), want) {
				t.Errorf("Err = %v, want %v", c.Err(), want)
			}
			if _, err := c.Call(t.Context(), "again", nil); err == nil {
				t.Error("a call on a dead conversation")
			}
		})
	}
}

func TestStdioSilence(t *testing.T) {
	for _, mode := range []string{"hang", "deaf"} {
		lim := Limits{StartTimeout: 50 * time.Millisecond}
		_, err := Dial(t.Context(), fake(t, mode), protocol.Legacy, lim)
		for errors.Is(err, confine.ErrExec) { // a slow machine has not even started it
			lim.StartTimeout *= 2
			_, err = Dial(t.Context(), fake(t, mode), protocol.Legacy, lim)
		}
		if !errors.Is(err, ErrEra) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", mode, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, fake(t, "deaf"), protocol.Legacy, Limits{}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrEra) {
		t.Errorf("a caller that gives up says nothing of the server: %v", err)
	}
	c := dial(t, fake(t, "noise"), protocol.Legacy, Limits{CallTimeout: 100 * time.Millisecond})
	_ = c.conn.send(t.Context(), jsonrpc.NewNotification("ignored", nil), nil)
	if m, err := c.Call(t.Context(), protocol.MethodToolsList, nil); err != nil || m.Result == nil {
		t.Errorf("a notification has no answer to wait for: %v, %v", m, err)
	}
}

func TestStdioEras(t *testing.T) {
	for _, tc := range []struct {
		mode           string
		legacy, modern bool
	}{
		{"noise", true, false},
		{"modern", false, true},
		{"silent about discover", true, false},
		{"anonymous refusal", true, false},
		{"discovers only", true, false},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			lim := Limits{StartTimeout: 5 * time.Second}
			if tc.mode == "silent about discover" {
				lim.StartTimeout = time.Second
			}
			c, err := Capture(t.Context(), fake(t, tc.mode), lim)
			if err != nil {
				t.Fatal(err)
			}
			var legacy, modern bool
			for _, l := range c.Listings {
				legacy = legacy || l.Era == protocol.Legacy
				modern = modern || l.Era == protocol.Modern
				if toolNames(&l) != "t" || string(l.ServerInfo) != `{"name":"fake"}` {
					t.Errorf("%s: %+v", l.Era, l)
				}
			}
			if legacy != tc.legacy || modern != tc.modern {
				t.Errorf("legacy %v, modern %v", legacy, modern)
			}
		})
	}
	if _, err := Capture(t.Context(), fake(t, "die before a word"), Limits{}); !errors.Is(err, ErrEra) || !errors.Is(err, ErrClosed) {
		t.Errorf("a server that exits: %v", err)
	}
	if _, err := Dial(t.Context(), fake(t, "noise"), "future", Limits{}); !errors.Is(err, ErrEra) {
		t.Errorf("an era that does not exist: %v", err)
	}
}

func TestStdioNotifications(t *testing.T) {
	for mode, era := range map[string]protocol.Era{"notifies": protocol.Legacy, "modern": protocol.Modern} {
		c := dial(t, fake(t, mode), era, Limits{})
		got := make(chan string, 8)
		c.OnNotification(func(m *jsonrpc.Message) { got <- m.Method })
		if era == protocol.Legacy { // one that came before anyone listened is lost
			_ = c.conn.send(t.Context(), jsonrpc.NewNotification(protocol.NotificationInitialized, nil), nil)
		}
		if method := <-got; method != protocol.NotificationToolsListChanged {
			t.Errorf("%s: %s", mode, method)
		}
	}
}

func TestConcurrentCalls(t *testing.T) {
	c := dial(t, fake(t, "environment"), protocol.Legacy, Limits{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			m, err := c.Call(t.Context(), protocol.MethodToolsList, nil)
			if err != nil || string(m.Result) != oneTool {
				t.Errorf("%v, %v", m, err)
			}
			m, err = c.Call(t.Context(), "unknown", nil)
			if code, _ := m.Code(); err != nil || code != protocol.CodeMethodNotFound {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
	wg.Wait()
}

func TestWithMeta(t *testing.T) {
	const version = `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`
	const info = `"io.modelcontextprotocol/clientInfo":` + `{"name":"bartizan","version":"1"}`
	const capabilities = `"io.modelcontextprotocol/clientCapabilities":` + modernCapabilities
	const all = version + "," + info + "," + capabilities
	for in, want := range map[string]string{
		``:                          `{"_meta":{` + all + `}}`,
		`{}`:                        `{"_meta":{` + all + `}}`,
		` { "cursor" : "x" }`:       ` {"_meta":{` + all + `}, "cursor" : "x" }`,
		`{"_meta":{"a":1},"b":2.0}`: `{"_meta":{` + all + `,"a":1},"b":2.0}`,
		`{"_meta":{"io.modelcontextprotocol/protocolVersion":"x"}}`: `{"_meta":{` + info + `,` + capabilities + `,"io.modelcontextprotocol/protocolVersion":"x"}}`,
	} {
		got, err := withMeta(jsontext.Value(in), "")
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	for _, bad := range []string{`[]`, `{"_meta":1}`, `1`, `{`} {
		if got, err := withMeta(jsontext.Value(bad), ""); err == nil {
			t.Errorf("%s: %s", bad, got)
		}
	}
}
