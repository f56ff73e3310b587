package attack

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// inward are headers by which routers, proxies and gateways speak to each
// other. A client that sends one speaks for nobody.
var inward = []string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Uri", "X-Real-Ip", "Forwarded", "Via",
	"X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Envoy-Original-Path", "X-Mcp-Init-Host", "Mcp-Init-Host",
	"X-Router-Key", "Router-Key", "X-Mcp-Server", "X-Upstream-Url", "X-Bartizan-Tenant", "X-Bartizan-Principal", "X-Bartizan-Alias",
	"X-User", "X-Remote-User", "Remote-User", "X-Api-Key", "Cookie", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Te", "Trailer",
	"Expect-Ct", "X-Amzn-Oidc-Identity", "X-Ms-Client-Principal", "X-Goog-Authenticated-User-Email", "Mcp-Session-Id", "Last-Event-Id",
	"User-Agent", "Referer", "X-Canary",
}

// TestInwardHeaders (row 8): what only infrastructure may say is not believed
// and does not travel.
func TestInwardHeaders(t *testing.T) {
	w := enter(t)
	pier, ferry := thePier(t, w), theFerry(t, w)
	for _, name := range inward {
		const canary = "inward-canary"
		cue := "inward-" + name
		r := w.gate.call(t, "pier", "tools/call", pier.act(cue), name+": "+canary)
		if name == "Last-Event-Id" { // a POST resumes nothing
			w.gate.refused(t, r, http.StatusBadRequest, protocol.CodeInvalidRequest, "event_unknown")
			continue
		}
		if r.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		for _, got := range pier.saw(cue) {
			if strings.Contains(got.wire, canary) {
				t.Errorf("%s travels: %s", name, got.wire)
			}
		}
	}
	// Hop by hop, named by Connection, and trailers.
	body, header := modern("1", "tools/call", pier.act("inward-hop"))
	got, _ := w.gate.raw(t, 1, fmt.Sprintf("POST /mcp/pier HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nConnection: close, X-Hop, Authorization\r\nX-Hop: inward-canary\r\nTE: trailers\r\nTrailer: X-Late\r\nTransfer-Encoding: chunked\r\n%s\r\n\r\n%x\r\n%s\r\n0\r\nX-Late: inward-canary\r\nMcp-Name: pier_look\r\n\r\n",
		w.gate.host(), w.alice, strings.Join(header, "\r\n"), len(body), body))
	if len(got) != 1 || got[0].status != http.StatusOK {
		t.Errorf("hop by hop: %+v", got)
	}
	pier.untouched(t, "inward-canary")
	// None of them leads to another server, opens a door or stands for a caller.
	for _, name := range inward {
		if name == "Last-Event-Id" || name == "Mcp-Session-Id" {
			continue
		}
		for _, value := range []string{"ferry", "/mcp/ferry", "admin", w.stage.server.URL + "/ferry", "127.0.0.1"} {
			req := newRequest(t, http.MethodPost, w.gate.url+"/mcp/nowhere", w.alice, body, append(header, name+": "+value)...)
			if r := do(t, req); r.status != http.StatusNotFound {
				t.Errorf("%s: %s: %d %s", name, value, r.status, r.body)
			}
			req = newRequest(t, http.MethodPost, w.gate.url+"/mcp/ferry", w.alice, initialize, "Authorization:", name+": "+value)
			if r := do(t, req); r.status != http.StatusUnauthorized {
				t.Errorf("%s: %s without a key: %d %s", name, value, r.status, r.body)
			}
		}
	}
	ferry.untouched(t, "inward")
}

