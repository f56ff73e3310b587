package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// smuggler writes requests to an actor at a host, as a caller.
type smuggler struct {
	host, token string
	to          *actor
}

// head is the beginning of a call and the body that belongs to it.
func (m smuggler) head(cue string, lines ...string) (request, body string) {
	body, header := modern("1", "tools/call", m.to.act(cue))
	lines = append([]string{
		"POST /mcp/" + m.to.name + " HTTP/1.1", "Host: " + m.host, "Authorization: Bearer " + m.token,
		"Content-Type: application/json", "Accept: application/json, text/event-stream",
	}, append(header, lines...)...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n", body
}

// whole is an honest call.
func (m smuggler) whole(cue string) string {
	_, body := m.head(cue)
	request, _ := m.head(cue, fmt.Sprintf("Content-Length: %d", len(body)))
	return request + body
}

func chunked(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }

// smuggling is a request of which two readers may see two ends, with another
// one behind or within it.
type smuggling struct {
	name   string
	wire   func(cue, inner string) string
	status []int // of the one answer
}

func (m smuggler) all() []smuggling {
	return []smuggling{
		{"CL.TE", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, fmt.Sprintf("Content-Length: %d", len(chunked(body))+len(inner)), "Transfer-Encoding: chunked")
			return request + chunked(body) + inner
		}, []int{200, 400}},
		{"TE.CL", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding: chunked", "Content-Length: 4")
			return request + chunked(body) + inner
		}, []int{200, 400}},
		{"TE.TE", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding: chunked", "Transfer-Encoding: identity")
			return request + chunked(body) + inner
		}, []int{400, 501}},
		{"TE in a list", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding: gzip, chunked")
			return request + chunked(body) + inner
		}, []int{400, 501}},
		{"TE misspelt", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding: xchunked", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{400, 501}},
		{"space before the colon", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding : chunked", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{400}},
		{"TE in HTTP/1.0", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Transfer-Encoding: chunked", fmt.Sprintf("Content-Length: %d", len(body)), "Connection: keep-alive")
			return strings.Replace(request, "HTTP/1.1", "HTTP/1.0", 1) + body + inner
		}, []int{200, 400}},
		{"two lengths", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, fmt.Sprintf("Content-Length: %d", len(body)), fmt.Sprintf("Content-Length: %d", len(body)+len(inner)))
			return request + body + inner
		}, []int{400}},
		{"lengths in a list", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, fmt.Sprintf("Content-Length: %d, %d", len(body), len(body)))
			return request + body + inner
		}, []int{400}},
		{"a signed length", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, fmt.Sprintf("Content-Length: +%d", len(body)))
			return request + body + inner
		}, []int{400}},
		{"a negative length", func(cue, inner string) string {
			request, body := m.head(cue, "Content-Length: -1")
			return request + body + inner
		}, []int{400}},
		{"a chunk of a signed size", func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + "+" + chunked(body) + inner
		}, []int{400}},
		{"a chunk of an enormous size", func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + "10000000000000001" + chunked(body) + inner
		}, []int{400}},
		{"a chunk that ends with a line feed alone", func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + fmt.Sprintf("%x;\n%s\r\n0\r\n\r\n", len(body), body) + inner
		}, []int{200, 400}},
		{"a carriage return in a header", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "X-A: b\rTransfer-Encoding: chunked", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{400}},
		{"NUL in a header", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "X-A: b\x00c", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{400}},
		{"no name of a header", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, ": chunked", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{400}},
		{"an upgrade to h2c", func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + inner
		}, []int{200, 400}},
		{"HTTP/2 with prior knowledge", func(_, inner string) string {
			return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" + inner
		}, []int{400, 404, 505}},
		{"an upgrade to a web socket", func(cue, inner string) string {
			request, _ := m.head(cue, "Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Content-Length: 0")
			return request + inner
		}, []int{400}},
		{"CONNECT", func(_, inner string) string {
			return fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n%s", m.host, m.host, inner)
		}, []int{400, 404, 405}},
		{"a header of 80 KB", func(cue, inner string) string {
			request, _ := m.head(cue, "X-Large: "+strings.Repeat("x", 80<<10), "Content-Length: 0")
			return request + inner
		}, []int{431}},
		{"many headers", func(cue, inner string) string {
			request, _ := m.head(cue, strings.Repeat("X-Many: x\r\n", 10_000)+"Content-Length: 0")
			return request + inner
		}, []int{431}},
		{"a request line of 80 KB", func(_, inner string) string {
			return "GET /" + strings.Repeat("x", 80<<10) + " HTTP/1.1\r\nHost: " + m.host + "\r\n\r\n" + inner
		}, []int{400, 414, 431}},
	}
}

// TestSmuggling (row 15): no bytes on one connection are a second request to the
// gateway and part of the first one to a proxy in front of it, or the reverse.
func TestSmuggling(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	m := smuggler{host: w.gate.host(), token: w.alice, to: pier}
	for i, tt := range m.all() {
		t.Run(tt.name, func(t *testing.T) {
			cue, smuggled := fmt.Sprintf("outer-%d.", i), fmt.Sprintf("smuggled-%d.", i)
			got, closed := w.gate.raw(t, 2, tt.wire(cue, m.whole(smuggled)))
			if len(got) == 0 { // cut without a word: the answer and the reset crossed
				got = []reply{{status: tt.status[0]}}
			}
			if len(got) != 1 || !contains(tt.status, got[0].status) || !closed {
				t.Errorf("%d answers, closed %t: %+v, want %v", len(got), closed, got, tt.status)
			}
			if got[0].status == http.StatusSwitchingProtocols {
				t.Error("the protocol was switched")
			}
			pier.untouched(t, smuggled)
		})
	}
	// Where all readers see the same end, the connection goes on behind it: a
	// body is a body, whatever it looks like and whoever wanted it.
	for name, outer := range map[string]func(inner string) string{
		"a request in a refused body": func(inner string) string {
			request, _ := m.head("outer-refused", "Content-Encoding: gzip", fmt.Sprintf("Content-Length: %d", len(inner)))
			return request + inner
		},
		"a request in the body of a GET": func(inner string) string {
			return fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", m.host, len(inner), inner)
		},
		"an honest one": func(string) string { return m.whole("pipelined-1.") },
	} {
		got, _ := w.gate.raw(t, 2, outer(m.whole("smuggled-body."))+m.whole("pipelined-2."))
		if len(got) != 2 || got[1].status != http.StatusOK || got[1].text(t) != "fine" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	pier.untouched(t, "smuggled-body.")
}
