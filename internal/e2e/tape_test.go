//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// said is one message as it passed a recorder.
type said struct {
	session string // what connects it with others: a session, a process, or one exchange
	client  bool   // by the client
	message *jsonrpc.Message
}

// tape is what a recorder heard so far.
type tape func(t *testing.T) []said

// recorder is a proxy that passes everything on as it comes, and keeps it.
// adding is put into the header of every request.
func recorder(t *testing.T, target string, adding http.Header) (at string, heard tape) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var exchanges []*exchanged
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     &http.Transport{DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
			for name, values := range adding {
				r.Out.Header[name] = values
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			mu.Lock()
			defer mu.Unlock()
			e := resp.Request.Context().Value(exchangeKey{}).(*exchanged)
			if id := resp.Header.Get(protocol.HeaderSessionID); id != "" {
				e.session = id
			}
			e.kind, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
			resp.Body = &copied{ReadCloser: resp.Body, mu: &mu, into: &e.answer}
			return nil
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		e := &exchanged{session: r.Header.Get(protocol.HeaderSessionID), asked: body}
		if e.session == "" {
			e.session = r.URL.Query().Get(olderSession)
		}
		if e.session == "" {
			e.session = fmt.Sprintf("exchange %d", len(exchanges))
		}
		exchanges = append(exchanges, e)
		mu.Unlock()
		proxy.ServeHTTP(w, r.WithContext(contextWith(r, e)))
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, func(t *testing.T) []said {
		mu.Lock()
		defer mu.Unlock()
		var all []said
		for _, e := range exchanges {
			all = append(all, e.messages(t)...)
		}
		return all
	}
}

// olderSession names the session in the query of what is posted over HTTP+SSE;
// the first event of the stream says so.
const olderSession = "sessionId"

// exchanged is one HTTP request and what came of it.
type exchanged struct {
	session string
	asked   []byte
	kind    string // media type of the answer
	answer  bytes.Buffer
}

func (e *exchanged) messages(t *testing.T) []said {
	t.Helper()
	var all []said
	for i, raw := range append([][]byte{e.asked}, e.answers()...) {
		if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{}); err == nil {
			all = append(all, said{e.session, i == 0, m})
		} else if len(bytes.TrimSpace(raw)) > 0 {
			t.Errorf("no message: %v: %.200q", err, raw)
		}
	}
	return all
}

// answers are the whole messages that came so far.
func (e *exchanged) answers() [][]byte {
	switch e.kind {
	case "application/json":
		return [][]byte{e.answer.Bytes()}
	case "text/event-stream":
	default:
		return nil
	}
	var all [][]byte
	var event string
	var data []string
	for line := range strings.Lines(strings.ReplaceAll(e.answer.String(), "\r\n", "\n")) {
		line, whole := strings.CutSuffix(line, "\n")
		field, text, _ := strings.Cut(line, ":")
		text = strings.TrimPrefix(text, " ")
		switch {
		case !whole:
		case field == "data":
			data = append(data, text)
		case field == "event":
			event = text
		case line == "" && event == "endpoint":
			_, e.session, _ = strings.Cut(strings.Join(data, ""), olderSession+"=")
			event, data = "", nil
		case line == "":
			all = append(all, []byte(strings.Join(data, "\n")))
			event, data = "", nil
		}
	}
	return all
}

// copied keeps what is read.
type copied struct {
	io.ReadCloser
	mu   *sync.Mutex
	into *bytes.Buffer
}

func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.mu.Lock()
	c.into.Write(p[:n])
	c.mu.Unlock()
	return n, err
}

// teeCommand makes this test binary a command that starts another one and
// writes down, in a file for each process, what the two say to each other.
const teeCommand = "record-stdio"

// recorded is a command between whose client and itself everything is kept.
func recorded(t *testing.T, command []string) (tee []string, heard tape) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return append([]string{self, teeCommand, dir}, command...), func(t *testing.T) []said {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var all []said
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if len(line) < 2 || !strings.HasSuffix(line, "\n") {
					continue // not whole yet
				}
				if m, err := jsonrpc.Parse([]byte(line[1:]), jsonrpc.Limits{}); err == nil {
					all = append(all, said{filepath.Base(file), line[0] == '>', m})
				}
			}
		}
		return all
	}
}

func tee(dir string, command []string) error {
	log, err := os.Create(filepath.Join(dir, fmt.Sprint(os.Getpid())))
	if err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var mu sync.Mutex
	pass := func(mark string, from io.Reader, to io.Writer) {
		lines := bufio.NewReader(from)
		for {
			line, err := lines.ReadBytes('\n')
			mu.Lock()
			log.WriteString(mark + string(line))
			mu.Unlock()
			if _, failed := to.Write(line); err != nil || failed != nil {
				return
			}
		}
	}
	go func() {
		pass(">", os.Stdin, in)
		in.Close()
	}()
	pass("<", out, os.Stdout)
	return cmd.Wait()
}

// conversation is what a client of one name and a server said to each other,
// as texts that are equal when the same bytes were said: who, what about, and
// params, result or error.
func conversation(t *testing.T, heard []said, client string) map[string]int {
	t.Helper()
	ours := map[string]bool{}      // sessions that the client opened
	methods := map[string]string{} // of requests, by session, who asked and id
	key := func(s said, byClient bool) string { return fmt.Sprint(s.session, byClient, s.message.IDKey()) }
	for _, s := range heard {
		if s.message.Kind != jsonrpc.Request {
			continue
		}
		methods[key(s, s.client)] = s.message.Method
		name := jsonrpc.Text(s.message.Params, "/clientInfo/name")
		if name == "" {
			name = jsonrpc.Text(s.message.Params, jsontext.Pointer("/_meta").AppendToken(protocol.MetaClientInfo)+"/name")
		}
		if name == client {
			ours[s.session] = true
		}
	}
	all := map[string]int{}
	for _, s := range heard {
		if !ours[s.session] {
			continue
		}
		who, m := "server", s.message
		if s.client {
			who = "client"
		}
		about := m.Method
		if m.Kind == jsonrpc.Response {
			about = "answer to " + methods[key(s, !s.client)]
		}
		all[fmt.Sprintf("%s: %s\n%s%s%s", who, about, m.Params, m.Result, m.Error)]++
	}
	return all
}

type exchangeKey struct{}

func contextWith(r *http.Request, e *exchanged) context.Context {
	return context.WithValue(r.Context(), exchangeKey{}, e)
}