// TestCredentialStays (row 11): the caller's key goes to no server, in no form,
// from no place; nor does it stand in a log. A server's own credential is shown
// to no client.
func TestCredentialStays(t *testing.T) {
	w := enter(t)
	pier, ferry := thePier(t, w), theFerry(t, w)
	key, err := w.Key("canary", "--role", "agent")
	if err != nil {
		t.Fatal(err)
	}
	escaped := ""
	for _, c := range key {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	send := func(alias, body string, header ...string) reply {
		return do(t, newRequest(t, http.MethodPost, w.gate.url+"/mcp/"+alias, key, body, header...))
	}
	call := func(params string, extra ...string) reply {
		body, header := modern("1", "tools/call", params)
		return send("pier", body, append(header, extra...)...)
	}
	in := func(value string) string {
		return `{"name":"pier_act","arguments":{"cue":"credential","x":` + value + `}}`
	}
	visit := w.gate.visit(t, "ferry", key)
	legacy := func(body string) reply {
		return do(t, newRequest(t, http.MethodPost, w.gate.url+"/mcp/ferry", key, body, visit.header...))
	}
	forms := map[string]reply{
		"argument":               call(in(`"` + key + `"`)),
		"inside a text":          call(in(`"use Bearer ` + key + `, please"`)),
		"escaped":                call(in(`"` + escaped + `"`)),
		"member name":            call(in(`{"` + key + `":1}`)),
		"deep":                   call(in(`[[[{"a":["` + key + `"]}]]]`)),
		"_meta":                  call(`{"name":"pier_act","_meta2":"` + key + `","arguments":{}}`),
		"base64":                 call(in(`"` + base64.StdEncoding.EncodeToString([]byte(key)) + `"`)),
		"base64url":              call(in(`"` + base64.RawURLEncoding.EncodeToString([]byte("key="+key)) + `"`)),
		"hexadecimal":            call(in(`"` + hex.EncodeToString([]byte(key)) + `"`)),
		"percent":                call(in(`"https://evil.example/?k=` + url.QueryEscape(strings.ReplaceAll(key, "_", "%5f")) + `"`)),
		"a URL":                  call(in(`"https://evil.example/` + key + `"`)),
		"entry name":             call(`{"name":"` + key + `","arguments":{}}`),
		"id":                     send("pier", first(modern(`"`+key+`"`, "tools/call", in("1"))), second(modern("1", "tools/call", in("1")))...),
		"progress token":         legacy(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ferry_act","_meta":{"progressToken":"` + key + `"}}}`),
		"id of the other era":    legacy(`{"jsonrpc":"2.0","id":"` + key + `","method":"tools/call","params":{"name":"ferry_act"}}`),
		"notification":           legacy(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"` + key + `"}}`),
		"id of a cancelled call": legacy(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"` + key + `"}}`),
		"resource":               legacy(`{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"test://` + key + `"}}`),
		"client name":            send("ferry", strings.Replace(initialize, `"name":"t"`, `"name":"`+key+`"`, 1)),
		"method":                 legacy(`{"jsonrpc":"2.0","id":3,"method":"` + key + `"}`),
		"parameter header":       call(`{"name":"pier_steer","arguments":{"region":"`+key+`"}}`, "Mcp-Param-Region: "+key),
		"encoded header":         call(`{"name":"pier_steer","arguments":{"region":"`+key+`"}}`, "Mcp-Param-Region: =?base64?"+base64.StdEncoding.EncodeToString([]byte(key))+"?="),
		"undeclared header":      call(in(`1`), "Mcp-Param-Other: "+key),
	}
	for form, r := range forms {
		if r.status/100 != 4 {
			t.Errorf("%s: %d %s", form, r.status, r.body)
		}
	}
	// Headers that travel are held to their form.
	for _, header := range []string{
		"Tracestate: k=" + key, "Traceparent: 00-" + key, "Tracestate: k=" + base64.StdEncoding.EncodeToString([]byte(key)),
		"Mcp-Session-Id: " + key, "X-Canary: " + key, "Cookie: k=" + key, "Baggage: k=" + key,
	} {
		call(in(`"header"`), header)
	}
	req := newRequest(t, http.MethodPost, w.gate.url+"/mcp/pier?key="+key, key, first(modern("1", "tools/call", in("1"))), second(modern("1", "tools/call", in("1")))...)
	do(t, req)
	do(t, newRequest(t, http.MethodPost, w.gate.url+"/mcp/"+key, key, initialize))

	secret := key[strings.LastIndexByte(key, '_')+1:]
	for _, form := range []string{secret, escaped[len(escaped)-6*len(secret):], hex.EncodeToString([]byte(secret)),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(key)), "=")[40:], base64.RawStdEncoding.EncodeToString([]byte("key=" + key))[40:]} {
		for _, a := range []*actor{pier, ferry} {
			a.untouched(t, form)
		}
		w.unwritten(t, form)
	}
}

// unwritten holds that a secret stands in no file of a gateway or of the
// registry, logs included.
func (w *world) unwritten(t *testing.T, secret string) {
	t.Helper()
	err := filepath.WalkDir(w.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.Contains(path, "/cache/") || filepath.Dir(path) == w.Bin && filepath.Ext(path) == "" {
			return nil // files come and go
		}
		body, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(body), secret) {
			t.Errorf("%s holds the secret", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func first(body string, _ []string) string      { return body }
func second(_ string, header []string) []string { return header }
