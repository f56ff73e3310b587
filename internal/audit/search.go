package audit

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Query selects events; zero members select all.
type Query struct {
	Since, Until time.Time // [Since, Until)
	Text         string    // anywhere in the record, without regard to case
	Server       string
	Entry        string
	Principal    string
	Tenant       string
	Reason       string
	ID           string // audit id or correlation id
	Class        int
	Code         string // event_code
	Limit        int    // of Search; 0 = 100, at most 10 000
}

// Record is one event and its line in the log.
type Record struct {
	Event Event
	Raw   jsontext.Value
}

// Search returns the newest matching events, oldest first.
func Search(ctx context.Context, path string, q Query) ([]Record, error) { return nil, nil }

// Scan yields every matching event, oldest first.
func Scan(ctx context.Context, path string, q Query) iter.Seq2[Record, error] { return nil }
