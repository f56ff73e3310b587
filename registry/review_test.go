package registry

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// ballot signs a vote.
func (h *house) ballot(signer *attest.Key, v *admission.Version, subject string, change ...func(*approval.Vote)) []byte {
	h.t.Helper()
	vote := approval.Vote{Registry: "registry.test", Tenant: "default", Server: v.Name, Version: v.Version, Decision: approval.VoteApprove, At: h.now, Subject: subject}
	for _, c := range change {
		c(&vote)
	}
	statement, err := approval.BuildVote(vote)
	h.must(err)
	bundle, err := signer.Sign(h.t.Context(), statement)
	h.must(err)
	return bundle
}

func TestSelfApproval(t *testing.T) {
	h := newHouse(t)
	both := origin("default", "alice", identity.RolePublisher, identity.RoleReviewer, identity.RoleAdmin)
	v, err := h.Publish(t.Context(), both, h.submission("weather", "1.0.0", h.publisher))
	h.must(err)
	r := h.complete(v.Review)
	_, err = h.Vote(t.Context(), both, v.Review, r.Subject, approval.VoteApprove, nil)
	wantRefusal(t, err, ErrForbidden, RefusedSelf)
	_, err = h.Approve(t.Context(), both, v.Review, r.Subject)
	wantRefusal(t, err, ErrForbidden, RefusedSelf)
	_, err = h.Answer(t.Context(), both, v.Review, "SRC-7", admission.Pass, "I am fine", time.Time{})
	wantRefusal(t, err, ErrForbidden, RefusedSelf)
	_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)
	_, err = h.Vote(t.Context(), alice, v.Review, r.Subject, approval.VoteApprove, nil)
	wantRefusal(t, err, ErrForbidden, RefusedRole)
}

// TestPublisherVotesThroughASecondAccount signs the vote with the key that
// signed the publication.
func TestPublisherVotesThroughASecondAccount(t *testing.T) {
	h := newHouse(t)
	_, err := h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: string(h.voter.Public().PEM())})
	h.must(err)
	v, err := h.Publish(t.Context(), alice, h.submission("weather", "1.0.0", h.voter))
	h.must(err)
	_, err = h.Vote(t.Context(), bob, v.Review, v.Subject, "", h.ballot(h.voter, v, v.Subject))
	wantRefusal(t, err, ErrForbidden, RefusedSelf)
}

func TestSignedVotes(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Options.Tier = approval.TierHigh
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	other := h.publish("other", "1.0.0")
	for name, bundle := range map[string][]byte{
		"forged":          h.ballot(h.key(), v, v.Subject),
		"other subject":   h.ballot(h.voter, v, other.Subject),
		"other server":    h.ballot(h.voter, other, v.Subject),
		"other registry":  h.ballot(h.voter, v, v.Subject, func(x *approval.Vote) { x.Registry = "elsewhere" }),
		"other tenant":    h.ballot(h.voter, v, v.Subject, func(x *approval.Vote) { x.Tenant = "other" }),
		"a publisher's":   h.sign(h.voter, hexDigest(v.Artifact)),
		"not even a vote": []byte(`{}`),
	} {
		_, err := h.Vote(t.Context(), bob, v.Review, v.Subject, "", bundle)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, ErrInvalid, RefusedVote) })
	}
	_, err = h.Vote(t.Context(), bob, v.Review, v.Subject, approval.VoteApprove, nil)
	wantRefusal(t, err, ErrInvalid, RefusedVote) // the tier counts signed votes only
	cast, err := h.Vote(t.Context(), bob, v.Review, v.Subject, "", h.ballot(h.voter, v, v.Subject))
	h.must(err)
	if cast.Voter != "vera" || cast.Kind != "key" {
		t.Errorf("vote %+v", cast)
	}
	r := h.complete(v.Review)
	if diff := cmp.Diff([]string{"votes"}, r.Blocking); diff != "" {
		t.Fatal(diff) // the tier wants two
	}
	_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)
}

// TestVotesWrittenByHand puts a quorum into the table; the approval does not
// verify, so none is signed.
func TestVotesWrittenByHand(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", h.publisher)
	sub.Options.Tier = approval.TierHigh
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	r := h.complete(v.Review)
	fake, err := h.put(t.Context(), h.ballot(h.key(), v, v.Subject))
	h.must(err)
	for _, voter := range []string{"x", "y"} {
		_, err := h.db.ExecContext(t.Context(), `INSERT INTO votes (tenant, name, version, subject, voter, value, kind, bundle, at) VALUES ('default', $1, $2, $3, $4, 'approve', 'key', $5, 1)`, v.Name, v.Version, v.Subject, voter, fake)
		h.must(err)
	}
	_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)
}

func TestStaleSubject(t *testing.T) {
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	r := h.complete(v.Review)
	_, err := h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	other := sum([]byte("what I saw yesterday"))
	_, err = h.Vote(t.Context(), bob, v.Review, other, approval.VoteApprove, nil)
	wantRefusal(t, err, ErrConflict, RefusedStale)
	_, err = h.Approve(t.Context(), bob, v.Review, other)
	wantRefusal(t, err, ErrConflict, RefusedStale)
	_, err = h.Reject(t.Context(), bob, v.Review, other, "no")
	wantRefusal(t, err, ErrConflict, RefusedStale)
	_, err = h.Vote(t.Context(), bob, v.Review, "", approval.VoteApprove, nil)
	wantRefusal(t, err, ErrInvalid, RefusedVote)
	// A subject that was edited into the row is not what gets signed.
	_, err = h.db.ExecContext(t.Context(), `UPDATE versions SET record = replace(record, $1, $2)`, r.Subject, other)
	h.must(err)
	_, err = h.db.ExecContext(t.Context(), `UPDATE votes SET subject = $1`, other)
	h.must(err)
	_, err = h.Approve(t.Context(), bob, v.Review, other)
	wantRefusal(t, err, ErrConflict, RefusedStale)
}

