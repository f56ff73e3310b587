package store

import (
	"database/sql"
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrNotFound: the query that must return a row returned none.
	ErrNotFound = errors.New("store: not found")
	// ErrUnique: a row with this key is there already.
	ErrUnique = errors.New("store: already exists")
	// ErrFull: the disk or the configured page count is used up. Nothing of
	// the transaction was kept; reads go on.
	ErrFull = errors.New("store: database full")
	// ErrBusy: another writer held the database for longer than the busy timeout.
	ErrBusy = errors.New("store: database busy")
)

// Classify wraps err with the sentinel of its class, keeping the original in
// the chain, and returns every other error as it is. Tx and View do it for
// their callers; a query run on the *sql.DB directly goes through here.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{ErrNotFound, ErrUnique, ErrFull, ErrBusy} {
		if errors.Is(err, known) {
			return err
		}
	}
	if class := class(err); class != nil {
		return fmt.Errorf("%w: %w", class, err)
	}
	return err
}

func class(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if errors.Is(err, syscall.ENOSPC) {
		return ErrFull
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrUnique
	}
	switch e.Code() & 0xff { // the primary code of an extended one
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	}
	return nil
}

// IsUnique reports whether err is a violated uniqueness constraint.
func IsUnique(err error) bool { return errors.Is(Classify(err), ErrUnique) }

// IsFull reports whether err means that there is no room left.
func IsFull(err error) bool { return errors.Is(Classify(err), ErrFull) }
