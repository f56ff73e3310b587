//go:build linux

package confine

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fenced runs a shell script behind a fence.
func fenced(t *testing.T, f Fence, script string, env ...string) string {
	t.Helper()
	if !Fences() {
		t.Skip("this kernel has no Landlock of version 3")
	}
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin"}, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := Start(cmd, Job{Fence: f}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return out.String()
}

// TestFence: behind it nothing of a closed folder can be had by any of the
// ways to a file, and the rest is as ever.
func TestFence(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"data/keys", "data/trees/one", "beside"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range map[string]string{"data/keys/key": "secret", "data/trees/one/lib": "code", "beside/file": "fine", "data/token": "secret"} {
		if err := os.WriteFile(filepath.Join(base, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(base, "data/keys"), filepath.Join(base, "beside/shortcut")); err != nil {
		t.Fatal(err)
	}
	f := Fence{Closed: []string{filepath.Join(base, "data")}, Readable: []string{filepath.Join(base, "data/trees/one")}}
	attempt := func(command string) string { return "(" + command + ") >/dev/null 2>&1 && echo got in; " }
	attacks := []string{
		"cat data/keys/key", "cat beside/shortcut/key", "cat /proc/self/cwd/data/keys/key", "cat data/trees/../keys/key", "ls data", "ls data/keys",
		"echo x > data/new", "echo x >> data/keys/key", "echo x > data/trees/one/lib", "chmod 777 data/trees/one && echo x > data/trees/one/new", "mkdir data/x",
		"rm data/token", "mv data/token beside/token", "mv beside/file data/trees/one/file", "ln data/token beside/token2 && cat beside/token2",
		"ln -s ../data/token beside/again && cat beside/again", "mv data moved", "mv data/trees/one beside/one", "rm data/trees/one/lib",
		"sh -c 'cat data/keys/key'", "truncate -s 0 data/token", "readlink /proc/$PPID/exe", "cat /proc/$PPID/root" + base + "/data/token", "kill -0 $PPID",
	}
	if os.Getuid() != 0 { // who may measure the machine's performance reads it past Landlock
		attacks = append(attacks, "cat /proc/$PPID/environ")
	}
	script := "cd " + base + "\n"
	for _, a := range attacks {
		script += "(" + a + ") >/dev/null 2>&1 && echo 'got in: " + strings.ReplaceAll(a, "'", "") + "'\n"
	}
	out := fenced(t, f, script)
	if landlockVersion() < leastScoped {
		out = strings.ReplaceAll(out, "got in: kill -0 $PPID\n", "")
	}
	if out != "" {
		t.Errorf("behind the fence:\n%s", out)
	}
	out = fenced(t, f, "cd "+base+"; cat data/trees/one/lib beside/file; ls data/trees/one; echo x > beside/new && cat beside/new; mv beside/new beside/newer && rm beside/newer && "+attempt("ls /usr/bin"))
	if want := "codefinelib\nx\ngot in\n"; out != want {
		t.Errorf("beside the fence %q, want %q", out, want)
	}
	for name, want := range map[string]string{"data/keys/key": "secret", "data/trees/one/lib": "code", "data/token": "secret", "beside/file": "fine"} {
		if b, err := os.ReadFile(filepath.Join(base, name)); err != nil || string(b) != want {
			t.Errorf("%s is %q afterwards, %v", name, b, err)
		}
	}
}

// TestFenceOfNothing: a closed path that is not there cannot be kept closed.
func TestFenceOfNothing(t *testing.T) {
	if !Fences() {
		t.Skip("this kernel has no Landlock of version 3")
	}
	err := Start(exec.Command("/bin/true"), Job{Fence: Fence{Closed: []string{filepath.Join(t.TempDir(), "absent")}}}, time.Minute)
	if !errors.Is(err, ErrExec) {
		t.Errorf("err = %v", err)
	}
}

// TestProgramIsWhatWasOpened: another file under its name is not executed, and
// the program keeps neither descriptor.
func TestProgramIsWhatWasOpened(t *testing.T) {
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, shell, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte("#!/bin/sh\necho swapped\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", `echo "$0"; [ -e /proc/self/fd/3 ] && echo 3; [ -e /proc/self/fd/4 ] && echo 4; true`, "argument")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := Start(cmd, Job{Program: f}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "argument\n" {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestJobs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a \"b\"\nclosed \"etc\"")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	job, err := Job{Fence: Fence{Closed: []string{dir}, Readable: []string{"/usr"}}}.encode(7)
	if err != nil {
		t.Fatal(err)
	}
	j, parent, err := decode(job)
	if err != nil || parent != 7 || len(j.Fence.Closed) != 1 || j.Fence.Closed[0] != real || len(j.Fence.Readable) != 1 || j.Limits != Default {
		t.Errorf("%v %d %+v", err, parent, j)
	}
	for _, broken := range []string{"1 2 3 4 5 6\nopened \"/x\"\n", "1 2 3 4 5 6\nclosed x\n", "1 2 3 4 5 6\nclosed\n"} {
		if _, _, err := decode(broken); err == nil {
			t.Errorf("%q was taken", broken)
		}
	}
}
