// Package registryapi is the wire shape of /api/v1: request and response
// bodies beside the records of internal/admission, problem documents, part
// names. The HTTP edge of the registry and its client share it.
//
// It must not know routing, storage or how anything is decided.
package registryapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// ExtensionPath is where the extension data of the official API lives.
const ExtensionPath = "/v0.1/x/io.github.bartizan-mcp"

// Parts of a publication (multipart/form-data), in the order in which they are
// sent: server and options come before anything large.
const (
	PartServer   = "server"   // server.json, required
	PartOptions  = "options"  // PublishOptions as JSON
	PartListing  = "listing"  // a capture
	PartBundle   = "bundle"   // a Sigstore bundle, repeatable
	PartArtifact = "artifact" // the bytes that the signatures speak of
)

// MediaProblem is the media type of a Problem (RFC 9457).
const MediaProblem = "application/problem+json"

// Problem is an RFC 9457 problem document. Reason is from a closed list
// (docs/publish.md) and what clients branch on.
type Problem struct {
	Type     string        `json:"type"` // about:blank
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Reason   string        `json:"reason"`
	Detail   string        `json:"detail"`
	Problems []FieldDetail `json:"problems,omitzero"` // of a server.json
	Blocking []string      `json:"blocking,omitzero"` // checklist items and "votes" that block an approval
	Message  string        `json:"error,omitzero"`    // Detail once more, where the official API documents it
}

// FieldDetail is one thing wrong with a document.
type FieldDetail struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// PublishOptions is the part PartOptions.
type PublishOptions struct {
	Launch        admission.Launch `json:"launch,omitzero"`
	Alias         string           `json:"alias,omitzero"`
	Tier          string           `json:"tier,omitzero"`
	Scopes        *[]string        `json:"scopes,omitzero"` // absent: not declared; empty: needs none
	ListingSource string           `json:"listingSource,omitzero"`
	Permissions   jsontext.Value   `json:"permissions,omitzero"` // docs/permissions.md; not if server.json declares them
}

// Because is the body of quarantine, release and reject.
type Because struct {
	Reason string `json:"reason"`
}

// Answer is the body that answers a checklist item.
type Answer struct {
	Result  admission.Result `json:"result"` // pass | fail | n/a | waived
	Note    string           `json:"note"`
	Expires time.Time        `json:"expires,omitzero"` // of a waiver, at most 90 days ahead
}

// Ballot is the body of a vote: Bundle for a signed one, else Value.
type Ballot struct {
	Value  string         `json:"value,omitzero"` // approve | reject
	Bundle jsontext.Value `json:"bundle,omitzero"`
}

// NewWaiver is the body that accepts one finding.
type NewWaiver struct {
	Rule    string    `json:"rule"`
	Pointer string    `json:"pointer"`
	Leaf    string    `json:"leaf"`
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
}

// NewKey is the body that asks for an API key.
type NewKey struct {
	Principal  string            `json:"principal"`
	Kind       string            `json:"kind,omitzero"` // user | agent | service
	Roles      []string          `json:"roles"`
	Namespaces []string          `json:"namespaces,omitzero"`
	Attributes map[string]string `json:"attributes,omitzero"` // what policies may ask for
	Days       int               `json:"days,omitzero"`       // lifetime; 0: the default of 90
}

// IssuedKey carries the token, once.
type IssuedKey struct {
	Token string           `json:"token"`
	Key   admission.APIKey `json:"key"`
}

// NewSigner is the body that adds a signer to a namespace: a public key, or an
// issuer with a pattern.
type NewSigner struct {
	PublicKey      string `json:"publicKey,omitzero"` // PEM
	Issuer         string `json:"issuer,omitzero"`
	SubjectPattern string `json:"subjectPattern,omitzero"`
	// Demanded of what the identity signs, if given.
	SourceRepository string `json:"sourceRepository,omitzero"`
	Builder          string `json:"builder,omitzero"`
}

