package signer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

func wantReason(t *testing.T, err error, want Reason) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != want || !errors.Is(err, ErrRefused) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestApprovalsThatAreNotSigned is what a registry in the wrong hands may ask for.
func TestApprovalsThatAreNotSigned(t *testing.T) {
	h := newHouse(t)
	for name, tc := range map[string]struct {
		change   func(p *approval.Predicate)
		voters   []*attest.Key
		evidence [][]byte
		want     Reason
	}{
		"one vote where two are needed": {voters: []*attest.Key{h.alice}, want: ReasonQuorum},
		"one reviewer twice":            {voters: []*attest.Key{h.alice, h.alice}, want: ReasonQuorum},
		"votes of a stranger":           {voters: []*attest.Key{h.alice, must(attest.GenerateKey())(t)}, want: ReasonQuorum},
		"session votes for a high tier": {change: func(p *approval.Predicate) {
			subject := must(approval.SubjectDigest(p, subjects))(t)
			p.SessionVotes = []approval.SessionVote{{Principal: "dan", Subject: subject, At: start}, {Principal: "eve", Subject: subject, At: start}}
		}, voters: []*attest.Key{}, want: ReasonQuorum},
		"a tier of its own":     {change: func(p *approval.Predicate) { p.Tier = "none" }, want: ReasonQuorum},
		"another registry":      {change: func(p *approval.Predicate) { p.Registry = "elsewhere" }, want: ReasonRegistry},
		"for ten years":         {change: func(p *approval.Predicate) { p.Expires = start.AddDate(10, 0, 0) }, want: ReasonDates},
		"dated back":            {change: func(p *approval.Predicate) { p.NotBefore = start.Add(-time.Hour) }, want: ReasonDates},
		"dated ahead":           {change: func(p *approval.Predicate) { p.NotBefore = start.Add(time.Hour) }, want: ReasonDates},
		"no listing shown":      {evidence: [][]byte{}, want: ReasonEvidence},
		"no capture":            {evidence: [][]byte{[]byte("{}")}, want: ReasonEvidence},
		"two listings shown":    {evidence: [][]byte{[]byte(capture), []byte(capture)}, want: ReasonEvidence},
		"another listing shown": {evidence: [][]byte{[]byte(strings.Replace(capture, "Tomorrow's", "Today's", 1))}, want: ReasonListing},
		"an entry nobody lists": {change: func(p *approval.Predicate) {
			e := p.Entries[0]
			e.Key = "exec"
			p.Entries = append(p.Entries, e)
		}, want: ReasonListing},
		"another fingerprint":  {change: func(p *approval.Predicate) { p.Entries[0].Behavioural[0]++ }, want: ReasonListing},
		"another whole digest": {change: func(p *approval.Predicate) { p.Entries[0].Whole[0]++ }, want: ReasonListing},
		"a kind there is not":  {change: func(p *approval.Predicate) { p.Entries[0].Kind = "wish" }, want: ReasonListing},
		"another root": {change: func(p *approval.Predicate) {
			for era, root := range p.Roots {
				root[0]++
				p.Roots[era] = root
			}
		}, want: ReasonListing},
		"an era more": {change: func(p *approval.Predicate) {
			for _, root := range p.Roots {
				p.Roots["later"] = root
				break
			}
		}, want: ReasonListing},
		"a tool called read-only": {change: func(p *approval.Predicate) {
			p.Annotations = map[string]jsontext.Value{"forecast": jsontext.Value(`{"readOnlyHint":true}`), "report": jsontext.Value(`{"readOnlyHint":true}`)}
		}, want: ReasonListing},
		"annotations changed": {change: func(p *approval.Predicate) {
			p.Annotations = map[string]jsontext.Value{"forecast": jsontext.Value(`{"destructiveHint":false,"readOnlyHint":true}`)}
		}, want: ReasonListing},
	} {
		t.Run(name, func(t *testing.T) {
			p := clone(h.predicate("1.0.0"))
			if tc.change != nil {
				tc.change(p)
			}
			if tc.voters == nil {
				tc.voters = []*attest.Key{h.alice, h.bob}
			}
			if tc.evidence == nil {
				tc.evidence = [][]byte{[]byte(capture)}
			}
			_, err := h.Sign(t.Context(), RoleApproval, h.approvalOf(h.voted(p, tc.voters...)), tc.evidence)
			wantReason(t, err, tc.want)
			if len(h.ledger.approvals) != 0 {
				t.Error("what was not signed is remembered")
			}
		})
	}
	h.approve("1.0.0")
}

