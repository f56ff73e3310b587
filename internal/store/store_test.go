package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

//go:embed testdata/migrations
var testdata embed.FS

func migrations(t testing.TB) fs.FS {
	t.Helper()
	sub, err := fs.Sub(testdata, "testdata/migrations")
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func openAt(t testing.TB, path string, opts ...Option) *sql.DB {
	t.Helper()
	db, err := Open(path, migrations(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t testing.TB, opts ...Option) *sql.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "data", "bartizan.db"), opts...)
}

func insert(ctx context.Context, tx *sql.Tx, id, payload string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO account (id, tenant, opened, payload) VALUES ($1, $2, $3, $4)`,
		id, "default", Millis(time.Unix(1, 0)), payload)
	return err
}

func count(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM account`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenSetsEveryConnectionUp(t *testing.T) {
	db := open(t)
	var conns []*sql.Conn
	for range maxConns {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "trusted_schema": "0",
		} {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %q (%v), want %q", pragma, got, err, want)
			}
		}
		if _, err := c.ExecContext(t.Context(), `SELECT "no such column" FROM account`); err == nil {
			t.Error("a misspelt column is taken for a string")
		}
		c.Close()
	}
}

func TestFilesAreOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := openAt(t, filepath.Join(dir, "bartizan.db"))
	if err := Tx(t.Context(), db, func(tx *sql.Tx) error { return insert(t.Context(), tx, "a", "") }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), ".migrate") {
			continue // empty
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode().Perm())
		}
	}
}

// A path is a path, whatever a URI would make of it.
func TestPathsAreTakenLiterally(t *testing.T) {
	for _, name := range []string{"a b.db", "q?mode=memory&x=1.db", "frag#1.db", "per%20cent.db", "semi;colon.db", "ümlaut.db"} {
		path := filepath.Join(t.TempDir(), name)
		db := openAt(t, path)
		if count(t, db) != 0 {
			t.Error("not empty")
		}
		var file string
		if err := db.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&file); err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != name {
			t.Errorf("%s became %s", name, file)
		}
	}
	t.Chdir(t.TempDir())
	openAt(t, "relative.db")
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bartizan.db")
	all := migrations(t)
	first, err := fs.ReadFile(all, "00001_accounts.sql")
	if err != nil {
		t.Fatal(err)
	}
	old, err := Open(path, fstest.MapFS{"00001_accounts.sql": {Data: first}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Tx(t.Context(), old, func(tx *sql.Tx) error { return insert(t.Context(), tx, "a", "") }); err != nil {
		t.Fatal(err)
	}
	old.Close()
	for range 2 { // upgraded once, then nothing to do
		db := openAt(t, path)
		if count(t, db) != 1 {
			t.Error("the upgrade lost a row")
		}
		var name string
		if err := db.QueryRowContext(t.Context(), `SELECT name FROM sqlite_master WHERE name = 'account_tenant'`).Scan(&name); err != nil {
			t.Errorf("second migration: %v", err)
		}
		db.Close()
	}
	broken := fstest.MapFS{
		"00001_accounts.sql": {Data: first},
		"00003_broken.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE half (id TEXT);\nCREATE TABLE half (id TEXT);\n")},
	}
	if db, err := Open(path, broken); err == nil {
		db.Close()
		t.Fatal("a broken migration passed")
	}
	db := openAt(t, path)
	if _, err := db.ExecContext(t.Context(), `SELECT * FROM half`); err == nil {
		t.Error("half a migration was kept")
	}
	for _, none := range []fs.FS{nil, fstest.MapFS{}} {
		db, err := Open(filepath.Join(t.TempDir(), "empty.db"), none)
		if err != nil {
			t.Fatalf("no migrations: %v", err)
		}
		db.Close()
	}
}

func TestConcurrentOpensMigrateOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bartizan.db")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := Open(path, migrations(t))
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	wg.Wait()
}

func TestTwoWritersAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bartizan.db")
	pools := []*sql.DB{openAt(t, path), openAt(t, path)} // as two processes would
	if err := Tx(t.Context(), pools[0], func(tx *sql.Tx) error { return insert(t.Context(), tx, "a", "0") }); err != nil {
		t.Fatal(err)
	}
	const writers, rounds = 6, 15
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				// Read, then write: deferred transactions would fail or lose updates here.
				err := Tx(t.Context(), pools[w%2], func(tx *sql.Tx) error {
					var n int
					if err := tx.QueryRowContext(t.Context(), `SELECT opened FROM account WHERE id = $1`, "a").Scan(&n); err != nil {
						return err
					}
					_, err := tx.ExecContext(t.Context(), `UPDATE account SET opened = $1 WHERE id = $2`, n+1, "a")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := pools[0].QueryRowContext(t.Context(), `SELECT opened FROM account`).Scan(&n); err != nil || n != 1000+writers*rounds {
		t.Errorf("%d, want %d (%v)", n, 1000+writers*rounds, err)
	}
}

func TestOneOfTwoEqualInsertsWins(t *testing.T) {
	db := open(t)
	results := make(chan error, 2)
	for range 2 {
		go func() {
			results <- Tx(t.Context(), db, func(tx *sql.Tx) error { return insert(t.Context(), tx, "same", "") })
		}()
	}
	a, b := <-results, <-results
	if a == nil {
		a, b = b, a
	}
	if b != nil || !errors.Is(a, ErrUnique) || !IsUnique(a) {
		t.Errorf("%v and %v, want one ErrUnique", a, b)
	}
}

func TestTxRollsBack(t *testing.T) {
	db := open(t)
	boom := errors.New("boom")
	err := Tx(t.Context(), db, func(tx *sql.Tx) error {
		if err := insert(t.Context(), tx, "a", ""); err != nil {
			return err
		}
		return boom
	})
	if err != boom {
		t.Errorf("%v is not the error of the function", err)
	}
	func() {
		defer func() { recover() }()
		Tx(t.Context(), db, func(tx *sql.Tx) error {
			if err := insert(t.Context(), tx, "b", ""); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	for _, noticed := range []bool{false, true} { // by database/sql, before Commit
		ctx, cancel := context.WithCancel(t.Context())
		err = Tx(ctx, db, func(tx *sql.Tx) error {
			if err := insert(ctx, tx, "c", ""); err != nil {
				return err
			}
			cancel()
			for noticed {
				if _, err := tx.Exec(`SELECT 1`); errors.Is(err, sql.ErrTxDone) {
					break
				}
				runtime.Gosched()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled, noticed %v: %v", noticed, err)
		}
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows of failed transactions", n)
	}
	if err := Tx(t.Context(), db, func(tx *sql.Tx) error { return insert(t.Context(), tx, "d", "") }); err != nil {
		t.Errorf("the pool does not recover: %v", err)
	}
}

func TestViewIsOnePictureAndReadOnly(t *testing.T) {
	db := open(t)
	err := View(t.Context(), db, func(tx *sql.Tx) error {
		var before, after int
		if err := tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM account`).Scan(&before); err != nil {
			return err
		}
		// A writer does not wait for readers, nor do they see it.
		if err := Tx(t.Context(), db, func(w *sql.Tx) error { return insert(t.Context(), w, "a", "") }); err != nil {
			return err
		}
		if err := tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM account`).Scan(&after); err != nil {
			return err
		}
		if before != after {
			t.Errorf("saw %d, then %d rows", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The database at its bound: a clear error, nothing half-written, reads go on,
// and so do writes once there is room.
func TestFullDatabase(t *testing.T) {
	db := open(t, MaxPages(40))
	big := strings.Repeat("x", 8<<10)
	var err error
	rows := 0
	for ; rows < 100; rows++ {
		err = Tx(t.Context(), db, func(tx *sql.Tx) error {
			if err := insert(t.Context(), tx, "small"+string(rune('a'+rows)), ""); err != nil {
				return err
			}
			return insert(t.Context(), tx, "big"+string(rune('a'+rows)), big)
		})
		if err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) || !IsFull(err) {
		t.Fatalf("after %d rows: %v, want ErrFull", rows, err)
	}
	for range maxConns + 1 { // no connection stays in a broken transaction
		if err := Tx(t.Context(), db, func(tx *sql.Tx) error { return insert(t.Context(), tx, "more", big+big) }); !errors.Is(err, ErrFull) {
			t.Fatalf("%v, want ErrFull", err)
		}
	}
	if n := count(t, db); n != 2*rows {
		t.Errorf("%d rows, want %d", n, 2*rows)
	}
	err = Tx(t.Context(), db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DELETE FROM account WHERE id LIKE 'big%'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Tx(t.Context(), db, func(tx *sql.Tx) error { return insert(t.Context(), tx, "fits", big) }); err != nil {
		t.Errorf("after making room: %v", err)
	}
}

func TestClassify(t *testing.T) {
	db := open(t)
	if Classify(nil) != nil {
		t.Error("nil became an error")
	}
	err := db.QueryRowContext(t.Context(), `SELECT id FROM account WHERE id = $1`, "absent").Scan(new(string))
	if err = Classify(err); !errors.Is(err, ErrNotFound) || !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("no rows: %v", err)
	}
	if again := Classify(err); again != err {
		t.Errorf("classified twice: %v", again)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO entry (seq, account) VALUES (1, 'nobody')`)
	if err == nil || IsUnique(err) || IsFull(err) {
		t.Errorf("a broken reference is %v", err)
	}
	other := errors.New("other")
	if Classify(other) != other {
		t.Error("an unknown error was wrapped")
	}
}

func TestTimes(t *testing.T) {
	if Millis(time.Time{}) != 0 || !Time(0).IsZero() {
		t.Error("the zero time")
	}
	at := time.Date(2026, 11, 20, 12, 0, 0, int(5*time.Millisecond), time.FixedZone("x", 3600))
	if got := Time(Millis(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("%v", got)
	}
}

func BenchmarkTx(b *testing.B) {
	db := open(b)
	n := 0
	for b.Loop() {
		n++
		err := Tx(b.Context(), db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(b.Context(), `INSERT INTO account (id, tenant, opened) VALUES ($1, 'default', 0)`, n)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