func TestAnswers(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", nil)
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	for name, tc := range map[string]struct {
		code    string
		result  admission.Result
		note    string
		expires time.Duration
		reason  string
	}{
		"overrule the machine":   {"SRC-1", admission.Pass, "looks signed", 0, RefusedAnswer},
		"waive what passed":      {"TOOL-2", admission.Waived, "why not", time.Hour, RefusedAnswer},
		"waive without end":      {"SRC-1", admission.Waived, "for ever", 0, RefusedWaiver},
		"waive for a year":       {"SRC-1", admission.Waived, "long", 365 * 24 * time.Hour, RefusedWaiver},
		"no note":                {"SRC-7", admission.Pass, " ", 0, RefusedAnswer},
		"unanswered is none":     {"SRC-7", admission.Unanswered, "x", 0, RefusedAnswer},
		"no such item":           {"SRC-99", admission.Pass, "x", 0, RefusedUnknown},
		"waive a person's item":  {"SRC-7", admission.Waived, "x", time.Hour, RefusedAnswer},
		"nonsense as the result": {"SRC-7", "maybe", "x", 0, RefusedAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			expires := time.Time{}
			if tc.expires > 0 {
				expires = h.now.Add(tc.expires)
			}
			_, err := h.Answer(t.Context(), bob, v.Review, tc.code, tc.result, tc.note, expires)
			if reason := err.(*Refusal).Reason; reason != tc.reason {
				t.Errorf("%s, want %s", reason, tc.reason)
			}
		})
	}
	item, err := h.Answer(t.Context(), bob, v.Review, "SRC-7", admission.Fail, "unknown vendor", time.Time{})
	h.must(err)
	r, err := h.Review(t.Context(), "default", v.Review)
	h.must(err)
	if item.Evidence == "" || !slices.Contains(r.Blocking, "SRC-7") {
		t.Errorf("a person's no does not block: %v", r.Blocking)
	}
}

func TestWaiverExpires(t *testing.T) {
	h := newHouse(t)
	sub := h.submission("weather", "1.0.0", nil)
	v, err := h.Publish(t.Context(), alice, sub)
	h.must(err)
	_, err = h.Release(t.Context(), admin, v.Name, v.Version, "known publisher")
	h.must(err)
	r := h.complete(v.Review) // waives SRC-1 and SRC-2 for a day
	_, err = h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	h.now = h.now.Add(25 * time.Hour)
	_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedBlocked)
	r = h.complete(v.Review)
	approved, err := h.Approve(t.Context(), bob, v.Review, r.Subject)
	if err != nil {
		// complete answers only what blocks: expired waivers are renewed
		t.Fatal(err)
	}
	bundle, err := h.Source("default").Approval(t.Context(), approved.Approval)
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if a.Expires.After(h.now.Add(24 * time.Hour)) {
		t.Errorf("the approval outlives the waiver: %s", a.Expires)
	}
	h.now = h.now.Add(25 * time.Hour)
	if got := h.listed("default"); len(got) != 0 {
		t.Errorf("an expired approval is listed: %v", got)
	}
}

func TestQuarantineAndRelease(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	_, err := h.Quarantine(t.Context(), alice, v.Name, v.Version, "x")
	wantRefusal(t, err, ErrForbidden, RefusedRole)
	_, err = h.Quarantine(t.Context(), admin, v.Name, v.Version, " ")
	wantRefusal(t, err, ErrInvalid, RefusedOptions)
	_, err = h.Quarantine(t.Context(), admin, v.Name, v.Version, "incident 7")
	h.must(err)
	if len(h.listed("default")) != 0 {
		t.Error("still listed")
	}
	if page, _, err := h.Public(t.Context(), "default", PublicQuery{Limit: 10}); err != nil || len(page) != 0 {
		t.Errorf("public list %v %v", page, err)
	}
	_, err = h.Quarantine(t.Context(), admin, v.Name, v.Version, "again")
	wantRefusal(t, err, ErrConflict, RefusedState)
	_, err = h.Release(t.Context(), origin("default", "alice", identity.RoleAdmin), v.Name, v.Version, "mine")
	wantRefusal(t, err, ErrForbidden, RefusedSelf)
	back, err := h.Release(t.Context(), admin, v.Name, v.Version, "false alarm")
	h.must(err)
	if back.State != admission.Approved || len(h.listed("default")) != 1 {
		t.Errorf("released: %s, listed %v", back.State, h.listed("default"))
	}
}

func TestNewerVersionSupersedes(t *testing.T) {
	h := newHouse(t)
	first := h.approve(h.publish("weather", "1.0.0"))
	second := h.approve(h.publish("weather", "1.1.0"))
	bundle, err := h.Source("default").Approval(t.Context(), second.Approval)
	h.must(err)
	a, err := approval.Verify(bundle, h.trustDocument(), h.now)
	h.must(err)
	if a.Supersedes != hexDigest(first.Approval) || len(h.listed("default")) != 2 {
		t.Errorf("supersedes %q, listed %v", a.Supersedes, h.listed("default"))
	}
	p, err := h.PublicVersion(t.Context(), "default", first.Name, "latest", false)
	h.must(err)
	if p.Version.Version != "1.1.0" {
		t.Errorf("latest is %s", p.Version.Version)
	}
}
