//go:build unix

package stdio

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// reunion has servers that are asked to end wait for each other: the stubborn
// ones ignore the end of their input and SIGTERM until all were asked. Whoever
// closes them one after the other kills the first before he asks the second.
type reunion struct {
	dir string
	of  int
}

func newReunion(t *testing.T, of int) reunion { return reunion{t.TempDir(), of} }

// polite ends when it is asked to.
func (r reunion) polite() upstream.Target {
	return script(up + "cat >/dev/null; : >" + r.dir + "/asked.$$")
}

func (r reunion) stubborn() upstream.Target {
	return script(fmt.Sprintf("trap '' TERM; "+up+"cat >/dev/null; : >%[1]s/asked.$$; "+
		"until [ $(ls %[1]s | grep -c asked) -ge %[2]d ]; do sleep 0.02; done; : >%[1]s/met.$$", r.dir, r.of))
}

// up answers the one request that it is sent.
const up = `read line; echo '{"jsonrpc":"2.0","id":1,"result":{}}'; `

func (r reunion) count(t *testing.T, what string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.dir, what+".*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// TestClosedAtOnce: servers that do not want to end are waited for together,
// and keep nobody else's open, whoever ends them.
func TestClosedAtOnce(t *testing.T) {
	const stubborn, polite, sessions = 3, 2, 2
	ending := map[string]func(*Pool){
		"unused":    func(p *Pool) { p.sweep(time.Now().Add(2 * time.Hour)) },
		"withdrawn": func(p *Pool) { p.CloseIf(func(name string) bool { return strings.HasPrefix(name, "io.example/") }) },
		"closed":    (*Pool).Close,
	}
	for name, end := range ending {
		t.Run(name, func(t *testing.T) {
			of, own := stubborn+polite, 0
			if name == "closed" {
				own = sessions
			}
			r := newReunion(t, of+own)
			p := pool(t, Config{Processes: 16, PerOwner: 16, Idle: time.Hour, Limits: upstream.Limits{CloseGrace: 20 * time.Second}})
			server := func(i int) Server {
				s := Server{Key: fmt.Sprint(i), Owner: "o", Name: fmt.Sprintf("io.example/%d", i), Before: func() error { return nil }, Target: r.stubborn()}
				if i >= stubborn {
					s.Target = r.polite()
				}
				return s
			}
			for i := range of {
				c, err := p.Shared(server(i)).Call(parse(t, `{"jsonrpc":"2.0","id":"x","method":"ping"}`))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range own {
				s, err := p.Session(server(0))
				if err != nil {
					t.Fatal(err)
				}
				c, err := s.Call(parse(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			end(p)
			if asked, met := r.count(t, "asked"), r.count(t, "met"); asked != of+own || met != stubborn+own {
				t.Errorf("of %d servers %d were asked to end; of %d stubborn ones %d saw all others asked", of+own, asked, stubborn+own, met)
			}
		})
	}
}

// TestSweepBesideCalls: processes are swept away while others are started, and a
// call that found one a moment before its end goes to the next.
func TestSweepBesideCalls(t *testing.T) {
	p := pool(t, Config{Processes: 4, PerOwner: 4, Idle: time.Nanosecond, Limits: upstream.Limits{CloseGrace: time.Millisecond}})
	server := Server{Key: "k", Owner: "o", Name: "n", Before: func() error { return nil }, Target: script(up + "exec cat >/dev/null")}
	stop := make(chan struct{})
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				p.sweep(time.Now())
			}
		}
	})
	for range 20 {
		found := p.Shared(server)
		found.retireIf(func() bool { return true })
		found.Close()
		c, err := found.Call(parse(t, `{"jsonrpc":"2.0","id":"x","method":"ping"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.Shared(server).Close()
	}
	close(stop)
	sweeping.Wait()
	p.Close()
	for p.Running() > 0 { // until the last one is read to its end
		time.Sleep(time.Millisecond)
	}
}
