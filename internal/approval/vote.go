package approval

import (
	"fmt"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Decisions of a vote.
const (
	VoteApprove = "approve"
	VoteReject  = "reject"
)

// subjectAlgorithm is the digest name of a review subject in statements: not
// "sha256", so that no artifact can be mistaken for one.
const subjectAlgorithm = "bartizanSubjectV1"

// Vote is one reviewer's decision about one review subject.
type Vote struct {
	Registry string    `json:"registry"`
	Tenant   string    `json:"tenant"`
	Server   string    `json:"server"`
	Version  string    `json:"version"`
	Decision string    `json:"decision"`
	At       time.Time `json:"at"`

	// Subject is the SubjectDigest voted on: the statement's subject.
	Subject string `json:"-"`
	// Voter is the registered name; VerifyVote fills it from the trust document.
	Voter string `json:"-"`
}

// BuildVote writes the statement that a reviewer signs.
func BuildVote(v Vote) ([]byte, error) {
	v.At = v.At.UTC().Truncate(time.Second)
	if err := v.check(); err != nil {
		return nil, err
	}
	predicate, err := encode(v)
	if err != nil {
		return nil, err
	}
	return (&attest.Statement{
		Subjects:      []attest.Subject{{Name: v.Server + "@" + v.Version, Digest: map[string]string{subjectAlgorithm: v.Subject}}},
		PredicateType: attest.PredicateVote,
		Predicate:     predicate,
	}).Marshal()
}

func (v *Vote) check() error {
	switch {
	case v.Decision != VoteApprove && v.Decision != VoteReject:
		return fmt.Errorf("%w: unknown decision", ErrVote)
	case !isHex256(v.Subject):
		return fmt.Errorf("%w: malformed subject digest", ErrVote)
	case v.Registry == "" || v.Tenant == "" || v.Server == "" || v.Version == "" || v.At.IsZero():
		return fmt.Errorf("%w: incomplete", ErrVote)
	}
	return nil
}

// VerifyVote verifies a vote bundle: by a reviewer registered in t, for t's
// registry, over exactly this subject digest.
func VerifyVote(bundle []byte, t *Trust, subject string) (*Vote, error) {
	if len(bundle) > MaxVote {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrVote, MaxVote)
	}
	r, err := t.compile()
	if err != nil {
		return nil, err
	}
	proven, err := r.reviewers.Verify(bundle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVote, err)
	}
	s := proven.Statement
	if s.PredicateType != attest.PredicateVote || len(s.Subjects) != 1 {
		return nil, fmt.Errorf("%w: not a vote", ErrVote)
	}
	v := new(Vote)
	if err := decode(s.Predicate, v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVote, err)
	}
	v.Subject, v.Voter = s.Subjects[0].Digest[subjectAlgorithm], r.voter(proven)
	if err := v.check(); err != nil {
		return nil, err
	}
	switch {
	case v.Voter == "":
		return nil, fmt.Errorf("%w: not a registered reviewer", ErrVote)
	case v.Registry != t.Registry:
		return nil, fmt.Errorf("%w: %w", ErrVote, ErrRegistry)
	case v.Subject != subject:
		return nil, fmt.Errorf("%w: %w", ErrVote, ErrSubject)
	}
	return v, nil
}

// voter names who signed. Where two identities match one certificate the first
// has the vote: one certificate never votes twice.
func (r *roles) voter(proven *attest.Verified) string {
	if proven.KeyID != "" {
		if v := r.voterByKey[proven.KeyID]; v != nil {
			return v.Name
		}
		return ""
	}
	for _, v := range r.identified {
		if v.Identity.Matches(proven.Issuer, proven.SAN) {
			return v.Name
		}
	}
	return ""
}
