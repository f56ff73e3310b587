package approval

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// stateFormat is the version of state.json.
const stateFormat = 1

const maxState = 2*(MaxTrust+MaxSnapshot) + 1<<20

// state is what must survive a restart: the accepted trust file, the highest
// sequence, and the snapshot that carried it.
type state struct {
	Format   int            `json:"format"`
	Registry string         `json:"registry"`
	Tenant   string         `json:"tenant"`
	Sequence uint64         `json:"sequence"`
	Payload  string         `json:"payload,omitempty"` // of the snapshot with that sequence
	Trust    jsontext.Value `json:"trust"`             // envelope
	Snapshot jsontext.Value `json:"snapshot,omitempty"`
}

// stateFile guards against damage, not against forgery: who can write here
// owns the gateway.
type stateFile struct {
	SHA256 string         `json:"sha256"` // of state as written
	State  jsontext.Value `json:"state"`
}

// store is the Keeper's directory: state.json and the cached approvals.
type store struct{ dir string }

func (s store) statePath() string            { return filepath.Join(s.dir, "state.json") }
func (s store) approvalDir() string          { return filepath.Join(s.dir, "approvals") }
func (s store) approvalPath(d string) string { return filepath.Join(s.approvalDir(), d+".json") }

// load returns nil when the directory was never used. Anything else that is
// not a whole state is ErrState: starting over would forget the highest
// sequence, so only an operator may do that, by removing the directory.
func (s store) load() (*state, error) {
	if err := os.MkdirAll(s.approvalDir(), 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	f, err := os.Open(s.statePath())
	if errors.Is(err, os.ErrNotExist) {
		if cached, err := os.ReadDir(s.approvalDir()); err != nil || len(cached) > 0 {
			return nil, fmt.Errorf("%w: %s is missing but approvals are cached beside it; restore it, or remove the whole directory to start over", ErrState, s.statePath())
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil || len(b) > maxState {
		return nil, fmt.Errorf("%w: %s cannot be read whole", ErrState, s.statePath())
	}
	damaged := fmt.Errorf("%w: %s is damaged; restore it, or remove the whole directory to start over", ErrState, s.statePath())
	var file stateFile
	if decode(b, &file) != nil || hexDigest(file.State) != file.SHA256 {
		return nil, damaged
	}
	st := new(state)
	if decode(file.State, st) != nil || st.Format != stateFormat {
		return nil, damaged
	}
	return st, nil
}

func (s store) save(st *state) error {
	raw, err := encode(st)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	b, err := encode(stateFile{SHA256: hexDigest(raw), State: raw})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := atomicfile.Write(s.statePath(), b); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// cached returns a cached approval whose bytes still have its digest.
func (s store) cached(digest string) ([]byte, bool) {
	f, err := os.Open(s.approvalPath(digest))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxApproval+1))
	return b, err == nil && hexDigest(b) == digest
}

func (s store) cache(digest string, b []byte) error {
	if err := atomicfile.Write(s.approvalPath(digest), b); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// prune removes cached approvals that are no longer listed. A file that stays
// does no harm: only what a snapshot lists is admitted.
func (s store) prune(listed map[string]bool) {
	files, err := os.ReadDir(s.approvalDir())
	if err != nil {
		return
	}
	for _, f := range files {
		if d, ok := strings.CutSuffix(f.Name(), ".json"); ok && isHex256(d) && !listed[d] {
			_ = os.Remove(s.approvalPath(d))
		}
	}
}
