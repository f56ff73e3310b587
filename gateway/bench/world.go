package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
)

// world is an installation as an operator sets it up, with a gateway that
// follows its registry, a server and the key of an agent.
type world struct {
	*doors.Installation
	ctx context.Context

	server, proxy, gateway *doors.Process

	agent string
	url   string // of the gateway that is measured
}

func newWorld(ctx context.Context, o options) (*world, error) {
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "gateway-bench")
	if err != nil {
		return nil, err
	}
	w := &world{Installation: &doors.Installation{Dir: dir}, ctx: ctx}
	if err := w.set(bin, dir); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// set sets everything up.
func (w *world) set(bin, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if w.server, err = doors.Launch(dir, self, nil, "-role", "server"); err != nil {
		return err
	}
	if w.proxy, err = doors.Launch(dir, self, nil, "-role", "proxy", "-to", w.server.First); err != nil {
		return err
	}
	installed, err := doors.Install(bin, dir)
	if err != nil {
		return err
	}
	w.Installation = installed
	if w.agent, err = w.Key("agent", "--role", "agent"); err != nil {
		return err
	}
	return errors.Join(
		w.Admit("echo", doors.Remote(w.server.First+"/mcp")), w.Admit("modern", doors.Remote(w.server.First+"/modern")), w.openGateway())
}

// stop ends every process and removes the state.
func (w *world) stop() {
	for _, p := range []*doors.Process{w.gateway, w.Serve, w.proxy, w.server} {
		if p != nil {
			p.Stop()
		}
	}
	_ = os.RemoveAll(w.Dir)
}

// openGateway starts the gateway that is measured, with every default.
func (w *world) openGateway() (err error) {
	if w.gateway, w.url, err = w.Follow(w.Path("gateway"), ""); err != nil {
		return err
	}
	return doors.Ready(w.ctx, w.url, time.Millisecond)
}