// NewDrift is what a gateway observed.
type NewDrift struct {
	Server   string         `json:"server"`
	Version  string         `json:"version"`
	Era      string         `json:"era"`
	Kind     string         `json:"kind"`
	Key      string         `json:"key"`
	Observed jsontext.Value `json:"observed,omitzero"` // the raw entry; absent: it is gone
}

// Attachment is the body that adds bundles to an unsigned version.
type Attachment struct {
	Bundles []jsontext.Value `json:"bundles"`
}

// Identity says who the caller is and which registry this is: what somebody
// needs to know to sign a vote.
type Identity struct {
	Registry   string   `json:"registry"`
	Tenant     string   `json:"tenant"`
	Principal  string   `json:"principal"`
	Kind       string   `json:"kind"`
	Roles      []string `json:"roles"`
	Namespaces []string `json:"namespaces"`
}

// Scanner is how a scanner is bound and what became of the messages of this
// process that were its to examine, of all tenants together.
type Scanner struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Digest    string   `json:"digest"`
	Phases    []string `json:"phases"`
	Form      string   `json:"form"`
	Encoding  string   `json:"encoding"`
	Call      string   `json:"call"`
	Mode      string   `json:"mode"`              // enforce | monitor
	OnFailure string   `json:"onFailure"`         // deny | flag
	Signer    string   `json:"signer,omitzero"`   // who vouches for the module: built in, a key, or a certificate's subject
	Bindings  []Bound  `json:"bindings,omitzero"` // where it is run otherwise
	Health    *Health  `json:"health,omitzero"`
}

// Bound is how a scanner is run for one server, or one entry of it.
type Bound struct {
	Server    string `json:"server"`
	Entry     string `json:"entry,omitzero"`
	Mode      string `json:"mode"`
	OnFailure string `json:"onFailure"`
}

// Health counts since the process began.
type Health struct {
	Called       int64            `json:"called"`
	NotTriggered int64            `json:"notTriggered"`
	Skipped      int64            `json:"skipped"` // refused in its place by its breaker
	Findings     int64            `json:"findings"`
	Fuel         int64            `json:"fuel"`
	Failures     map[string]int64 `json:"failures"` // by kind, where there were any
	LastFailure  time.Time        `json:"lastFailure,omitzero"`
	Breaker      Breaker          `json:"breaker"`
}

// Breaker counts principals, and names none.
type Breaker struct {
	Open     int   `json:"open"` // for whom the scanner is not called at present
	Openings int64 `json:"openings"`
}

// Judgements are the times that a version was judged.
type Judgements struct {
	Judgements []admission.Judgement `json:"judgements"`
}

// Diff is what changed in a server's listing.
type Diff struct {
	Name    string             `json:"name"`
	From    string             `json:"from,omitzero"` // the older version; "" when none was named
	To      string             `json:"to"`
	Changes []admission.Change `json:"changes"` // between the two versions
	Drifts  []admission.Drift  `json:"drifts"`  // what gateways observed of To
}

// Lists.
type (
	Scanners struct {
		Scanners []Scanner `json:"scanners"`
	}
	Versions struct {
		Versions []admission.Version `json:"versions"`
	}
	Reviews struct {
		Reviews []admission.Review `json:"reviews"`
	}
	Keys struct {
		Keys []admission.APIKey `json:"keys"`
	}
	Signers struct {
		Signers []admission.NamespaceSigner `json:"signers"`
	}
	Entries struct {
		Entries []admission.Entry `json:"entries"`
	}
	Bundles struct {
		Bundles []jsontext.Value `json:"bundles"`
	}
	// Events are OCSF 1.8 events as they were written, oldest first.
	Events struct {
		Events []jsontext.Value `json:"events"`
	}
	Feed struct {
		Events []admission.FeedEvent `json:"events"`
		Cursor int64                 `json:"cursor"` // to go on from
	}
)
