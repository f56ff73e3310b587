package approval

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// Entry is one approved tool, prompt, template, resource, instructions or
// capabilities object of one protocol era.
type Entry struct {
	Era         string             `json:"era"`  // protocol.Era
	Kind        string             `json:"kind"` // fingerprint.Kind
	Key         string             `json:"key"`
	Whole       fingerprint.Digest `json:"whole"`
	Behavioural fingerprint.Digest `json:"behavioural"`
}

// ScannerVerdict records what one scanner said about the listing at review.
type ScannerVerdict struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // lower-case hex SHA-256 of the module
	Action string `json:"action"`
}

// Waiver suppresses one finding exactly, until it expires.
type Waiver struct {
	Rule    string    `json:"rule"`
	Pointer string    `json:"pointer"`
	Leaf    string    `json:"leaf"` // leaf digest
	Expires time.Time `json:"expires"`
}

// SessionVote is a vote cast over the API without a key. The registry vouches
// for it; it counts only where the tier allows.
type SessionVote struct {
	Principal string    `json:"principal"`
	Subject   string    `json:"subject"` // SubjectDigest at the time of the vote
	At        time.Time `json:"at"`
}

// Predicate is the approval of one server version. Server is the registry name
// (reverse DNS with one slash), Version a semantic version without "v".
type Predicate struct {
	Registry         string                        `json:"registry"`
	Tenant           string                        `json:"tenant"`
	Server           string                        `json:"server"`
	Version          string                        `json:"version"`
	Alias            string                        `json:"alias"`
	Tier             string                        `json:"tier"`
	Publisher        string                        `json:"publisher,omitempty"` // principal; its own vote never counts
	Binding          Binding                       `json:"binding"`
	Launch           Launch                        `json:"launch"`
	Entries          []Entry                       `json:"entries"`
	Roots            map[string]fingerprint.Digest `json:"roots"` // listing root by era
	VolatileMeta     []string                      `json:"volatileMeta,omitempty"`
	Annotations      map[string]jsontext.Value     `json:"annotations,omitempty"` // by tool
	Scopes           []string                      `json:"scopes,omitempty"`
	Scanners         []ScannerVerdict              `json:"scanners,omitempty"`
	ScannerBindings  []ScannerBinding              `json:"scannerBindings,omitempty"`
	Waivers          []Waiver                      `json:"waivers,omitempty"`
	ExtensionMethods []string                      `json:"extensionMethods,omitempty"`
	Checklist        string                        `json:"checklist,omitempty"` // digest of the answered checklist
	Subject          string                        `json:"subject"`             // SubjectDigest
	Votes            []jsontext.Value              `json:"votes,omitempty"`     // Sigstore bundles
	SessionVotes     []SessionVote                 `json:"sessionVotes,omitempty"`
	NotBefore        time.Time                     `json:"notBefore"`
	Expires          time.Time                     `json:"expires"`
	Supersedes       string                        `json:"supersedes,omitempty"` // digest of an approval bundle
}

// Subjects are the digests that an approval is about beside the listing, whose
// roots the predicate holds. Lower-case hex SHA-256.
type Subjects struct {
	Artifact string // of the artifact; of server.json for a remote-only server
	SBOM     string // "" when there is none
	Tree     string // of the tree (tree.Algorithm) that the artifact becomes; for BindingArtifact alone
}

// Approval is a verified approval.
type Approval struct {
	Predicate
	Digest string   // hex SHA-256 of the bundle's bytes: its name in snapshots
	KeyID  string   // approval key that signed
	Voters []string // whose votes counted
	Proven Subjects

	entries map[entryKey]Entry
}

type entryKey struct{ era, kind, key string }

// Lookup finds an approved entry.
func (a *Approval) Lookup(era, kind, key string) (Entry, bool) {
	e, ok := a.entries[entryKey{era, kind, key}]
	return e, ok
}
