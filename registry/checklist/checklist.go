// Package checklist answers the approval checklist: what a machine can see of
// a publication it answers, with the evidence it saw; the rest it lists for
// people.
//
// It is pure: facts in, answers out. It must not know storage, HTTP, votes or
// what an answer leads to. What it cannot measure it leaves unanswered.
package checklist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
)

// Facts is what the pipeline found out about one publication.
type Facts struct {
	Document        *serverjson.Document
	Publisher       string
	Namespaces      []string // that the publisher's key covers
	Bundles         int      // that came with the publication
	Signers         []admission.Signer
	SignatureReason []admission.Reason // unsigned, signature_invalid, digest_mismatch
	Signed          string             // digest that a signature has to speak of
	Artifact        string             // digest of the artifact, "" without one
	Listings        []listing.Listing
	ListingSource   string
	Held            []Entry // keys that occur twice in one listing
	Roots           map[string]string
	Scan            Scan
	Shadowed        []Collision
	SBOM            SBOM
	Launch          admission.Launch
	Binding         string
	Tree            string   // digest, with binding artifact
	Scopes          []string // nil: the publisher declared nothing
	Probe           *Probe   // nil: none was made
	Secrets         Secrets
	Declaration     Declaration
	TLS             *admission.TLS // as the registry saw it; nil if it did not
	Vulnerabilities *assess.Report // nil: nobody looked
	MustMeasure     bool           // an approval waits although there is no database
	Licences        Licences
}

// Scan is the outcome of the listing scan over all eras.
type Scan struct {
	Scanners []string // name@digest of those that took part
	Action   string
	Findings []admission.Finding // waived ones left out
	Failures []admission.Failure
	Waived   int
}

// SBOM is what the bill of materials says of itself.
type SBOM struct {
	Digest     string
	Complete   bool
	Reasons    []string
	Components int
	Unlicensed []string
	Resolved   []string // lockfiles that the publisher's tool made for the publication
}

// Secrets is what the search for credentials in the publication came to.
type Secrets struct {
	Held       []string // places with a credential, each in one line
	Others     int      // places for a person to look at
	Unexamined string   // why the search was not complete; "" is that it was
	Report     any      // the whole of it, without any secret
}

// Declaration is what the publisher declares that the server needs, compared
// with what else is known.
type Declaration struct {
	Permissions   *permission.Declaration // nil: nothing is declared
	Unlisted      []string                // tools that it names and the server does not list
	UndeclaredEnv []string                // variables of the launch that it leaves out
}

// Licences is what the operator's lists say of the components.
type Licences struct {
	Configured bool       `json:"-"`
	Allowed    int        `json:"allowed"`
	Denied     []Licensed `json:"denied"`
	Review     []Licensed `json:"review"` // unlisted, unknown, or none declared
}

// Licensed is a component with what it declares.
type Licensed struct {
	Component string   `json:"component"`
	Licences  []string `json:"licences"`
}

// Entry names a listed entry.
type Entry struct {
	Era  string `json:"era"`
	Kind string `json:"kind"`
	Key  string `json:"key"`
}

// Collision is an entry whose name another approved server already uses.
type Collision struct {
	Key    string `json:"key"`
	Server string `json:"server"`
	Other  string `json:"other"`
}

// Answer is an item together with its evidence, a JSON document; nil evidence
// means that there is none and the item is unanswered.
type Answer struct {
	Item     admission.Item
	Evidence jsontext.Value
}

// outcome is what a rule says.
type outcome struct {
	result admission.Result
	note   string
	facts  any
	// basis is the part of the facts that a person's answer rests on; nil for
	// items that are answered once.
	basis any
	// informs makes the item advisory in this case.
	informs bool
}

type rule struct {
	code, title string
	answer      func(*Facts) outcome // nil: for people
}

