package gateway

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// BenchmarkCall is what the gateway itself spends on one call: every step with
// the scanners that Bartizan ships and two records, without a network on either
// side and without a disk below the log. gateway/bench measures the whole.
func BenchmarkCall(b *testing.B) {
	scanners := shipped(b)
	for _, size := range []int{4 << 10, 100 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			client := &http.Client{Transport: repeater{}}
			approved, known := &approvals{}, &keys{}
			approved.set(nil, approvalOf(b, 1, "repeat", upstream.Target{URL: "http://repeater.test/mcp", Client: client}))
			token := known.issue(b, "alice", identity.RoleAgent)
			g, err := New(Config{
				Approvals: approved, Keys: known, AutoRoutes: true, Client: client,
				Scanners: scanners, Audit: openAudit(b, os.DevNull), Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				b.Fatal(err)
			}
			defer g.Close()
			var bodies []string
			for seed := range 64 {
				bodies = append(bodies, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"repeat","arguments":{"message":"`+prose(size, seed)+`"}}}`)
			}
			header := http.Header{
				"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Authorization": {"Bearer " + token},
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				body := bodies[n%len(bodies)]
				n++
				r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/mcp/repeat", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				r.RemoteAddr, r.Header = "127.0.0.1:1", header
				w := httptest.NewRecorder()
				w.Body.Grow(size + 1024)
				g.ServeHTTP(w, r)
				if w.Code != http.StatusOK || w.Body.Len() < size {
					b.Fatalf("answer %d: %.300s", w.Code, w.Body)
				}
			}
		})
	}
}

// shipped are the scanners that the binaries hold.
func shipped(b *testing.B) *engine.Live {
	paths, _ := filepath.Glob("../plugins/dist/*.wasm")
	if len(paths) == 0 {
		b.Skip("no scanners: run make plugins")
	}
	e, err := engine.New(b.Context(), engine.Config{})
	if err != nil {
		b.Fatal(err)
	}
	var all []*engine.Scanner
	for _, path := range paths {
		wasm, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := e.Load(b.Context(), wasm, engine.Options{})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	live := engine.NewLive(engine.NewSet(all...))
	if err := live.SelfTest(b.Context()); err != nil {
		b.Fatal(err)
	}
	return live
}

// repeater is a server without a network, whose one tool gives its argument
// back.
type repeater struct{}

func (repeater) RoundTrip(r *http.Request) (*http.Response, error) {
	raw := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, raw); err != nil {
		return nil, err
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r}
	var answer []byte
	if _, message, ok := bytes.Cut(raw, []byte(`"message":`)); ok {
		text := bytes.TrimSuffix(message, []byte("}}}"))
		answer = slices.Concat([]byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":`), text, []byte(`}]}}`))
	} else {
		answer, resp.StatusCode = introduce(raw)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	return resp, nil
}

// introduce answers what comes before the first call, in the legacy era.
func introduce(raw []byte) (answer []byte, status int) {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		return nil, http.StatusBadRequest
	}
	switch m.Method {
	case protocol.MethodInitialize:
		return jsonrpc.NewResult(m.ID, map[string]any{
			"protocolVersion": protocol.LegacyVersions[0], "capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo": map[string]any{"name": "repeater", "version": "1.0.0"},
		}), http.StatusOK
	case protocol.MethodToolsList:
		return jsonrpc.NewResult(m.ID, map[string]any{"tools": []any{map[string]any{
			"name": "repeat", "description": "Give a text back.",
			"inputSchema": map[string]any{"type": "object", "properties": map[string]any{"message": map[string]any{"type": "string"}}},
		}}}), http.StatusOK
	}
	if m.Kind == jsonrpc.Notification {
		return nil, http.StatusAccepted
	}
	return jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "method not found", nil), http.StatusOK
}

// prose is text of n bytes that no scanner minds, different for each seed.
func prose(n, seed int) string {
	words := strings.Fields("in the morning the ferry brings flour and letters to the island and takes wool and cheese back before the tide turns")
	var b strings.Builder
	for i := seed; b.Len() < n; i += 1 + i%5 {
		b.WriteString(words[i%len(words)] + " ")
	}
	return b.String()[:n]
}
