package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
	"github.com/bartizan-mcp/bartizan/sbom/vex"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// shelf holds the vulnerability database and the operator's statements in
// force. The database is an index of its own making beside registry.db; a file
// says which one is in force and what the export looked like that it is from,
// so that an unchanged export is not read again.
type shelf struct {
	dir        string
	source     string
	statements string
	now        func() time.Time
	logger     *slog.Logger

	importing sync.Mutex // one at a time
	refused   string     // stamp of an export that was refused; it is not tried again
	seen      string     // stamp of the last look: an export is read once it stays

	mu       sync.RWMutex // held for reading while the database is asked
	current  *assess.Database
	stamp    string
	vouched  []assess.Statements
	vouching string // digest of what vouched holds
}

// shelved is the file.
type shelved struct {
	Digest   string    `json:"digest"`
	Imported time.Time `json:"imported"`
	Source   string    `json:"source"` // stamp of the export
}

const (
	shelvedFile   = "current.json"
	maxStatements = 64 << 20 // bytes of all VEX documents together
)

// open takes up the database that was in force before. One that is damaged is
// none, until the export is read again.
func (h *shelf) open(ctx context.Context) error {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return err
	}
	h.readStatements(ctx)
	if h.source == "" {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(h.dir, shelvedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var was shelved
	if err := json.Unmarshal(raw, &was, json.RejectUnknownMembers(true)); err != nil {
		h.logger.WarnContext(ctx, "vulnerability database is read anew", "error", err)
		return nil
	}
	db, err := vulnerability.Open(filepath.Join(h.dir, hexDigest(was.Digest)+".osv"))
	if err != nil {
		h.logger.WarnContext(ctx, "vulnerability database is read anew", "error", err)
		return nil
	}
	h.current, h.stamp = &assess.Database{Database: db, Imported: was.Imported}, was.Source
	return nil
}

func (h *shelf) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		return nil
	}
	db := h.current
	h.current = nil
	return db.Close()
}

// assess asks the database in force.
func (h *shelf) assess(bill assess.Bill, publishers []assess.Statements, policy assess.Policy, now time.Time) (*assess.Report, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return assess.Assess(bill, h.current, slices.Concat(h.vouched, publishers), policy, now)
}

// refresh reads the statements, and the export if it changed since the
// last time and stays as it is; at once says that it does. It returns what is
// new, or nil.
func (h *shelf) refresh(ctx context.Context, atOnce bool) (*vulnerability.Info, error) {
	h.importing.Lock()
	defer h.importing.Unlock()
	h.readStatements(ctx)
	if h.source == "" {
		return nil, nil
	}
	stamp, err := stampOf(h.source)
	if err != nil {
		return nil, fmt.Errorf("registry: vulnerability database: %w", err)
	}
	stays := stamp == h.seen || atOnce
	h.seen = stamp
	if stamp == h.inForce() || stamp == h.refused && !atOnce || !stays {
		return nil, nil
	}
	db, err := vulnerability.Import(ctx, h.source, h.dir)
	if err != nil {
		if unmeasurable(err) {
			h.refused = stamp
		}
		return nil, fmt.Errorf("registry: vulnerability database: %w", err)
	}
	return h.install(db, stamp)
}

func (h *shelf) inForce() string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.stamp
}

// install puts a database in force; the file first, so that a start after a
// kill finds the index that it names.
func (h *shelf) install(db *vulnerability.Database, stamp string) (*vulnerability.Info, error) {
	info := db.Info()
	was := shelved{Digest: info.Digest, Imported: h.now().UTC().Truncate(time.Second), Source: stamp}
	raw, err := json.Marshal(was, json.Deterministic(true))
	if err == nil {
		err = atomicfile.Write(filepath.Join(h.dir, shelvedFile), raw)
	}
	if err != nil {
		return nil, errors.Join(classifyFile(err), db.Close())
	}
	h.mu.Lock()
	old := h.current
	h.current, h.stamp = &assess.Database{Database: db, Imported: was.Imported}, stamp
	h.mu.Unlock()
	if old == nil {
		return &info, nil
	}
	if err := old.Close(); err != nil {
		return nil, err
	}
	if before := old.Info().Digest; before != info.Digest {
		_ = os.Remove(filepath.Join(h.dir, hexDigest(before)+".osv")) // an index can be made again
	}
	return &info, nil
}

// stampOf tells two states of an export apart by names, sizes and times.
func stampOf(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			_, err = fmt.Fprintf(sum, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// readStatements reads the operator's VEX documents. If one of them cannot be
// read none counts: it could be the one that takes another back.
func (h *shelf) readStatements(ctx context.Context) {
	if h.statements == "" {
		return
	}
	all, digest, err := readStatements(h.statements)
	if err != nil {
		h.logger.ErrorContext(ctx, "VEX documents cannot be read; no statement of the operator counts", "error", err)
		all, digest = nil, "unreadable"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.vouched, h.vouching = all, digest
}

func readStatements(dir string) ([]assess.Statements, string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, "", err
	}
	var all []assess.Statements
	var digests []string
	total := int64(0)
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, "", err
		}
		if total += info.Size(); total > maxStatements {
			return nil, "", fmt.Errorf("%w: more than %d bytes together", vex.ErrTooLarge, maxStatements)
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, "", err
		}
		d, err := vex.Parse(b)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", e.Name(), err)
		}
		all = append(all, assess.Statements{Document: d, Digest: digestOf(b), Signer: "operator"})
		digests = append(digests, digestOf(b))
	}
	return all, digestOf([]byte(strings.Join(digests, "\n"))), nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Refresh looks for a new vulnerability database and new statements, and
// queues what is to be judged again for them. With atOnce an export is read
// although it may still be written.
func (s *Service) Refresh(ctx context.Context, atOnce bool) error {
	info, err := s.shelf.refresh(ctx, atOnce)
	if err != nil {
		return err
	}
	if info != nil {
		s.Logger.InfoContext(ctx, "vulnerability database in force", "digest", info.Digest, "newest", info.Newest(), "advisories", info.Advisories)
		if err := s.record(ctx, audit.DatabaseChanged(info.Digest, info.Newest())); err != nil {
			return err
		}
	}
	return s.queueAll(ctx)
}