// advisory items tell reviewers of good and bad style. Many honest servers
// fail some of them, and an approval that had to wait for a waiver of each
// would teach people to waive without looking.
var advisory = map[string]bool{
	"SRC-5": true, "SRC-6": true, "SRC-10": true, "TOOL-1": true, "TOOL-3": true, "TOOL-4": true, "TOOL-5": true, "PERM-1": true,
}

// fallback items are a person's where the publication does not answer them.
var fallback = map[string]bool{"DATA-1": true}

// Items whose answer can change after the publication.
const (
	CodeScan      = "TOOL-6" // by waivers of findings
	CodeShadowing = "TOOL-8" // by approvals of other servers
	CodeSigned    = "SRC-1"  // by other signers of the namespace
	CodeDigest    = "SRC-2"  // by the same
	CodeIncidents = "SRC-8"  // by another vulnerability database
	CodeLicences  = "SRC-9"  // by another licence policy
)

// sections in the order of the reviewers' checklist.
var sections = []struct {
	name  string
	rules []rule
}{
	{"Source", sourceRules},
	{"Tools", toolRules},
	{"Data", dataRules},
	{"Permissions", permissionRules},
	{"Authentication", authenticationRules},
	{"Network", networkRules},
	{"Policy", policyRules},
}

// Answers goes through the whole checklist.
func Answers(f *Facts) ([]Answer, error) {
	var out []Answer
	for _, section := range sections {
		for _, r := range section.rules {
			item := admission.Item{Code: r.code, Section: section.name, Title: r.title, Class: admission.Human, Advisory: advisory[r.code], Result: admission.Unanswered}
			if r.answer == nil {
				out = append(out, Answer{Item: item})
				continue
			}
			item.Class = admission.Automatic
			o := r.answer(f)
			var err error
			if o.result == admission.Unanswered && fallback[r.code] {
				item.Class = admission.Human
				out = append(out, Answer{Item: item})
				continue
			}
			item.Result, item.Note, item.Advisory = o.result, o.note, item.Advisory || o.informs
			if item.Basis, err = basis(&o); err != nil {
				return nil, err
			}
			evidence, err := Evidence(r.code, r.title, o.result, o.note, o.facts)
			if err != nil {
				return nil, err
			}
			if o.result == admission.Unanswered && o.facts == nil {
				evidence = nil
			}
			out = append(out, Answer{Item: item, Evidence: evidence})
		}
	}
	return out, nil
}

// Evidence writes the document that an answer rests on. Equal facts give equal
// bytes.
func Evidence(code, title string, result admission.Result, note string, facts any) (jsontext.Value, error) {
	b, err := json.Marshal(struct {
		Item   string           `json:"item"`
		Title  string           `json:"title"`
		Result admission.Result `json:"result"`
		Note   string           `json:"note,omitzero"`
		Facts  any              `json:"facts"`
	}{code, title, result, note, facts}, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("evidence of %s: %w", code, err)
	}
	return b, nil
}

func basis(o *outcome) (string, error) {
	if o.basis == nil {
		return "", nil
	}
	b, err := json.Marshal([]any{o.result, o.basis}, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// on says what a person's answer rests on.
func (o outcome) on(basis any) outcome {
	o.basis = basis
	return o
}

func pass(note string, facts any) outcome {
	return outcome{result: admission.Pass, note: note, facts: facts}
}
func fail(note string, facts any) outcome {
	return outcome{result: admission.Fail, note: note, facts: facts}
}

func notNeeded(note string) outcome {
	return outcome{result: admission.NotNeeded, note: note, facts: map[string]string{"why": note}}
}
func unmeasured(note string) outcome {
	return outcome{result: admission.Unanswered, note: "unmeasured: " + note}
}

// verdict passes when nothing was found.
func verdict[T any](found []T, good, bad string, facts any) outcome {
	if len(found) == 0 {
		return pass(good, facts)
	}
	return fail(fmt.Sprintf("%s (%d)", bad, len(found)), facts)
}
