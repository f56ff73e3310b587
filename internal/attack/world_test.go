package attack

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// world is an installation as an operator sets it up: a registry, the keys of
// the people in it, a gateway that follows it, and the servers of a stage.
type world struct {
	*doors.Installation
	stage *stage

	alice, mallory, auditor string // callers

	gate  *door // the gateway of most tests, with every default
	doors []*door
	mu    sync.Mutex
}

// lasting is the world that all tests share; it is made by the first one.
var lasting struct {
	once  sync.Once
	world *world
	err   error
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == localCommand {
		speak()
		return
	}
	code := m.Run()
	if w := lasting.world; w != nil {
		w.close(code != 0)
	}
	os.Exit(code)
}

// enter brings a test into the world. Tests run beside each other: what they
// attack must serve all others meanwhile.
func enter(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return open(t)
}

func open(t testing.TB) *world {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("programs are reloaded and ended by signals")
	}
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	lasting.once.Do(func() { lasting.world, lasting.err = newWorld() })
	if lasting.err != nil {
		t.Fatal(lasting.err)
	}
	return lasting.world
}

func newWorld() (*world, error) {
	dir, err := os.MkdirTemp("", "attack")
	if err != nil {
		return nil, err
	}
	w := &world{Installation: &doors.Installation{Dir: dir}, stage: newStage()}
	bin := os.Getenv("BARTIZAN_BIN")
	if bin == "" {
		bin = dir
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", dir+string(filepath.Separator),
			"github.com/bartizan-mcp/bartizan/cmd/bartizan", "github.com/bartizan-mcp/bartizan/cmd/bartizan-gateway")
		if out, err := cmd.CombinedOutput(); err != nil {
			return w, fmt.Errorf("building: %w: %s", err, out)
		}
	}
	if w.Installation, err = doors.Install(bin, dir); err != nil {
		return w, err
	}
	for name, into := range map[string]*string{"alice": &w.alice, "mallory": &w.mallory} {
		if *into, err = w.Key(name, "--role", "agent"); err != nil {
			return w, err
		}
	}
	if w.auditor, err = w.Key("audrey", "--role", "auditor"); err != nil {
		return w, err
	}
	w.gate, err = w.open("gate", "")
	return w, err
}

// close ends every process. After a failure it says what they said.
func (w *world) close(tell bool) {
	for _, d := range w.doors {
		d.Stop()
	}
	w.Close()
	if tell {
		logs, _ := filepath.Glob(filepath.Join(w.Dir, "*.log"))
		for _, name := range logs {
			said, _ := os.ReadFile(name)
			log.Printf("%s:\n%s", filepath.Base(name), said[max(0, len(said)-4<<10):])
		}
	}
	w.stage.close()
	_ = os.RemoveAll(w.Dir)
}

// eventually waits for what somebody else brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: did not happen", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
