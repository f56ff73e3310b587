package signer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// ledger is what a signer remembers on disk: the trust document it accepted, the
// approvals it signed, and the highest snapshot sequence of each tenant. Each is
// on disk before the signature leaves the process.
type ledger struct {
	dir       string
	trust     jsontext.Value
	approvals map[string]signed // by digest of the bundle
	sequences map[string]uint64 // by tenant
}

type signed struct {
	Tenant  string    `json:"tenant"`
	Server  string    `json:"server"`
	Version string    `json:"version"`
	Expires time.Time `json:"expires"`
}

const (
	trustName     = "accepted-trust.json"
	approvalsName = "approvals.json"
	sequencesName = "sequences.json"
	maxLedger     = 256 << 20
)

// openLedger reads all of it. Files that were never written are empty; one that
// is missing beside others was removed, and that is damage.
func openLedger(dir string) (*ledger, error) {
	l := &ledger{dir: dir, approvals: map[string]signed{}, sequences: map[string]uint64{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	found := 0
	for name, into := range map[string]any{trustName: &l.trust, approvalsName: &l.approvals, sequencesName: &l.sequences} {
		switch err := readJSON(filepath.Join(dir, name), into); {
		case err == nil:
			found++
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: %s: %w", ErrState, name, err)
		}
	}
	if found != 0 && found != 3 {
		return nil, fmt.Errorf("%w: %s is not whole; restore it from a backup", ErrState, dir)
	}
	return l, nil
}

// accept remembers a trust document; the first one begins the ledger.
func (l *ledger) accept(file []byte) error {
	if l.trust == nil {
		if err := errors.Join(l.write(approvalsName, l.approvals), l.write(sequencesName, l.sequences)); err != nil {
			return err
		}
	}
	if err := atomicfile.Write(filepath.Join(l.dir, trustName), file); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrState, trustName, err)
	}
	l.trust = file
	return nil
}

// admit remembers an approval, and forgets those that ended.
func (l *ledger) admit(a *approval.Approval, now time.Time) error {
	next := maps.Clone(l.approvals)
	maps.DeleteFunc(next, func(_ string, s signed) bool { return !now.Before(s.Expires) })
	next[a.Digest] = signed{Tenant: a.Tenant, Server: a.Server, Version: a.Version, Expires: a.Expires}
	if err := l.write(approvalsName, next); err != nil {
		return err
	}
	l.approvals = next
	return nil
}

// advance remembers a sequence.
func (l *ledger) advance(tenant string, sequence uint64) error {
	next := maps.Clone(l.sequences)
	next[tenant] = sequence
	if err := l.write(sequencesName, next); err != nil {
		return err
	}
	l.sequences = next
	return nil
}

func (l *ledger) write(name string, v any) error {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err == nil {
		err = atomicfile.Write(filepath.Join(l.dir, name), b)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrState, name, err)
	}
	return nil
}

func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxLedger+1))
	switch {
	case err != nil:
		return err
	case len(b) > maxLedger:
		return fmt.Errorf("more than %d bytes", maxLedger)
	}
	return json.Unmarshal(b, into, json.RejectUnknownMembers(true))
}
