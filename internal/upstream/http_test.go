package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// server runs a handler until the test ends, hung requests included.
func server(t *testing.T, h http.HandlerFunc) Target {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then does a server notice that its client has gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	t.Cleanup(func() { closing.Server(s) })
	return Target{URL: s.URL + "/mcp?key=s3cret"}
}

func post(t *testing.T, target Target, lim Limits) ([]Event, *Stream, error) {
	t.Helper()
	s, err := Post(t.Context(), target, []byte(`{"jsonrpc":"2.0","id":1,"method":"m"}`), http.Header{"X-Call": {"1"}}, lim)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	var events []Event
	for {
		ev, err := s.Next()
		if err == io.EOF {
			return events, s, nil
		}
		if err != nil {
			return events, s, err
		}
		events = append(events, ev)
	}
}

func TestPostSendsWhatTheTransportAsks(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"Accept-Encoding": "identity", "Authorization": "Bearer target", "X-Call": "1", "X-Both": "target",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		if r.Method != http.MethodPost || string(body) != `{"jsonrpc":"2.0","id":1,"method":"m"}` {
			t.Errorf("%s %s", r.Method, body)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, ` {"the": "body",  "as":1.00} `)
	})
	target.Header = http.Header{"Authorization": {"Bearer target"}, "X-Call": {"lost"}, "X-Both": {"target"}}
	events, s, err := post(t, target, Limits{})
	if err != nil || s.Status != http.StatusForbidden || len(events) != 1 || string(events[0].Data) != ` {"the": "body",  "as":1.00} ` {
		t.Errorf("%+v, %+v, %v", events, s, err)
	}
}

func TestPostAnswersWithoutMessage(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"202":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) },
		"204":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"text":         func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK") },
		"error page":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) },
		"empty JSON":   func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", typeJSON) },
		"empty events": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", typeEvents) },
		"error events": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeEvents)
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, "data: x\n\n")
		},
	} {
		if events, _, err := post(t, server(t, h), Limits{}); err != nil || len(events) != 0 {
			t.Errorf("%s: %+v, %v", name, events, err)
		}
	}
}

// endless writes chunks until the client has gone.
func endless(w http.ResponseWriter, r *http.Request, head, chunk string) {
	io.WriteString(w, head)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

func TestPostAttacks(t *testing.T) {
	megabyte := strings.Repeat("x", 1<<20)
	var bomb bytes.Buffer
	gz := gzip.NewWriter(&bomb)
	for range 64 {
		io.WriteString(gz, megabyte)
	}
	gz.Close()
	elsewhere := server(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	hang := func(r *http.Request) { <-r.Context().Done() }
	for name, tc := range map[string]struct {
		h    http.HandlerFunc
		want error
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, ErrRedirect},
		"see other": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusSeeOther) }, ErrRedirect},
		"hangs before the header": {func(_ http.ResponseWriter, r *http.Request) { hang(r) },
			context.DeadlineExceeded},
		"hangs in the body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			io.WriteString(w, `{"jsonrpc":`)
			w.(http.Flusher).Flush()
			hang(r)
		}, context.DeadlineExceeded},
		"announces 1 GiB": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set("Content-Length", "1073741824")
			endless(w, r, `{"a":"`, megabyte)
		}, ErrTooLarge},
		"endless body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			endless(w, r, `{"a":"`, megabyte)
		}, ErrTooLarge},
		"endless error body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.WriteHeader(http.StatusInternalServerError)
			endless(w, r, `{"a":"`, megabyte)
		}, ErrTooLarge},
		"endless line": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeEvents)
			endless(w, r, "data: ", megabyte)
		}, ErrTooLarge},
		"endless event": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", typeEvents)
			endless(w, r, "", "data: "+strings.Repeat("x", 1000)+"\n")
		}, ErrTooLarge},
		"gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		}, ErrProtocol},
		"dies in the body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"jsonrpc":`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF},
		"dies in an event": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeEvents)
			io.WriteString(w, "data: {\"jsonrpc\"\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF},
		"ends in an event": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeEvents)
			io.WriteString(w, "data: {}\n")
		}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			lim := Limits{MessageBytes: 4 << 20}
			if tc.want == context.DeadlineExceeded {
				lim.CallTimeout = 100 * time.Millisecond
			}
			events, _, err := post(t, server(t, tc.h), lim)
			if !errors.Is(err, tc.want) {
				t.Errorf("%v, %v; want %v", events, err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the URL is in the error: %v", err)
			}
		})
	}
	if _, _, err := post(t, Target{URL: "http://127.0.0.1:1/?key=s3cret"}, Limits{}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("refused connection: %v", err)
	}
}

