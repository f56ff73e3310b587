package store

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv("STORE_TEST_CHILD"); path != "" {
		os.Exit(killedChild(path))
	}
	os.Exit(m.Run())
}

// killedChild inserts rows, each with its pair, and prints what is committed.
func killedChild(path string) int {
	db, err := Open(path, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx := context.Background()
	for n := 0; ; n++ {
		err := Tx(ctx, db, func(tx *sql.Tx) error {
			for _, half := range []string{"a", "b"} {
				if err := insert(ctx, tx, half+strconv.Itoa(n), ""); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(n)
	}
}

// What was committed survives kill -9, and only whole transactions do.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bartizan.db")
	openAt(t, path).Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	committed := 0
	sc := bufio.NewScanner(out)
	for committed < 200 && sc.Scan() {
		committed++
	}
	cmd.Process.Kill()
	for sc.Scan() {
		committed++
	}
	cmd.Wait()
	if committed < 200 {
		t.Fatalf("the child committed %d times only", committed)
	}
	db := openAt(t, path)
	var check string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity: %s, %v", check, err)
	}
	if n := count(t, db); n%2 != 0 || n < 2*committed {
		t.Errorf("%d rows for %d acknowledged pairs", n, committed)
	}
}
