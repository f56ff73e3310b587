// Package admission holds the records of door 1 as they are stored, answered
// and shown: a server version, its reasons and findings, the checklist, votes,
// waivers, drift reports and the differences between two listings.
//
// It is a leaf that the registry, its HTTP edge and its client share. It must
// not know storage, HTTP or how any of these records comes about.
package admission

import (
	"time"

	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

// State is where a version stands. The only ways between states are
// received → quarantined | in_review, in_review → approved | rejected,
// anything decided → quarantined, and quarantined → in_review | approved.
type State string

const (
	Received    State = "received"    // stored, its pipeline has not finished
	InReview    State = "in_review"   // every automatic answer is there; people decide
	Quarantined State = "quarantined" // held, with reasons
	Approved    State = "approved"    // a signed approval exists
	Rejected    State = "rejected"    // decided against; final
)

// Status is what a publisher says of an approved version's life. It is the
// publisher's word beside State, which is the registry's decision.
type Status string

const (
	Active     Status = "active"
	Deprecated Status = "deprecated" // listed and served, and not recommended
	Deleted    Status = "deleted"    // neither listed nor served
)

// Lifecycle is a Status with why and since when. The zero value is a version
// that is active and always was.
type Lifecycle struct {
	Status  Status    `json:"status"`
	Message string    `json:"message,omitzero"`
	Changed time.Time `json:"changed"`
}

// Is reports the status.
func (l Lifecycle) Is(s Status) bool { return l.Status == s || l.Status == "" && s == Active }

// Codes of a Reason. The list is closed.
const (
	ReasonUnsigned              = "unsigned"                // no bundle came with the publication
	ReasonSignatureInvalid      = "signature_invalid"       // a bundle does not verify against the namespace's signers
	ReasonDigestMismatch        = "digest_mismatch"         // a verified bundle, or server.json, speaks of other bytes
	ReasonMaliciousListing      = "malicious_listing"       // the listing's verdict is block
	ReasonScanIncomplete        = "scan_incomplete"         // a scanner failed or left text unexamined
	ReasonPublisherSBOMMismatch = "publisher_sbom_mismatch" // the publisher's SBOM lacks what ours found
	ReasonHardCodedSecret       = "hard_coded_secret"       // a credential stands in what was published
	ReasonMaliciousPackage      = "malicious_package"       // a component is known malware
	ReasonVulnerable            = "vulnerable_component"    // found again after the approval: known vulnerabilities that nobody accepted
	ReasonLicence               = "licence_denied"          // found again after the approval: the licence policy denies a component
	ReasonCanaryLeft            = "canary_left"             // started in isolation, it sent a planted secret off or showed it
	ReasonLookalikeNamespace    = "lookalike_namespace"     // a new namespace that can be taken for an approved server's
	ReasonOperator              = "operator"                // an operator said so; the detail is theirs
)

// CauseFileSHA256 is the cause of a ReasonDigestMismatch that no bundle has to do
// with: server.json states the SHA-256 of a package's file, and it is another.
const CauseFileSHA256 = "file_sha256"

// Reason says why a version is quarantined.
type Reason struct {
	Code   string `json:"code"`
	Cause  string `json:"cause,omitzero"` // of a signature's: one of attest.Reasons, or CauseFileSHA256
	Detail string `json:"detail"`
}

// Launch is how a server is started or reached.
type Launch struct {
	Command  []string `json:"command,omitzero"`
	Dir      string   `json:"dir,omitzero"`
	EnvNames []string `json:"envNames,omitzero"` // names only: values never reach the registry
	URL      string   `json:"url,omitzero"`
	// Transport of URL: empty for streamable HTTP, or "sse".
	Transport string `json:"transport,omitzero"`
	// Pin is who must answer at URL: "sha256:HEX" of a public key of its chain,
	// or a SPIFFE id.
	Pin string `json:"pin,omitzero"`
	// With binding artifact, where "{tree}" stands for the folder of the tree:
	// SHA-256 (hex) of the executables that Command[0] may be if it is not in the
	// tree, and the values of variables that are no secrets.
	Runtimes []string          `json:"runtimes,omitzero"`
	Env      map[string]string `json:"env,omitzero"`
}

// TLS is what a connection to an endpoint showed.
type TLS struct {
	Version string        `json:"version"`
	Cipher  string        `json:"cipher"`
	Chain   []Certificate `json:"chain"` // from the endpoint's own to the root
}

// Certificate is one of a chain.
type Certificate struct {
	Subject  string    `json:"subject"` // RFC 2253
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"notAfter"`
	SPKI     string    `json:"spki"` // hex SHA-256 of its public key: what a pin names
}

// Signer is one verified signature over a version.
type Signer struct {
	Bundle        string `json:"bundle"` // digest of the bundle's bytes
	KeyID         string `json:"keyId,omitzero"`
	Issuer        string `json:"issuer,omitzero"`
	Subject       string `json:"subject,omitzero"` // the certificate's subject alternative name
	PredicateType string `json:"predicateType"`
	// SignedAt is when a log or timestamp authority saw the signature.
	SignedAt time.Time `json:"signedAt,omitzero"`
	// Provenance is what the signer states about the build, Certified what the
	// certificate authority says about the job that signed.
	Provenance *provenance.Facts `json:"provenance,omitzero"`
	Certified  *provenance.Facts `json:"certified,omitzero"`
}

// Finding is one finding of a listing scan (CONTRACTS: Finding).
type Finding struct {
	Era        string   `json:"era"`
	Scanner    string   `json:"scanner,omitzero"`
	Rule       string   `json:"rule"`
	Family     string   `json:"family"`
	Severity   string   `json:"severity"`
	Confidence float64  `json:"confidence"`
	Action     string   `json:"action"`
	Pointer    string   `json:"pointer"`
	Message    string   `json:"message"`
	Taxonomy   []string `json:"taxonomy"`
	Leaf       string   `json:"leaf,omitzero"` // digest of the leaf at Pointer: what a waiver names
}

// Failure is a scanner that could not answer.
type Failure struct {
	Era     string `json:"era"`
	Scanner string `json:"scanner"`
	Kind    string `json:"kind"`
	Detail  string `json:"detail"`
}

// Version is one published server version. Digests name stored blobs
// ("sha256:" and lower-case hex) and are empty where there is none.
type Version struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	State     State     `json:"state"`
	Reasons   []Reason  `json:"reasons"`
	Lifecycle Lifecycle `json:"lifecycle,omitzero"`
	Drifted   bool      `json:"drifted"`
	Stale     []Reason  `json:"stale,omitzero"` // what a later look found that nobody has accepted; an approval stays in force
	Review    string    `json:"review"`         // id of its review
	Subject   string    `json:"subject"`        // what the reviewers vote about; empty before in_review
	Publisher string    `json:"publisher"`
	Alias     string    `json:"alias"`
	Tier      string    `json:"tier"`
	Binding   string    `json:"binding"`
	Launch    Launch    `json:"launch"`
	Scopes    []string  `json:"scopes"`
	// Permissions are what the publisher declares that the server needs; they
	// are among the scopes too.
	Permissions *permission.Declaration `json:"permissions,omitzero"`
	// TLS is what the registry saw when it captured the listing of an endpoint.
	TLS      *TLS      `json:"tls,omitzero"`
	Signers  []Signer  `json:"signers"`
	Findings []Finding `json:"findings"`
	Failures []Failure `json:"failures"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`

	Vulnerabilities *Assessment `json:"vulnerabilities,omitzero"` // the last one

	ServerJSON string `json:"serverJson"`
	Artifact   string `json:"artifact,omitzero"`
	Tree       string `json:"tree,omitzero"`    // digest of the folder that the artifact becomes (docs/spec/tree.md); no blob
	Listing    string `json:"listing,omitzero"` // the capture, every era
	Source     string `json:"listingSource,omitzero"`
	SBOM       string `json:"sbom,omitzero"`
	SBOMBundle string `json:"sbomBundle,omitzero"` // the registry's countersignature
	// Definitions are the canonical entries that the SBOM's fingerprints are of.
	Definitions string   `json:"definitions,omitzero"`
	Verdict     string   `json:"verdict,omitzero"` // evidence of the listing scan
	Probe       string   `json:"probe,omitzero"`   // report of the runs in isolation
	Bundles     []string `json:"bundles"`
	Approval    string   `json:"approval,omitzero"`
}

// Entry is one fingerprinted entry of a version.
type Entry struct {
	Era         string `json:"era"`
	Kind        string `json:"kind"`
	Key         string `json:"key"`
	Whole       string `json:"whole"`
	Behavioural string `json:"behavioural"`
}

// Change is one leaf that differs. Old and New are canonical JSON with every
// character that a terminal or an eye could be deceived by written as a
// visible escape; "" means absent.
type Change struct {
	Era     string `json:"era"`
	Kind    string `json:"kind"`
	Key     string `json:"key"`
	Pointer string `json:"pointer"` // inside the entry; "" is the entry itself
	Old     string `json:"old"`
	New     string `json:"new"`
}

// Drift is one entry that a gateway observed and the approval does not hold.
type Drift struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Era      string    `json:"era"`
	Kind     string    `json:"kind"`
	Key      string    `json:"key"`
	Evidence string    `json:"evidence"` // digest of the observed raw entry
	Reporter string    `json:"reporter"`
	At       time.Time `json:"at"`
	Changes  []Change  `json:"changes"`
}
