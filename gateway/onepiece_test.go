package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// writes is a listener that counts what its connections write.
type writes struct {
	net.Listener
	n    atomic.Int64
	fail atomic.Bool // the next one fails
}

type writesConn struct {
	net.Conn
	of *writes
}

func (l *writes) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &writesConn{c, l}, err
}

func (c *writesConn) Write(p []byte) (int, error) {
	c.of.n.Add(1)
	if c.of.fail.CompareAndSwap(true, false) {
		n, _ := c.Conn.Write(p[:len(p)/2])
		return n, errors.New("torn")
	}
	return c.Conn.Write(p)
}

// TestAnswersGoOutInOnePiece counts the writes of answers: one where they are of
// ordinary size, and what was torn ends the connection.
func TestAnswersGoOutInOnePiece(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &writes{Listener: l}
	failed := make(chan error, 1)
	server := &http.Server{
		ConnContext: withConn,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			out := &responder{w: &tracked{ResponseWriter: w, conn: connOf(r)}, timeout: time.Minute}
			if r.URL.Path == "/event" {
				out.event(upstream.Event{Data: body})
			} else {
				out.json(http.StatusOK, body)
			}
			failed <- out.err
		}),
	}
	go server.Serve(&limitedListener{Listener: counted, total: 9, perAddress: newAddresses(9), open: map[*countedConn]struct{}{}})
	t.Cleanup(func() { server.Close() })
	ask := func(path, body string) (string, error) {
		resp, err := http.Post("http://"+l.Addr().String()+path, "text/plain", strings.NewReader(body))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		return string(got), err
	}
	for _, c := range []struct {
		path   string
		bytes  int
		writes int64 // at most; the end of a stream is a piece of its own
	}{{"/json", 2, 1}, {"/json", 4 << 10, 1}, {"/json", 60 << 10, 1}, {"/event", 4 << 10, 2}, {"/json", 1 << 20, 1000}, {"/event", 1 << 20, 1000}, {"/json", 5000, 1}} {
		counted.n.Store(0)
		body := strings.Repeat("a", c.bytes)
		got, err := ask(c.path, body)
		if c.path == "/event" {
			body = "event: message\ndata: " + body + "\n\n"
		}
		if err != nil || got != body || <-failed != nil {
			t.Fatalf("%s of %d bytes: %d bytes, %v", c.path, c.bytes, len(got), err)
		}
		if n := counted.n.Load(); n > c.writes {
			t.Errorf("%s of %d bytes: %d writes", c.path, c.bytes, n)
		}
	}
	counted.fail.Store(true)
	if got, err := ask("/json", strings.Repeat("a", 9000)); err == nil {
		t.Errorf("%d bytes of a torn answer", len(got))
	}
	if err := <-failed; err == nil {
		t.Error("nobody was told")
	}
	if got, err := ask("/json", "{}"); err != nil || got != "{}" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	<-failed
}
