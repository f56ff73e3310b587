package demux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// TestConversation delivers in order, also what came before the end, and ends
// a client that takes nothing.
func TestConversation(t *testing.T) {
	c := New(func() {})
	for i := range 3 {
		c.Deliver(fmt.Append(nil, i))
	}
	c.End(ErrGone)
	for i := range 3 {
		if raw, err := c.Next(t.Context()); err != nil || string(raw) != fmt.Sprint(i) {
			t.Errorf("message %d = %q, %v", i, raw, err)
		}
	}
	if _, err := c.Next(t.Context()); !errors.Is(err, ErrGone) {
		t.Errorf("after the end: %v", err)
	}
	full := New(func() {})
	for full.Deliver([]byte("x")) {
	}
	for range queued {
		full.Next(t.Context())
	}
	if _, err := full.Next(t.Context()); !errors.Is(err, ErrOverflow) {
		t.Errorf("a client that takes nothing: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if _, err := New(func() {}).Next(ctx); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestIDKey: two spellings of one id are one id, a number and its text are two.
func TestIDKey(t *testing.T) {
	if IDKey([]byte(`"\u0061"`)) != IDKey([]byte(`"a"`)) || IDKey([]byte(`1`)) == IDKey([]byte(`"1"`)) {
		t.Error("ids are compared by their spelling")
	}
}

func parse(t testing.TB, raw string) *jsonrpc.Message {
	t.Helper()
	m, err := jsonrpc.Parse([]byte(raw), jsonrpc.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}

// TestWhoHearsWhat sends messages of a server to two requests and a listener.
func TestWhoHearsWhat(t *testing.T) {
	var s Session
	s.Deliver(parse(t, `{"jsonrpc":"2.0","method":"early"}`))
	listener, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Await(parse(t, `{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progressToken":"p"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Await(parse(t, `{"jsonrpc":"2.0","id":1,"method":"m"}`)); !errors.Is(err, ErrIDInUse) {
		t.Errorf("an id that is in use: %v", err)
	}
	alone := `{"jsonrpc":"2.0","method":"alone"}`
	s.Deliver(parse(t, alone))
	second, err := s.Await(parse(t, `{"jsonrpc":"2.0","id":"a","method":"m"}`))
	if err != nil {
		t.Fatal(err)
	}
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"\u0070","progress":1}}`
	one, two := `{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":"\u0061","result":{"n":1}}`
	for _, raw := range []string{
		progress,
		`{"jsonrpc":"2.0","method":"nobody"}`,
		`{"jsonrpc":"2.0","id":"1","result":{"forged":true}}`,
		two, `{"jsonrpc":"2.0","id":"a","result":{"again":true}}`,
		one, `{"jsonrpc":"2.0","id":1,"result":{"again":true}}`,
	} {
		s.Deliver(parse(t, raw))
	}
	s.End(ErrGone)
	for _, tt := range []struct {
		who  string
		c    *Conversation
		want []string
		end  error
	}{
		{"first", first, []string{alone, progress, one}, io.EOF},
		{"second", second, []string{two}, io.EOF},
		{"listener", listener, []string{`{"jsonrpc":"2.0","method":"early"}`, `{"jsonrpc":"2.0","method":"nobody"}`}, ErrGone},
	} {
		for _, want := range tt.want {
			if raw, err := tt.c.Next(t.Context()); err != nil || string(raw) != want {
				t.Errorf("%s heard %s, %v, want %s", tt.who, raw, err, want)
			}
		}
		if raw, err := tt.c.Next(t.Context()); !errors.Is(err, tt.end) {
			t.Errorf("%s heard %s, %v, want %v", tt.who, raw, err, tt.end)
		}
	}
	if _, err := s.Await(parse(t, `{"jsonrpc":"2.0","id":9,"method":"m"}`)); !errors.Is(err, ErrGone) || !s.Gone() {
		t.Errorf("after the end: %v", err)
	}
}

// TestHeldBytes: few messages may be too much too, a single one never is.
func TestHeldBytes(t *testing.T) {
	c := New(func() {})
	large := make([]byte, queuedBytes+1)
	if !c.Deliver(large) || c.Deliver([]byte("x")) {
		t.Error("one large message is too much, or one more is not")
	}
	if raw, err := c.Next(t.Context()); err != nil || len(raw) != len(large) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	if _, err := c.Next(t.Context()); !errors.Is(err, ErrOverflow) {
		t.Errorf("after it: %v", err)
	}
	var s Session
	text := parse(t, `{"jsonrpc":"2.0","method":"m","params":{"x":"`+strings.Repeat("x", backlogBytes/3)+`"}}`)
	for range 2 * backlog {
		s.Deliver(text)
	}
	if s.held > backlogBytes || len(s.waiting) != 2 {
		t.Errorf("%d messages of %d bytes wait for a listener", len(s.waiting), s.held)
	}
}
