package upstream_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestConnectionsAreKept makes as many calls at once as a busy gateway does,
// twice: the second time nobody dials.
func TestConnectionsAreKept(t *testing.T) {
	const calls = 16
	var dialled atomic.Int64
	var together atomic.Pointer[sync.WaitGroup]
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		together.Load().Done()
		together.Load().Wait() // so that every call has a connection of its own
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	for range 2 {
		all := new(sync.WaitGroup)
		all.Add(calls)
		together.Store(all)
		var work sync.WaitGroup
		for range calls {
			work.Go(func() {
				s, err := upstream.Post(t.Context(), upstream.Target{URL: server.URL}, []byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), nil, upstream.Limits{})
				if err != nil {
					t.Error(err)
					all.Done()
					return
				}
				defer s.Close()
				for err == nil {
					_, err = s.Next()
				}
				if err != io.EOF {
					t.Error(err)
				}
			})
		}
		work.Wait()
	}
	if n := dialled.Load(); n != calls {
		t.Errorf("%d connections for twice %d calls", n, calls)
	}
}
