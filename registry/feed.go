package registry

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// Kinds of feed events.
const (
	FeedSnapshot = "snapshot" // the list of approvals in force changed; ref: sequence
	FeedKey      = "key"      // an API key was issued or revoked; ref: its id
	FeedVersion  = "version"  // a version changed its state; ref: name and version
)

const feedPage = 256

// feed wakes followers. The events themselves are rows.
type feed struct {
	mu      sync.Mutex
	changed chan struct{}
}

// add appends an event in the transaction that makes it true.
func (f *feed) add(ctx context.Context, tx *sql.Tx, tenant, kind, ref string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO feed (tenant, cursor, kind, ref, at)
		SELECT $1, COALESCE(MAX(cursor), 0) + 1, $2, $3, $4 FROM feed WHERE tenant = $1`, tenant, kind, ref, store.Millis(at))
	return err
}

// wake tells everyone who waits that there may be something new.
func (f *feed) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

func (f *feed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

// Feed returns the tenant's events after cursor, waiting up to wait for one.
// next is the cursor to go on from. A negative cursor asks for the present end.
func (s *Service) Feed(ctx context.Context, tenant string, cursor int64, wait time.Duration) (events []admission.FeedEvent, next int64, err error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		changed := s.feed.wait() // before looking, so that nothing slips between
		if events, next, err = s.feedAfter(ctx, tenant, cursor); err != nil || len(events) > 0 || cursor < 0 || wait <= 0 {
			return events, next, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return events, next, nil
		case <-ctx.Done():
			return events, next, ctx.Err()
		}
	}
}

func (s *Service) feedAfter(ctx context.Context, tenant string, cursor int64) ([]admission.FeedEvent, int64, error) {
	events := []admission.FeedEvent{}
	next := cursor
	err := s.view(ctx, func(tx *sql.Tx) error {
		if cursor < 0 {
			return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(cursor), 0) FROM feed WHERE tenant = $1`, tenant).Scan(&next)
		}
		rows, err := tx.QueryContext(ctx, `SELECT cursor, kind, ref, at FROM feed WHERE tenant = $1 AND cursor > $2 ORDER BY cursor LIMIT $3`, tenant, cursor, feedPage)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e admission.FeedEvent
			var at int64
			if err := rows.Scan(&e.Cursor, &e.Kind, &e.Ref, &at); err != nil {
				return err
			}
			e.At, next = store.Time(at), e.Cursor
			events = append(events, e)
		}
		return rows.Err()
	})
	return events, next, err
}
