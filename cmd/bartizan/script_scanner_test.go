package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

// cmdAssemble makes a scanner module of a text and a manifest.
func cmdAssemble(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: assemble OUT.wasm MODULE.wat MANIFEST.json")
	}
	wasm, err := wat.Assemble(ts.ReadFile(args[1]))
	ts.Check(err)
	wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(strings.TrimSpace(ts.ReadFile(args[2]))))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), wasm, 0o600))
}

// goCache is where this user's Go keeps what it compiled: scripts that compile
// have another home.
func goCache(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// cmdReload asks the newest program to load its scanners anew.
func cmdReload(ts *testscript.TestScript, neg bool, args []string) {
	all := started(ts).running
	if neg || len(args) != 0 || len(all) == 0 {
		ts.Fatalf("usage: reload, after doors")
	}
	ts.Check(all[len(all)-1].Process.Signal(syscall.SIGHUP))
}

// cmdUntil runs a command again and again until its standard output matches.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN command [args...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("%s does not come up in\n%s", args[0], ts.ReadFile("stdout"))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
