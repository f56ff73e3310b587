package audit

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Query selects events; a zero member selects all.
type Query struct {
	Since, Until time.Time // [Since, Until)
	Text         string    // anywhere in the record as written, without regard to ASCII case
	Server       string    // reverse-DNS name
	Entry        string    // name of a tool, prompt, template or resource
	Principal    string
	Tenant       string
	Reason       string // status_code or one of the reasons
	ID           string // audit id or correlation id
	Class        int    // class_uid
	Code         string // event_code
	Limit        int    // of Search: the newest so many; 0 = 100, at most 10 000

	// Damaged, if set, is told of lines that are no events: the log was edited
	// or the disk lies. They are skipped.
	Damaged func(segment string, offset int64)
}

// Record is one event, and the line that it was read from.
type Record struct {
	Event Event
	Raw   jsontext.Value
}

const (
	defaultLimit = 100
	maxLimit     = 10_000
	// maxResultBytes bounds the memory of a search, whatever its limit.
	maxResultBytes = 32 << 20
)

// Search returns the newest matching events of the log at path, oldest first.
// It reads from the newest segment back until it has enough, and works beside
// a process that writes the log. A log that does not exist is empty.
func Search(ctx context.Context, path string, q Query) ([]Record, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	segments, err := segmentsAt(path)
	if err != nil {
		return nil, err
	}
	var found []Record
	budget := maxResultBytes
	for _, segment := range slices.Backward(segments) {
		newest := window{count: limit - len(found), bytes: budget}
		for rec, err := range scanSegment(ctx, segment, &q) {
			if err != nil {
				return nil, err
			}
			newest.add(rec)
		}
		found = append(newest.records, found...)
		budget -= newest.size
		if len(found) >= limit || newest.full {
			break
		}
	}
	return found, nil
}

// window keeps the last records that fit.
type window struct {
	count, bytes int
	size         int
	full         bool // something did not fit
	records      []Record
}

func (w *window) add(rec Record) {
	w.records = append(w.records, rec)
	w.size += len(rec.Raw)
	for len(w.records) > w.count || (w.size > w.bytes && len(w.records) > 0) {
		w.size -= len(w.records[0].Raw)
		w.records[0] = Record{} // lets go of the memory
		w.records = w.records[1:]
		w.full = true
	}
}

// Scan yields every matching event of the log at path, oldest first, holding
// one at a time. It ends after the first error.
func Scan(ctx context.Context, path string, q Query) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		segments, err := segmentsAt(path)
		if err != nil {
			yield(Record{}, err)
			return
		}
		for _, segment := range segments {
			for rec, err := range scanSegment(ctx, segment, &q) {
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}

// segmentsAt is segmentsOf for a log that may be a single file or absent.
func segmentsAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return segmentsOf(path)
	case !info.Mode().IsRegular():
		return nil, ErrDevice
	default:
		return []string{path}, nil
	}
}

func scanSegment(ctx context.Context, path string, q *Query) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return // retention removed it meanwhile
		}
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer f.Close()
		match := q.matcher()
		for at, line := range lines(f) {
			if ctx.Err() != nil {
				yield(Record{}, ctx.Err())
				return
			}
			rec, ok, err := match(line)
			if err != nil && q.Damaged != nil {
				q.Damaged(path, at)
			}
			if ok && !yield(rec, nil) {
				return
			}
		}
	}
}

// matcher returns a function that reads a line and says whether the query
// selects it. Text is looked for before the line is decoded: most lines of a
// large log are not what is looked for.
func (q *Query) matcher() func(line []byte) (Record, bool, error) {
	text := []byte(strings.ToLower(q.Text))
	return func(line []byte) (Record, bool, error) {
		if len(text) > 0 && line != nil && !bytes.Contains(bytes.ToLower(line), text) {
			return Record{}, false, nil
		}
		e, err := decode(line)
		if err != nil || !q.selects(e) {
			return Record{}, false, err
		}
		return Record{Event: *e, Raw: bytes.Clone(line)}, true, nil
	}
}

func (q *Query) selects(e *Event) bool {
	u := e.Unmapped
	if u == nil {
		u = &Unmapped{}
	}
	return (q.Since.IsZero() || e.Time >= q.Since.UnixMilli()) &&
		(q.Until.IsZero() || e.Time < q.Until.UnixMilli()) &&
		(q.Class == 0 || e.ClassUID == q.Class) &&
		(q.Code == "" || e.Metadata.EventCode == q.Code) &&
		(q.Tenant == "" || e.Metadata.TenantUID == q.Tenant) &&
		(q.ID == "" || e.Metadata.UID == q.ID || e.Metadata.CorrelationUID == q.ID) &&
		(q.Reason == "" || e.StatusCode == q.Reason || slices.Contains(u.Reasons, q.Reason)) &&
		(q.Server == "" || e.about(true, q.Server)) &&
		(q.Entry == "" || e.about(false, q.Entry)) &&
		(q.Principal == "" || e.by(q.Principal))
}

const serverType = "mcp_server"

// about reports whether the event names this server or, if not isServer, this
// entry. Long names are stored clipped.
func (e *Event) about(isServer bool, name string) bool {
	name = clip(name)
	if isServer && e.Entity != nil && e.Entity.Type == serverType && e.Entity.Name == name {
		return true
	}
	return slices.ContainsFunc(e.Resources, func(r Resource) bool {
		return (r.Type == serverType) == isServer && r.Name == name
	})
}

// by reports whether the principal acted, was refused, or got a key.
func (e *Event) by(principal string) bool {
	acted := func(a *Actor) bool { return a != nil && a.User != nil && a.User.Name == principal }
	return acted(e.Actor) ||
		slices.ContainsFunc(e.Evidences, func(v Evidence) bool { return acted(v.Actor) }) ||
		e.User != nil && e.User.Name == principal ||
		e.Entity != nil && e.Entity.Type == "api_key" && e.Entity.Name == principal
}
