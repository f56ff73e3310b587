package admission

import "time"

// Result is the answer to a checklist item.
type Result string

const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	NotNeeded  Result = "n/a"
	Waived     Result = "waived"
	Unanswered Result = "unanswered"
)

// Class says who answers an item.
type Class string

const (
	Automatic Class = "automatic"
	Human     Class = "human"
)

// Item is one line of the checklist. An item without evidence is unanswered.
type Item struct {
	Code     string    `json:"code"`
	Section  string    `json:"section"`
	Title    string    `json:"title"`
	Class    Class     `json:"class"`
	Advisory bool      `json:"advisory,omitzero"` // a fail is for the reviewers to weigh; it blocks nothing
	Result   Result    `json:"result"`
	Note     string    `json:"note,omitzero"`
	Evidence string    `json:"evidence,omitzero"` // digest of a JSON blob
	By       string    `json:"by,omitzero"`
	At       time.Time `json:"at,omitzero"`
	Expires  time.Time `json:"expires,omitzero"` // of a waiver
	// Basis is the digest of what an answer rests on, of an item that is
	// answered anew when the world changes: as long as it stays, a person's
	// answer does too.
	Basis string `json:"basis,omitzero"`
}

// Blocks reports whether the item stands in the way of an approval.
func (i Item) Blocks(now time.Time) bool {
	switch i.Result {
	case Pass, NotNeeded:
		return i.Evidence == ""
	case Waived:
		return i.Evidence == "" || !now.Before(i.Expires)
	case Fail:
		return !i.Advisory
	default:
		return i.Class == Automatic && !i.Advisory
	}
}

// Vote is one reviewer's vote on one subject.
type Vote struct {
	Voter   string    `json:"voter"`
	Value   string    `json:"value"` // approve | reject
	Kind    string    `json:"kind"`  // key | session
	Subject string    `json:"subject"`
	Bundle  string    `json:"bundle,omitzero"` // digest of the DSSE bundle of a key vote
	At      time.Time `json:"at"`
	Stale   bool      `json:"stale"` // cast on another subject than the present one
}

// Waiver suppresses exactly one finding: rule, pointer and leaf digest.
type Waiver struct {
	Rule    string    `json:"rule"`
	Pointer string    `json:"pointer"`
	Leaf    string    `json:"leaf"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
}

// Counts sums up a checklist.
type Counts struct {
	Pass       int `json:"pass"`
	Fail       int `json:"fail"`
	NotNeeded  int `json:"notNeeded"`
	Waived     int `json:"waived"`
	Unanswered int `json:"unanswered"`
}

// Review is everything that the reviewers of one version look at.
type Review struct {
	ID       string   `json:"id"`
	Version  Version  `json:"version"`
	Subject  string   `json:"subject"`
	Items    []Item   `json:"items"`
	Votes    []Vote   `json:"votes"`
	Waivers  []Waiver `json:"waivers"`
	Counts   Counts   `json:"counts"`
	Blocking []string `json:"blocking"` // why it cannot be approved yet: item codes, "votes"
	Quorum   Quorum   `json:"quorum"`
}

// Quorum says how many votes the tier wants and which count.
type Quorum struct {
	Tier         string `json:"tier"`
	Needed       int    `json:"needed"`
	Have         int    `json:"have"`
	SessionVotes bool   `json:"sessionVotes"` // whether votes without a key count
}

// NamespaceSigner is one key or identity that may sign for a namespace.
type NamespaceSigner struct {
	ID          string `json:"id"`
	Namespace   string `json:"namespace"`
	PublicKey   string `json:"publicKey,omitzero"` // PEM
	Issuer      string `json:"issuer,omitzero"`
	SubjectLike string `json:"subjectPattern,omitzero"` // anchored regular expression over the SAN
	// SourceRepository and Builder are demanded of what the identity signs.
	SourceRepository string    `json:"sourceRepository,omitzero"`
	Builder          string    `json:"builder,omitzero"`
	AddedBy          string    `json:"addedBy"`
	Added            time.Time `json:"added"`
}

// APIKey is what is shown of an API key; neither secret nor hash.
type APIKey struct {
	ID         string            `json:"id"`
	Principal  string            `json:"principal"`
	Kind       string            `json:"kind"`
	Roles      []string          `json:"roles"`
	Namespaces []string          `json:"namespaces"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Created    time.Time         `json:"created"`
	Expires    time.Time         `json:"expires"`
	Revoked    *time.Time        `json:"revoked,omitzero"`
}

// FeedEvent tells a follower that something changed.
type FeedEvent struct {
	Cursor int64     `json:"cursor"`
	Kind   string    `json:"kind"` // snapshot | key | version
	Ref    string    `json:"ref"`
	At     time.Time `json:"at"`
}