// A client that would follow redirects or decompress is not asked.
func TestOwnClientDoesNotLoosen(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) })
	target.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	if _, _, err := post(t, target, Limits{}); !errors.Is(err, ErrRedirect) {
		t.Errorf("redirect: %v", err)
	}
}

func TestHTTPTargets(t *testing.T) {
	for _, u := range []string{"", "mcp", "/mcp", "ftp://a/", "http://", "http://user:pw@127.0.0.1/", "http://127.0.0.1/#x", "http://127.0.0.1:x/"} {
		if _, err := Post(t.Context(), Target{URL: u}, nil, nil, Limits{}); !errors.Is(err, ErrTarget) {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := OpenEvents(t.Context(), Target{URL: "http://127.0.0.1/", Command: []string{"x"}}, nil, Limits{}); !errors.Is(err, ErrTarget) {
		t.Errorf("both: %v", err)
	}
}

func TestEvents(t *testing.T) {
	event := func(data string) Event { return Event{Data: []byte(data)} }
	for name, tc := range map[string]struct {
		in   string
		want []Event
	}{
		"one":                 {"data: a\n\n", []Event{event("a")}},
		"CRLF":                {"data: a\r\n\r\ndata: b\r\n\r\n", []Event{event("a"), event("b")}},
		"CR":                  {"data: a\r\rdata: b\r\r", []Event{event("a"), event("b")}},
		"mixed":               {"data: a\r\n\ndata: b\r\r\n", []Event{event("a"), event("b")}},
		"no space":            {"data:a\n\n", []Event{event("a")}},
		"two spaces":          {"data:  a\n\n", []Event{event(" a")}},
		"many lines":          {"data: {\ndata: }\n\n", []Event{event("{\n}")}},
		"comment":             {": hello\ndata: a\n:\n\n", []Event{event("a")}},
		"byte order mark":     {"\uFEFFdata: a\n\n", []Event{event("a")}},
		"id and retry":        {"id: 7\nretry: 50\ndata: a\n\ndata: b\n\n", []Event{{ID: "7", Retry: 50, Data: []byte("a")}, event("b")}},
		"priming":             {"id: 7\ndata:\n\n", []Event{{ID: "7", Data: []byte{}}}},
		"id alone":            {"id: 7\n\n", []Event{{ID: "7"}}},
		"NUL in id":           {"id: 7\x00\ndata: a\n\n", []Event{event("a")}},
		"bad retry":           {"retry: soon\ndata: a\n\n", []Event{event("a")}},
		"message type":        {"event: message\ndata: a\n\n", []Event{event("a")}},
		"foreign type":        {"event: endpoint\ndata: /x\n\ndata: a\n\n", []Event{event("a")}},
		"foreign with retry":  {"event: close\nretry: 10\ndata: \n\n", []Event{{Retry: 10}}},
		"foreign with id":     {"id: 7\nevent: x\ndata: secret\n\ndata: a\n\n", []Event{{ID: "7"}, event("a")}},
		"unknown field":       {"foo: 1\ndata: a\n\n", []Event{event("a")}},
		"nothing but blanks":  {"\n\n\r\n", nil},
		"case-sensitive name": {"Data: evil\ndata: a\n\n", []Event{event("a")}},
	} {
		for _, step := range []int{1, 3, 1 << 10} { // however the bytes arrive
			r := &eventReader{lines: lineReader{src: &trickle{strings.NewReader(tc.in), step}, max: 100, ends: "\r\n"}, max: 100}
			var got []Event
			for {
				ev, err := r.next()
				if err != nil {
					if err != io.EOF {
						t.Errorf("%s: %v", name, err)
					}
					break
				}
				got = append(got, ev)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s, %d bytes at a time:\n%s", name, step, diff)
			}
		}
	}
}

type trickle struct {
	r    io.Reader
	step int
}

func (t *trickle) Read(b []byte) (int, error) { return t.r.Read(b[:min(len(b), t.step)]) }

func FuzzEvents(f *testing.F) {
	f.Add("id: 1\r\ndata: {}\n\r\nevent: x\rdata\n\n", 3)
	f.Fuzz(func(t *testing.T, in string, step int) {
		read := func(step int) (out []string) {
			r := &eventReader{lines: lineReader{src: &trickle{strings.NewReader(in), step}, max: 50, ends: "\r\n"}, max: 50}
			for {
				ev, err := r.next()
				if err != nil {
					return append(out, fmt.Sprint(err))
				}
				if len(ev.Data) > 50 {
					t.Fatalf("an event of %d bytes", len(ev.Data))
				}
				out = append(out, fmt.Sprintf("%q %d %q", ev.ID, ev.Retry, ev.Data))
			}
		}
		if diff := cmp.Diff(read(1<<10), read(max(1, step%8))); diff != "" {
			t.Fatalf("the pace of the bytes changes what they say:\n%s", diff)
		}
	})
}

func TestLinesAreBoundedExactly(t *testing.T) {
	for n, want := range map[int]error{99: nil, 100: nil, 101: ErrTooLarge, 1 << 20: ErrTooLarge} {
		l := &lineReader{src: strings.NewReader(strings.Repeat("x", n) + "\nrest\n"), max: 100, ends: "\n"}
		if line, err := l.next(); !errors.Is(err, want) || err == nil && len(line) != n {
			t.Errorf("%d bytes: %d, %v", n, len(line), err)
		}
	}
}

func TestRequestHeader(t *testing.T) {
	params := jsontext.Value(`{"name":"caf\u00e9","uri":"x:y"}`)
	for _, tc := range []struct {
		version, method string
		want            http.Header
	}{
		{"2025-11-25", protocol.MethodToolsCall, http.Header{"Mcp-Protocol-Version": {"2025-11-25"}}},
		{"", protocol.MethodToolsCall, http.Header{}},
		{"2026-07-28", protocol.MethodToolsList, http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/list"}}},
		{"2026-07-28", protocol.MethodToolsCall, http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"=?base64?Y2Fmw6k=?="}}},
		{"2026-07-28", protocol.MethodResourcesRead, http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"resources/read"}, "Mcp-Name": {"x:y"}}},
	} {
		if diff := cmp.Diff(tc.want, RequestHeader(tc.version, tc.method, params)); diff != "" {
			t.Errorf("%s %s:\n%s", tc.version, tc.method, diff)
		}
	}
}

