//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestClientsOfTheOtherEra sends clients that nobody changed to servers of the
// era that they do not speak. What they bring home is what a client of the
// server's own era gets directly.
func TestClientsOfTheOtherEra(t *testing.T) {
	node := newestNode(t)
	everything := oldNode(t)
	// A real legacy server that asks its client, over HTTP and over stdio.
	npm := startNPMEverything(t, "streamableHttp") + "/mcp"
	legacy, both := startEverything(t, "-stateless=false"), startEverything(t, "-stateless=true")

	asked, tour1, tour2 := driver(node, "asked.mjs"), driver(node, "sdk-v1.mjs"), driver(node, "sdk-v2.mjs")
	python := driver(filepath.Join(bin(t), "venv", "bin", "python"), "sdk.py")
	type visitor struct {
		name, mode string
		visit      func(t *testing.T, endpoint, token, mode string) tour
	}
	for _, c := range []struct {
		alias    string
		admit    func(t *testing.T, w *world, alias string)
		direct   string
		visitors []visitor
	}{
		{"asks-over-http", func(t *testing.T, w *world, alias string) { w.admitRemote(t, alias, npm) }, npm, []visitor{{"typescript-2", "modern", asked}}},
		{"asks-over-stdio", func(t *testing.T, w *world, alias string) {
			w.admit(t, alias, everythingPackage, "--unsafe-run", "--", everything, entryPoint(t, everythingPackage), "stdio")
		}, npm, []visitor{{"typescript-2", "modern", asked}}},
		{"legacy-only", func(t *testing.T, w *world, alias string) { w.admitRemote(t, alias, legacy) }, legacy, []visitor{{"typescript-2", "modern", tour2}, {"python-2", "modern", python}}},
		{"modern-only", func(t *testing.T, w *world, alias string) { w.admitRemote(t, alias, withoutInitialize(t, both)) }, both, []visitor{{"typescript-1", "legacy", tour1}, {"python-2", "legacy", python}}},
	} {
		t.Run(c.alias, func(t *testing.T) {
			w := newWorld(t, "--unsafe-run") // of its own: entries that stand twice are a finding
			c.admit(t, w, c.alias)
			for _, v := range c.visitors {
				t.Run(v.name, func(t *testing.T) {
					want := v.visit(t, c.direct, w.agent, "legacy")
					got := v.visit(t, w.gateway+"/mcp/"+c.alias, w.agent, v.mode)
					for _, own := range []string{"version", "slow"} { // the tool says which progress token it saw: a bridge has its own
						delete(want, own)
						delete(got, own)
					}
					if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
						t.Errorf("through the gateway (-direct +gateway):\n%s", diff)
					}
					if !t.Failed() {
						count(t, "client %s, %s, against %s: the same %d answers as a legacy client gets directly", v.name, v.mode, c.alias, len(got))
					}
				})
			}
		})
	}
}

const everythingPackage = "@modelcontextprotocol/server-everything"

// withoutInitialize is a way to a server on which it speaks the modern era only.
func withoutInitialize(t *testing.T, server string) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if m, err := jsonrpc.Parse(body, jsonrpc.Limits{}); err == nil && m.Method == protocol.MethodInitialize {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	return front.URL + "/"
}
