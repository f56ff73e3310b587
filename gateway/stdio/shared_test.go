//go:build unix

package stdio

import (
	"runtime"
	"testing"
	"time"
)

// TestRefusalsAreBounded: a server that asks on and on and reads nothing is not
// waited for without end.
func TestRefusalsAreBounded(t *testing.T) {
	p := pool(t, Config{Processes: 1, PerOwner: 1, Idle: time.Minute})
	s := p.Shared(Server{Key: "k", Owner: "o", Name: "asks", Before: func() error { return nil }, Target: script(
		`yes '{"jsonrpc":"2.0","id":1,"method":"roots/list"}' | head -n 6000; echo '{"jsonrpc":"2.0","id":1,"result":{}}'; exec sleep 60`)})
	before := runtime.NumGoroutine()
	c, err := s.Call(parse(t, `{"jsonrpc":"2.0","id":"x","method":"ping"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if more := runtime.NumGoroutine() - before; more > 2*refusalsAtOnce {
		t.Errorf("%d goroutines wait for the server to read", more)
	}
	p.CloseIf(func(name string) bool { return name == "another" })
	if p.Running() != 1 {
		t.Error("another server's end is this one's")
	}
	p.CloseIf(func(name string) bool { return name == "asks" })
	for end := time.Now().Add(20 * time.Second); p.Running() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the process still runs")
		}
	}
}
