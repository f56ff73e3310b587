// Package store opens the SQL database that holds the truth and runs its
// migrations. It knows no table: every room brings its own migrations and
// queries.
//
// The engine is SQLite (modernc.org/sqlite) and will be PostgreSQL where an
// installation outgrows it. Queries that come through here are written for
// both: placeholders $1, $2 …; times as BIGINT milliseconds (Millis, Time);
// booleans as BOOLEAN or INTEGER 0/1 compared explicitly; INSERT … ON CONFLICT;
// RETURNING; no AUTOINCREMENT, no rowid, no datetime functions.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/rogpeppe/go-internal/lockedfile"
	"modernc.org/sqlite"
)

// Connections of one pool. SQLite lets one writer in at a time; the others
// wait up to busyTimeout for it while readers go on beside it (WAL).
const (
	maxConns    = 8
	busyTimeout = 10 * time.Second
)

// Option changes how Open sets a database up.
type Option func(url.Values)

// MaxPages bounds the database file to n pages of 4 KiB. A write beyond it
// fails with ErrFull.
func MaxPages(n int) Option {
	return func(q url.Values) { q.Add("_pragma", "max_page_count("+strconv.Itoa(n)+")") }
}

// Open opens the SQLite database at path, creating it owner-only together with
// its folder, and brings it to the newest of the given migrations (goose SQL
// files at the root of the file system; nil for none). Two processes opening
// one database migrate it one after the other.
//
// Every commit is fsynced (journal_mode=WAL, synchronous=FULL): a commit that
// returned survives a power cut. Read/write transactions begin IMMEDIATE, so
// they never fail halfway for having read first.
func Open(path string, migrations fs.FS, opts ...Option) (*sql.DB, error) {
	if err := createOwnerOnly(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	connector, err := sqlite.NewConnector(dsn(path, opts))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	if err := migrate(context.Background(), db, path, migrations); err != nil {
		db.Close()
		return nil, Classify(fmt.Errorf("store: open %s: %w", filepath.Base(path), err))
	}
	return db, nil
}

func dsn(path string, opts []Option) string {
	q := url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_dqs":          {"0"}, // "x" is a column, never a forgiving string
		"_defensive":    {"1"},
		"_pragma":       {"trusted_schema(0)"},
	}
	for _, o := range opts {
		o(q)
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// createOwnerOnly makes the file before SQLite does, which would use the umask.
// The -wal and -shm files take their mode from it.
func createOwnerOnly(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func migrate(ctx context.Context, db *sql.DB, path string, migrations fs.FS) error {
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	if migrations == nil {
		return nil
	}
	unlock, err := lockedfile.MutexAt(path + ".migrate").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// Millis is how a time is stored: milliseconds since the Unix epoch; 0 for the
// zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the inverse of Millis, in UTC.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
