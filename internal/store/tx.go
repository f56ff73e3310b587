package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Tx runs fn in one read/write transaction: committed when fn returns nil,
// rolled back when it returns an error or panics. Errors come back classified.
// fn must use only the transaction it is given; on the *sql.DB it would wait
// for itself.
func Tx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	return run(ctx, db, nil, fn)
}

// View runs fn in a read-only transaction: one consistent picture of the
// database, taken without waiting for writers.
func View(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	return run(ctx, db, &sql.TxOptions{ReadOnly: true}, fn)
}

func run(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return Classify(err)
	}
	defer tx.Rollback() // does nothing after Commit
	err = fn(tx)
	if err == nil {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		// database/sql saw the end of ctx first and has rolled back: the
		// cause is the context, whichever of the two noticed it.
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return Classify(err)
}
