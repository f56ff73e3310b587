//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestScannerThroughRegistry signs a first-party scanner as a stranger's, pushes
// it to Debian's docker-registry, pulls it from there, and has a stranger's
// signature refused.
func TestScannerThroughRegistry(t *testing.T) {
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not installed")
	}
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	settings := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n", filepath.Join(dir, "store"), addr)
	if err := os.WriteFile(filepath.Join(dir, "registry.yml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), program, "serve", filepath.Join(dir, "registry.yml"))
	server.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get("http://" + addr + "/v2/"); err == nil {
			resp.Body.Close()
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("docker-registry does not answer")
		}
	}
	module, err := os.ReadFile("../../plugins/dist/exfil.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "exfil.wasm"), module, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want int, says string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin(t), "bartizan"), args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DOCKER_CONFIG="+dir)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want || !strings.Contains(string(out), says) {
			t.Fatalf("%q: exit %d, want %d and %q:\n%s", args, code, want, says, out)
		}
	}
	place := "oci://" + addr + "/scanners/exfil:edge"
	run(0, "", "key", "generate", "--out", "acme.key")
	run(0, "", "key", "generate", "--out", "mallory.key")
	run(0, "key ", "scanner", "sign", "exfil.wasm", "--key", "acme.key")
	run(0, "sha256:", "scanner", "push", "exfil.wasm", place)
	run(0, "sha256:", "scanner", "push", "exfil.wasm", place)
	run(3, "refused: signature", "scanner", "pull", place, "--public", "mallory.key.pub", "--out", "no.wasm")
	run(0, "key ", "scanner", "pull", place, "--public", "acme.key.pub", "--out", "pulled.wasm")
	if got, err := os.ReadFile(filepath.Join(dir, "pulled.wasm")); err != nil || string(got) != string(module) {
		t.Errorf("another module arrived: %v", err)
	}
}