func TestStatementsOfAnotherRole(t *testing.T) {
	h := newHouse(t)
	evidence := [][]byte{[]byte(capture)}
	p := h.approvalOf(h.voted(h.predicate("1.0.0"), h.alice, h.bob))
	for name, tc := range map[string]struct {
		role      Role
		statement []byte
	}{
		"an approval by the snapshot key": {RoleSnapshot, p},
		"an approval by the SBOM key":     {RoleSBOM, p},
		"a snapshot by the approval key":  {RoleApproval, h.snapshotOf(1)},
		"no statement":                    {RoleApproval, []byte("{}")},
		"nothing":                         {RoleSnapshot, nil},
		"no role":                         {"trust", p},
	} {
		_, err := h.Sign(t.Context(), tc.role, tc.statement, evidence)
		var r *Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyedVotesOnly(t *testing.T) {
	p := func(h *house) *approval.Predicate {
		p := h.predicate("1.0.0")
		p.Tier = approval.TierStandard
		subject := must(approval.SubjectDigest(p, subjects))(t)
		p.SessionVotes = []approval.SessionVote{{Principal: "dan", Subject: subject, At: start}}
		return p
	}
	h := newHouse(t)
	if _, err := h.Sign(t.Context(), RoleApproval, h.approvalOf(p(h)), [][]byte{[]byte(capture)}); err != nil {
		t.Errorf("where sessions count: %v", err)
	}
	h = newHouse(t, func(c *Config) { c.KeyedVotes = true })
	_, err := h.Sign(t.Context(), RoleApproval, h.approvalOf(p(h)), [][]byte{[]byte(capture)})
	wantReason(t, err, ReasonSessionVotes)
}

// TestSnapshotsThatAreNotSigned: whoever has the registry can leave an approval
// out, and can neither invent one nor go back.
func TestSnapshotsThatAreNotSigned(t *testing.T) {
	h := newHouse(t)
	digest := h.approve("1.0.0")
	sign := func(statement []byte) error {
		_, err := h.Sign(t.Context(), RoleSnapshot, statement, nil)
		return err
	}
	if err := sign(h.snapshotOf(7, digest)); err != nil {
		t.Fatal(err)
	}
	wantReason(t, sign(h.snapshotOf(7, digest)), ReasonSequence)
	wantReason(t, sign(h.snapshotOf(3)), ReasonSequence)
	wantReason(t, sign(h.snapshotOf(8, digest, sum("invented"))), ReasonUnknown)
	if err := sign(h.snapshotOf(8)); err != nil {
		t.Errorf("an approval is left out: %v", err)
	}
	h.open() // a restart forgets nothing
	wantReason(t, sign(h.snapshotOf(8, digest)), ReasonSequence)
	if err := sign(h.snapshotOf(9, digest)); err != nil {
		t.Errorf("after a restart: %v", err)
	}

	old := h.snapshotOf(10, digest)
	h.now = h.now.Add(10 * time.Minute)
	wantReason(t, sign(old), ReasonDates)
	h.now = h.now.Add(-20 * time.Minute)
	wantReason(t, sign(old), ReasonDates) // from the future
	h.now = start.AddDate(0, 0, 91)
	wantReason(t, sign(h.snapshotOf(11, digest)), ReasonDates) // the approval is over
}

func TestSnapshotOfAnotherTenant(t *testing.T) {
	h := newHouse(t)
	digest := h.approve("1.0.0")
	foreign := h.statement(func(s attest.Signer) error {
		_, err := approval.SignSnapshot(t.Context(), s, &approval.Snapshot{
			Registry: registryID, Tenant: "rival", Sequence: 1, Issued: h.now, Expires: h.now.Add(time.Minute), Approvals: []string{digest},
		})
		return err
	})
	_, err := h.Sign(t.Context(), RoleSnapshot, foreign, nil)
	wantReason(t, err, ReasonUnknown)
}

func TestBills(t *testing.T) {
	h := newHouse(t)
	document := []byte(`{"bomFormat":"CycloneDX"}`)
	bill := func(predicate string, subjects ...attest.Subject) []byte {
		return must((&attest.Statement{Subjects: subjects, PredicateType: predicate, Predicate: jsontext.Value(`{}`)}).Marshal())(t)
	}
	named := attest.Subject{Name: "sbom", Digest: map[string]string{"sha256": hexDigest(document)}}
	artifact := attest.Subject{Name: "artifact", Digest: map[string]string{"sha256": sum("a")}}
	bundle, err := h.Sign(t.Context(), RoleSBOM, bill(attest.PredicateSBOM, artifact, named), [][]byte{document})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attest.VerifyKeys(bundle, []*attest.PublicKey{h.Keys()[RoleSBOM]}); err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct {
		statement []byte
		evidence  [][]byte
		want      Reason
	}{
		"another document shown": {bill(attest.PredicateSBOM, named), [][]byte{[]byte("{}")}, ReasonSBOM},
		"none shown":             {bill(attest.PredicateSBOM, named), nil, ReasonEvidence},
		"not about a document":   {bill(attest.PredicateSBOM, artifact), [][]byte{document}, ReasonSBOM},
		"about something else":   {bill(attest.PredicateSBOM, named, attest.Subject{Name: "trust.json", Digest: artifact.Digest}), [][]byte{document}, ReasonSBOM},
		"another predicate":      {bill(attest.PredicateScanner, named), [][]byte{document}, ReasonMalformed},
	} {
		_, err := h.Sign(t.Context(), RoleSBOM, tc.statement, tc.evidence)
		t.Run(name, func(t *testing.T) { wantReason(t, err, tc.want) })
	}
}

// TestStateThatIsDamaged: a sequence that was forgotten could be signed again.
func TestStateThatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"cut short":         func(dir string) error { return os.Truncate(filepath.Join(dir, sequencesName), 5) },
		"sequences removed": func(dir string) error { return os.Remove(filepath.Join(dir, sequencesName)) },
		"approvals removed": func(dir string) error { return os.Remove(filepath.Join(dir, approvalsName)) },
		"trust removed":     func(dir string) error { return os.Remove(filepath.Join(dir, trustName)) },
	} {
		h := newHouse(t)
		digest := h.approve("1.0.0")
		if _, err := h.Sign(t.Context(), RoleSnapshot, h.snapshotOf(1, digest), nil); err != nil {
			t.Fatal(err)
		}
		if err := damage(filepath.Join(h.dir, "signer")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(h.Config); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