// scripted answers every request with what answer returns for it.
func scripted(t *testing.T, answer func(m *jsonrpc.Message) string) Target {
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
		if r.Method != http.MethodPost || err != nil {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", typeJSON)
		switch {
		case m.Kind != jsonrpc.Request:
			w.WriteHeader(http.StatusAccepted)
		case m.Method == protocol.MethodInitialize:
			w.Write(jsonrpc.NewResult(m.ID, jsontext.Value(legacyHello)))
		default:
			io.WriteString(w, answer(m))
		}
	})
}

func TestListAttacks(t *testing.T) {
	page := 0
	for name, tc := range map[string]struct {
		answer func(m *jsonrpc.Message) string // of tools/list
		want   error
	}{
		"cursor loop": {func(m *jsonrpc.Message) string { return `{"tools":[{"name":"a"}],"nextCursor":"again"}` }, ErrCursorLoop},
		"cursor loop, spelled otherwise": {func(m *jsonrpc.Message) string {
			page++
			return fmt.Sprintf(`{"tools":[],"nextCursor":"%s"}`, []string{"a", `\u0061`}[page%2])
		}, ErrCursorLoop},
		"infinite pages": {func(m *jsonrpc.Message) string {
			page++
			return fmt.Sprintf(`{"tools":[{"name":"%d"}],"nextCursor":"%d"}`, page, page)
		}, ErrCursorLoop},
		"infinite entries": {func(m *jsonrpc.Message) string {
			page++
			return fmt.Sprintf(`{"tools":[{}%s],"nextCursor":"%d"}`, strings.Repeat(",{}", 40), page)
		}, ErrTooLarge},
		"number cursor":        {func(*jsonrpc.Message) string { return `{"tools":[],"nextCursor":1}` }, ErrProtocol},
		"duplicate keys":       {func(*jsonrpc.Message) string { return `{"tools":[{"name":"a","name":"b"}]}` }, ErrProtocol},
		"Tools":                {func(*jsonrpc.Message) string { return `{"tools":[],"Tools":[{"name":"a"}]}` }, ErrProtocol},
		"NextCursor":           {func(*jsonrpc.Message) string { return `{"tools":[],"NextCursor":"2"}` }, ErrProtocol},
		"tools are an object":  {func(*jsonrpc.Message) string { return `{"tools":{}}` }, ErrProtocol},
		"a tool is a string":   {func(*jsonrpc.Message) string { return `{"tools":["a"]}` }, ErrProtocol},
		"the result is a list": {func(*jsonrpc.Message) string { return `[]` }, ErrProtocol},
		"input required":       {func(*jsonrpc.Message) string { return `{"resultType":"input_required"}` }, ErrProtocol},
		"unknown afterwards":   {func(*jsonrpc.Message) string { return `` }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			page = 0
			target := scripted(t, func(m *jsonrpc.Message) string {
				if m.Method != protocol.MethodToolsList || name == "unknown afterwards" {
					return string(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no", nil))
				}
				return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, tc.answer(m))
			})
			l, err := dial(t, target, protocol.Legacy, Limits{ListPages: 20, ListEntries: 500}).Listing(t.Context())
			if !errors.Is(err, tc.want) {
				t.Errorf("Listing = %v, %v; want %v", l, err, tc.want)
			}
			if tc.want == nil && (err != nil || l.Tools != nil) {
				t.Errorf("a list method that is unknown is absent: %v, %v", l, err)
			}
		})
	}
}

