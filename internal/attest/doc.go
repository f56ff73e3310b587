// Package attest signs and verifies in-toto statements in Sigstore bundles.
//
// A statement (in-toto Statement v1) is wrapped in a DSSE envelope inside a
// Sigstore bundle (v0.3). It is signed with a local key, and verified either
// against known public keys or against a certificate identity policy whose
// trusted root was read from a file: nothing here ever opens a connection.
//
// One bundle is refused for one Reason, a stable word; TrustedRoot and Roots
// hold what an operator imported, several deployments side by side.
//
// The package knows nothing of servers, approvals or registries: what a
// statement means is its reader's business.
package attest

import "errors"

// Every failure of this package wraps exactly one of these.
var (
	// ErrTooLarge: the input exceeds a documented bound; nothing was parsed.
	ErrTooLarge = errors.New("attest: input too large")
	// ErrBundle: not a well-formed Sigstore bundle.
	ErrBundle = errors.New("attest: malformed bundle")
	// ErrContent: the bundle does not hold a DSSE envelope with an in-toto
	// payload (for example a message signature where a statement is needed).
	ErrContent = errors.New("attest: bundle holds no in-toto statement")
	// ErrStatement: the payload is not a well-formed in-toto statement.
	ErrStatement = errors.New("attest: malformed statement")
	// ErrUnverified: signature, certificate chain, log entry or timestamp does
	// not verify against the given keys or trusted root.
	ErrUnverified = errors.New("attest: signature not verified")
	// ErrIdentity: the certificate verifies but names nobody the policy allows.
	ErrIdentity = errors.New("attest: signer identity not allowed")
	// ErrSubject: the statement or signature is about another artifact.
	ErrSubject = errors.New("attest: artifact is not a subject of the bundle")
	// ErrNoPolicy: neither a key nor an identity was given to verify against.
	ErrNoPolicy = errors.New("attest: empty verification policy")
	// ErrTrustedRoot: the trusted root file is missing, malformed or too weak.
	ErrTrustedRoot = errors.New("attest: unusable trusted root")
	// ErrKey: a key file or public key is missing, malformed, readable by
	// others, or of an unsupported algorithm.
	ErrKey = errors.New("attest: unusable key")
)

// Bounds, in bytes, checked before anything is parsed. MaxBundle leaves room
// for a whole CycloneDX document of a large server in base64.
const (
	MaxBundle      = 32 << 20
	MaxStatement   = 24 << 20
	MaxTrustedRoot = 4 << 20
	MaxKeyFile     = 64 << 10
	maxDepth       = 128
	maxSubjects    = 1024
	maxDigests     = 32
	maxSANPattern  = 2048
)

// MediaType of a Sigstore bundle as it is written here.
const MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// PredicateBase is the prefix of every predicate type defined by Bartizan.
const PredicateBase = "https://github.com/bartizan-mcp/bartizan/attestation/"

// Predicate types (docs/spec/trust.md).
const (
	PredicateApproval = PredicateBase + "approval/v1"
	PredicateVote     = PredicateBase + "vote/v1"
	PredicateSnapshot = PredicateBase + "snapshot/v1"
	PredicateTrust    = PredicateBase + "trust/v1"
	PredicatePublish  = PredicateBase + "publish/v1"
	PredicateSBOM     = PredicateBase + "sbom/v1"
	PredicateScanner  = PredicateBase + "scanner/v1"
)
