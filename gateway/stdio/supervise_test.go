//go:build unix

package stdio

import (
	"errors"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/restart"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

func script(body string) upstream.Target {
	return upstream.Target{Command: []string{"/bin/sh", "-c", body}}
}

// TestCrashLoop attacks with a server that dies on arrival, again and again:
// both kinds of conversation are refused while it pauses, the pauses grow,
// every end is told, and nobody else's server is held up.
func TestCrashLoop(t *testing.T) {
	p := pool(t, Config{Processes: 8, PerOwner: 8, Idle: time.Hour})
	ends := make(chan End, 64)
	dying := Server{
		Key: "mallory\x00srv", Owner: "mallory", Target: script("echo going >&2; exit 7"),
		Before: func() error { return nil }, Ended: func(e End) { ends <- e },
	}
	busy := 0
	for n := 1; n <= restart.LoopFrom; {
		var err error
		if n%2 == 0 {
			_, err = p.Shared(dying).Call(parse(t, `{"jsonrpc":"2.0","id":1,"method":"m"}`))
		} else {
			_, err = p.Session(dying)
		}
		if errors.Is(err, ErrBusy) {
			busy++
			other := dying
			other.Key, other.Owner, other.Target, other.Ended = "alice\x00srv", "alice", echo, nil
			if s, err := p.Session(other); err != nil {
				t.Fatalf("another's server: %v", err)
			} else {
				s.Close()
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		select {
		case e := <-ends:
			if e.Early != n || !errors.Is(e.Err, upstream.ErrClosed) || string(e.Stderr) != "going\n" || (n > 1) != (e.Pause > 0) {
				t.Fatalf("end %d: %+v, stderr %q", n, e, e.Stderr)
			}
			n++
		case <-t.Context().Done():
			t.Fatal("an end was not told")
		}
	}
	if busy == 0 {
		t.Error("a crash loop never paused")
	}
	if _, err := p.Session(dying); !errors.Is(err, ErrBusy) {
		t.Errorf("after the third end: %v", err)
	}
	if n := p.Running(); n != 0 {
		t.Errorf("%d processes are still counted", n)
	}
}

// TestOwnEndIsNoCrash: what the pool closes itself is held against nobody.
func TestOwnEndIsNoCrash(t *testing.T) {
	p := pool(t, Config{Processes: 8, PerOwner: 8, Idle: time.Hour})
	server := Server{
		Key: "k", Owner: "o", Target: echo, Before: func() error { return nil },
		Ended: func(e End) { t.Errorf("told of an end that was asked for: %+v", e) },
	}
	for range 4 {
		s, err := p.Session(server)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for p.Running() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestProgramThatCannotStart counts as an early end.
func TestProgramThatCannotStart(t *testing.T) {
	p := pool(t, Config{Processes: 8, PerOwner: 8, Idle: time.Hour})
	told := 0
	server := Server{
		Key: "k", Owner: "o", Target: upstream.Target{Command: []string{"/nonexistent/server"}},
		Before: func() error { return nil }, Ended: func(End) { told++ },
	}
	for range 2 {
		if _, err := p.Session(server); err == nil || errors.Is(err, ErrBusy) {
			t.Fatalf("an absent program: %v", err)
		}
	}
	if _, err := p.Session(server); !errors.Is(err, ErrBusy) || told != 2 || p.Running() != 0 {
		t.Errorf("%v, told %d times, %d running", err, told, p.Running())
	}
}
