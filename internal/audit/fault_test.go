//go:build linux

package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the process that is limited or killed.
func TestMain(m *testing.M) {
	switch os.Getenv("AUDIT_TEST_CHILD") {
	case "limit":
		os.Exit(limitedChild(os.Getenv("AUDIT_TEST_PATH")))
	case "kill":
		os.Exit(killedChild(os.Getenv("AUDIT_TEST_PATH")))
	}
	os.Exit(m.Run())
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "AUDIT_TEST_CHILD="+role, "AUDIT_TEST_PATH="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	l, err := Open("/dev/full", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if id, err := l.Append(t.Context(), CallIntent(call)); id != "" || !errors.Is(err, ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Append: %q, %v", id, err)
		}
	}
	l.Refusal(t.Context(), "credential_missing", "192.0.2.1:1")
	if err := l.Check(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Check: %v", err)
	}
	if err := l.Close(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Close: %v, want what it could not write", err)
	}
}

func TestDeviceThatCannotSync(t *testing.T) {
	l := open(t, "/dev/null", Options{})
	mustAppend(t, l, CallIntent(call))
	if _, err := Search(t.Context(), "/dev/null", Query{}); err == nil {
		t.Error("searching a device found nothing instead of saying that it cannot")
	}
}

// On a device the torn line cannot be taken back: the next append ends it.
func TestTornLineOnAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f := &file{f: w, torn: true}
	if err := f.append([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	sc := bufio.NewScanner(r)
	var got []string
	for sc.Scan() {
		got = append(got, sc.Text())
	}
	if len(got) != 2 || got[0] != "" || got[1] != "{}" {
		t.Errorf("%q", got)
	}
}

// A disk that fills up in the middle of a line, really: the kernel cuts writes
// at RLIMIT_FSIZE. The limit is the process's, hence the child.
func TestDiskFullInTheMiddleOfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit")
	out, err := child(t, "limit", path).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != "ok" {
		t.Error(got)
	}
	events := all(t, path)
	if got := codes(events); strings.Join(got, " ") != "segment_opened log_opened call_intent call_outcome approved log_closed" {
		t.Errorf("events %v", got)
	}
	if got := outcomeOf(events, call.ID); len(got) != 1 || got[0] != Unknown {
		t.Errorf("outcomes %v", got)
	}
}

func limitedChild(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := Open(path, Options{})
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	if _, err := l.Append(context.Background(), CallIntent(call)); err != nil {
		fmt.Println("append:", err)
		return 1
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		fmt.Println(err)
		return 1
	}
	info, err := os.Stat(filepath.Join(path, "00000001.jsonl"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()) + 100, Max: was.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	for range 3 {
		if _, err := l.Append(context.Background(), CallOutcome(call, Outcome{Result: Answered})); !errors.Is(err, ErrUnavailable) || !errors.Is(err, syscall.EFBIG) {
			fmt.Println("append beyond the limit:", err)
			return 1
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := l.Append(context.Background(), Approved(change, digest)); err != nil {
		fmt.Println("append after recovery:", err)
		return 1
	}
	if err := l.Close(); err != nil {
		fmt.Println("close:", err)
		return 1
	}
	fmt.Println("ok")
	return 0
}

// What Append acknowledged survives kill -9, and no intent stays open.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit")
	var acknowledged []string
	for range 3 {
		cmd := child(t, "kill", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(out)
		for n := 0; n < 150 && sc.Scan(); n++ {
			acknowledged = append(acknowledged, sc.Text())
		}
		cmd.Process.Kill()
		for sc.Scan() { // what was still in the pipe was acknowledged as well
			acknowledged = append(acknowledged, sc.Text())
		}
		cmd.Wait()
	}
	open(t, path, Options{}).Close()
	events := all(t, path)
	found := map[string]bool{}
	intents, outcomes := map[string]int{}, map[string]int{}
	for i := range events {
		found[events[i].Metadata.UID] = true
		switch stageOf(&events[i]) {
		case stageIntent:
			intents[events[i].Metadata.CorrelationUID]++
		case stageOutcome:
			outcomes[events[i].Metadata.CorrelationUID]++
		}
	}
	if len(acknowledged) < 100 {
		t.Fatalf("the child acknowledged %d events only", len(acknowledged))
	}
	for _, id := range acknowledged {
		if !found[id] {
			t.Fatalf("%s was acknowledged and is gone", id)
		}
	}
	for id := range intents {
		if outcomes[id] != 1 {
			t.Errorf("call %s has %d outcomes", id, outcomes[id])
		}
	}
}

func killedChild(path string) int {
	l, err := Open(path, Options{SegmentBytes: 32 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for range 4 {
		go func() {
			for {
				c := call
				c.ID = NewID()
				for _, e := range []*Event{CallIntent(c), CallOutcome(c, Outcome{Result: Answered})} {
					id, err := l.Append(context.Background(), e)
					if err != nil {
						fmt.Fprintln(os.Stderr, err)
						os.Exit(1)
					}
					fmt.Println(id)
				}
			}
		}()
	}
	select {}
}