func TestHTTPAnswersToSomebodyElse(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		want   error
	}{
		"other id":       {`{"jsonrpc":"2.0","id":999,"result":{}}`, ErrProtocol},
		"the id as text": {`{"jsonrpc":"2.0","id":"2","result":{}}`, ErrProtocol},
		"a request":      {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, ErrProtocol},
		"not JSON-RPC":   {`{"ok":true}`, ErrProtocol},
		"anonymous":      {`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"?"}}`, nil},
	} {
		c := dial(t, scripted(t, func(*jsonrpc.Message) string { return tc.answer }), protocol.Legacy, Limits{})
		if m, err := c.Call(t.Context(), "m", nil); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestHTTPStatuses(t *testing.T) {
	for status, era := range map[int]bool{400: true, 404: true, 405: true, 401: false, 403: false, 429: false, 500: false, 503: false} {
		target := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typeJSON)
			w.WriteHeader(status)
			io.WriteString(w, `{"detail":"not JSON-RPC"}`)
		})
		_, err := Dial(t.Context(), target, protocol.Modern, Limits{})
		var got StatusError
		if !errors.As(err, &got) || int(got) != status || errors.Is(err, ErrEra) != era {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestSessionIDsAreChecked(t *testing.T) {
	for id, ok := range map[string]bool{"abc-123": true, "a b": false, strings.Repeat("x", 2000): false, "caf\u00e9": false} {
		target := server(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
			if err != nil || m.Method != protocol.MethodInitialize {
				if got := r.Header.Get(protocol.HeaderSessionID); got != id {
					t.Errorf("session %q, want %q", got, id)
				}
				w.WriteHeader(http.StatusAccepted)
				return
			}
			w.Header().Set("Content-Type", typeJSON)
			w.Header().Set(protocol.HeaderSessionID, id)
			w.Write(jsonrpc.NewResult(m.ID, jsontext.Value(legacyHello)))
		})
		c, err := Dial(t.Context(), target, protocol.Legacy, Limits{})
		if (err == nil) != ok {
			t.Errorf("%.20q: %v", id, err)
		}
		if c != nil {
			c.Close()
		}
	}
}
