package release

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// ErrLedger is a memory of releases that is damaged or cannot be written. It is
// never reset silently: that would let older releases in.
var ErrLedger = errors.New("release: memory of scanners unusable")

// Ledger remembers on disk the newest release of each scanner that was in
// force, so that no restart lets an older one in. It is safe for concurrent
// use within one process, whose file it is alone.
type Ledger struct {
	path string
	mu   sync.Mutex
	seen map[string]Module
}

const (
	ledgerVersion = 1
	maxLedger     = 4 << 20
)

type ledgerFile struct {
	Version  int                  `json:"version"`
	Scanners map[string]ledgerRow `json:"scanners"`
}

type ledgerRow struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// OpenLedger reads the memory at path. A file that is not there remembers
// nothing.
func OpenLedger(path string) (*Ledger, error) {
	l := &Ledger{path: path, seen: map[string]Module{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLedger, err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxLedger+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLedger, err)
	}
	if l.seen, err = parseLedger(body); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLedger, path, err)
	}
	return l, nil
}

func parseLedger(body []byte) (map[string]Module, error) {
	var file ledgerFile
	if len(body) > maxLedger {
		return nil, fmt.Errorf("more than %d bytes", maxLedger)
	}
	if err := json.Unmarshal(body, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if file.Version != ledgerVersion || file.Scanners == nil {
		return nil, fmt.Errorf("version %d, want %d", file.Version, ledgerVersion)
	}
	seen := make(map[string]Module, len(file.Scanners))
	for name, row := range file.Scanners {
		if name == "" || !ValidVersion(row.Version) || !ValidDigest(row.Digest) {
			return nil, fmt.Errorf("the entry of %q is damaged", name)
		}
		seen[name] = Module{Name: name, Version: row.Version, Digest: row.Digest}
	}
	return seen, nil
}

// Before returns the newest release of a scanner that was in force, nil if none
// was.
func (l *Ledger) Before(scanner string) *Module {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m, ok := l.seen[scanner]; ok {
		return &m
	}
	return nil
}

// Record remembers modules that come into force, durably, before it returns.
// What is older than what is remembered changes nothing. On an error nothing
// is remembered of any.
func (l *Ledger) Record(modules []Module) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := maps.Clone(l.seen)
	for _, m := range modules {
		if before, ok := next[m.Name]; !ok || older(before.Version, m.Version) {
			next[m.Name] = m
		}
	}
	if maps.Equal(next, l.seen) {
		return nil
	}
	file := ledgerFile{Version: ledgerVersion, Scanners: make(map[string]ledgerRow, len(next))}
	for name, m := range next {
		file.Scanners[name] = ledgerRow{Version: m.Version, Digest: m.Digest}
	}
	body, err := json.Marshal(file, json.Deterministic(true), jsontext.WithIndent("  "))
	if err == nil {
		err = atomicfile.Write(l.path, append(body, '\n'))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLedger, err)
	}
	l.seen = next
	return nil
}
