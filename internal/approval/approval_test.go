package approval_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/attest/attesttest"
)

func TestApprovalSignsAndVerifies(t *testing.T) {
	h := newHouse(t)
	bundle, digest := h.approve(t, "1.2.3")
	a, err := approval.Verify(bundle, h.trust, start)
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest != digest || a.KeyID != h.approval.KeyID() || a.Proven != subjects {
		t.Errorf("approval %s by %s about %+v", a.Digest, a.KeyID, a.Proven)
	}
	if d := cmp.Diff([]string{"alice", "bob"}, a.Voters); d != "" {
		t.Error(d)
	}
	want := predicate("1.2.3")
	if d := cmp.Diff(want.Entries, a.Entries); d != "" {
		t.Error(d)
	}
	if e, ok := a.Lookup("legacy", "prompt", "forecast"); !ok || e != want.Entries[1] {
		t.Errorf("Lookup = %+v, %v", e, ok)
	}
	if _, ok := a.Lookup("modern", "tool", "forecast"); ok {
		t.Error("an entry of one era was found in the other")
	}
	if !a.Launch.Equal(want.Launch) {
		t.Error("launch identity changed on its way")
	}
}

func TestApprovalDates(t *testing.T) {
	h := newHouse(t)
	bundle, _ := h.approve(t, "1.0.0")
	for _, c := range []struct {
		at   time.Time
		want error
	}{
		{start.Add(-time.Second), approval.ErrNotYet},
		{start, nil},
		{start.AddDate(0, 0, 90).Add(-time.Second), nil},
		{start.AddDate(0, 0, 90), approval.ErrExpired},
		{start.AddDate(2, 0, 0), approval.ErrTrustExpired},
	} {
		if _, err := approval.Verify(bundle, h.trust, c.at); !errors.Is(err, c.want) {
			t.Errorf("at %s: err = %v, want %v", c.at, err, c.want)
		}
	}
}

// Every edit below is signed truthfully by the approval key: a registry whose
// database was edited by hand, or whose code is wrong.
func TestVerifyRefusesEditedApprovals(t *testing.T) {
	h := newHouse(t)
	good, _ := h.approve(t, "1.0.0")
	edit := func(f func(*attest.Statement, map[string]any)) []byte {
		return resign(t, h.approval, good, h.approval, f)
	}
	entry := func(p map[string]any) map[string]any { return p["entries"].([]any)[0].(map[string]any) }
	other := "sha256:" + sum("other")
	for name, c := range map[string]struct {
		bundle []byte
		want   error
	}{
		"other registry":  {edit(func(_ *attest.Statement, p map[string]any) { p["registry"] = "evil.example" }), approval.ErrRegistry},
		"other tenant":    {edit(func(_ *attest.Statement, p map[string]any) { p["tenant"] = "globex" }), approval.ErrSubject},
		"other server":    {edit(func(_ *attest.Statement, p map[string]any) { p["server"] = "io.example/evil" }), approval.ErrSubject},
		"other version":   {edit(func(_ *attest.Statement, p map[string]any) { p["version"] = "9.9.9" }), approval.ErrSubject},
		"other alias":     {edit(func(_ *attest.Statement, p map[string]any) { p["alias"] = "bank" }), approval.ErrSubject},
		"lower tier":      {edit(func(_ *attest.Statement, p map[string]any) { p["tier"] = approval.TierLow }), approval.ErrSubject},
		"unknown tier":    {edit(func(_ *attest.Statement, p map[string]any) { p["tier"] = "none" }), approval.ErrSubject},
		"other publisher": {edit(func(_ *attest.Statement, p map[string]any) { p["publisher"] = "dave" }), approval.ErrSubject},
		"entry whole":     {edit(func(_ *attest.Statement, p map[string]any) { entry(p)["whole"] = other }), approval.ErrSubject},
		"entry behaviour": {edit(func(_ *attest.Statement, p map[string]any) { entry(p)["behavioural"] = other }), approval.ErrSubject},
		"entry added": {edit(func(_ *attest.Statement, p map[string]any) {
			e := map[string]any{"era": "legacy", "kind": "tool", "key": "rm", "whole": other, "behavioural": other}
			p["entries"] = append(p["entries"].([]any), e)
		}), approval.ErrSubject},
		"entry repeated":  {edit(func(_ *attest.Statement, p map[string]any) { p["entries"] = append(p["entries"].([]any), entry(p)) }), approval.ErrMalformed},
		"entry of no era": {edit(func(_ *attest.Statement, p map[string]any) { entry(p)["era"] = "modern" }), approval.ErrMalformed},
		"annotation": {edit(func(_ *attest.Statement, p map[string]any) {
			p["annotations"] = map[string]any{"forecast": map[string]any{"readOnlyHint": false}}
		}), approval.ErrSubject},
		"scope":            {edit(func(_ *attest.Statement, p map[string]any) { p["scopes"] = []any{"everything"} }), approval.ErrSubject},
		"waiver":           {edit(func(_ *attest.Statement, p map[string]any) { p["waivers"].([]any)[0].(map[string]any)["pointer"] = "" }), approval.ErrSubject},
		"scanner verdict":  {edit(func(_ *attest.Statement, p map[string]any) { p["scanners"] = nil }), approval.ErrSubject},
		"extension method": {edit(func(_ *attest.Statement, p map[string]any) { p["extensionMethods"] = []any{"x/y"} }), approval.ErrSubject},
		"volatile meta":    {edit(func(_ *attest.Statement, p map[string]any) { p["volatileMeta"] = []any{"/_meta/x"} }), approval.ErrSubject},
		"launch":           {edit(func(_ *attest.Statement, p map[string]any) { p["launch"].(map[string]any)["command"] = []any{"sh"} }), approval.ErrSubject},
		"stronger binding": {edit(func(s *attest.Statement, p map[string]any) {
			p["binding"] = "artifact"
			p["launch"] = map[string]any{"command": []any{"/usr/bin/node", "{tree}/index.js"}, "dir": "/", "runtimes": []any{sum("node")}}
			s.Subjects = slices.Insert(s.Subjects, 1, attest.Subject{Name: "tree", Digest: map[string]string{"bartizanTreeV1": sum("tree")}})
		}), approval.ErrSubject},
		"unknown binding":  {edit(func(_ *attest.Statement, p map[string]any) { p["binding"] = "trustme" }), approval.ErrMalformed},
		"subject digest":   {edit(func(_ *attest.Statement, p map[string]any) { p["subject"] = sum("x") }), approval.ErrSubject},
		"artifact subject": {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects[0].Digest["sha256"] = sum("x") }), approval.ErrSubject},
		"sbom subject":     {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects[1].Digest["sha256"] = sum("x") }), approval.ErrSubject},
		"sbom removed":     {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects = slices.Delete(s.Subjects, 1, 2) }), approval.ErrSubject},
		"listing subject":  {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects[2].Digest["bartizanListingV1"] = sum("x") }), approval.ErrSubject},
		"listing removed":  {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects = s.Subjects[:2] }), approval.ErrSubject},
		"extra subject": {edit(func(s *attest.Statement, _ map[string]any) {
			s.Subjects = append(s.Subjects, attest.Subject{Name: "x", Digest: map[string]string{"sha256": sum("x")}})
		}), approval.ErrSubject},
		"second artifact": {edit(func(s *attest.Statement, _ map[string]any) {
			s.Subjects = append(s.Subjects, attest.Subject{Name: "artifact", Digest: map[string]string{"sha256": sum("x")}})
		}), approval.ErrSubject},
		"extra algorithm": {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects[0].Digest["sha512"] = sum("x") + sum("y") }), approval.ErrSubject},
		"no artifact":     {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects = s.Subjects[1:] }), approval.ErrMalformed},
		"unknown member":  {edit(func(_ *attest.Statement, p map[string]any) { p["forbid"] = "everything" }), approval.ErrMalformed},
		"dates swapped": {edit(func(_ *attest.Statement, p map[string]any) {
			p["notBefore"], p["expires"] = p["expires"], p["notBefore"]
		}), approval.ErrMalformed},
		"no expiry":       {edit(func(_ *attest.Statement, p map[string]any) { delete(p, "expires") }), approval.ErrMalformed},
		"other predicate": {edit(func(s *attest.Statement, _ map[string]any) { s.PredicateType = attest.PredicatePublish }), approval.ErrMalformed},
		"votes removed":   {edit(func(_ *attest.Statement, p map[string]any) { delete(p, "votes") }), approval.ErrQuorum},
		"too many votes": {edit(func(_ *attest.Statement, p map[string]any) {
			v := p["votes"].([]any)[0]
			l := make([]any, 100)
			for i := range l {
				l[i] = v
			}
			p["votes"] = l
		}), approval.ErrMalformed},
		"signed by a voter":   {resign(t, h.alice, good, h.approval, func(*attest.Statement, map[string]any) {}), approval.ErrSignature},
		"by the snapshot key": {resign(t, h.snapshot, good, h.approval, func(*attest.Statement, map[string]any) {}), approval.ErrSignature},
		"by a stranger":       {resign(t, newKey(t), good, h.approval, func(*attest.Statement, map[string]any) {}), approval.ErrSignature},
		"a vote":              {vote(t, h.alice, predicate("1.0.0"), approval.VoteApprove), approval.ErrSignature},
		"truncated":           {good[:len(good)/2], approval.ErrSignature},
		"empty":               {nil, approval.ErrSignature},
		"huge":                {make([]byte, approval.MaxApproval+1), approval.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := approval.Verify(c.bundle, h.trust, start); !errors.Is(err, c.want) || a != nil {
				t.Errorf("Verify = %v, %v; want %v", a, err, c.want)
			}
		})
	}
}

func TestQuorum(t *testing.T) {
	h := newHouse(t)
	p := predicate("1.0.0")
	stranger := newKey(t)
	a, b := vote(t, h.alice, p, approval.VoteApprove), vote(t, h.bob, p, approval.VoteApprove)
	again := vote(t, h.alice, p, approval.VoteApprove) // another signature, the same person
	subject := must[string](t)(approval.SubjectDigest(p, subjects))
	later := predicate("2.0.0")
	elsewhere := *p
	elsewhere.Registry = "evil.example"
	session := func(who, about string) approval.SessionVote {
		return approval.SessionVote{Principal: who, Subject: about, At: start}
	}
	type votes = []jsontext.Value
	for name, c := range map[string]struct {
		votes    votes
		sessions []approval.SessionVote
		tier     approval.Tier
		want     error
	}{
		"two people":                   {votes{a, b}, nil, approval.Tier{Votes: 2}, nil},
		"one person":                   {votes{a}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"one bundle twice":             {votes{a, a}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"one person signs twice":       {votes{a, again}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"unregistered key":             {votes{a, vote(t, stranger, p, approval.VoteApprove)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"approval key votes":           {votes{a, vote(t, h.approval, p, approval.VoteApprove)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"vote for another version":     {votes{a, vote(t, h.bob, later, approval.VoteApprove)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"vote over another subject":    {votes{a, voteOn(t, h.bob, p, approval.VoteApprove, sum("x"))}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"vote names another version":   {votes{a, voteOn(t, h.bob, later, approval.VoteApprove, subject)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"vote for another registry":    {votes{a, voteOn(t, h.bob, &elsewhere, approval.VoteApprove, subject)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"garbage does not spoil":       {votes{a, jsontext.Value(`{}`), b}, nil, approval.Tier{Votes: 2}, nil},
		"rejection":                    {votes{a, vote(t, h.bob, p, approval.VoteReject)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"rejection cancels its voter":  {votes{a, b, vote(t, h.bob, p, approval.VoteReject)}, nil, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"two groups":                   {votes{a, b}, nil, approval.Tier{Votes: 2, Groups: 2}, nil},
		"one person in two groups":     {votes{b}, []approval.SessionVote{session("eve", subject)}, approval.Tier{Votes: 2, Groups: 2, SessionVotes: true}, approval.ErrQuorum},
		"session counts where allowed": {votes{a}, []approval.SessionVote{session("eve", subject)}, approval.Tier{Votes: 2, SessionVotes: true}, nil},
		"session alone":                {nil, []approval.SessionVote{session("eve", subject)}, approval.Tier{Votes: 1, SessionVotes: true}, nil},
		"session where not allowed":    {votes{a}, []approval.SessionVote{session("eve", subject)}, approval.Tier{Votes: 2}, approval.ErrQuorum},
		"session of one who signed":    {votes{a}, []approval.SessionVote{session("alice", subject)}, approval.Tier{Votes: 2, SessionVotes: true}, approval.ErrQuorum},
		"session over another subject": {votes{a}, []approval.SessionVote{session("eve", sum("x"))}, approval.Tier{Votes: 2, SessionVotes: true}, approval.ErrQuorum},
		"session of nobody":            {votes{a}, []approval.SessionVote{session("", subject)}, approval.Tier{Votes: 2, SessionVotes: true}, approval.ErrQuorum},
		"session of the publisher":     {votes{a}, []approval.SessionVote{session("carol", subject)}, approval.Tier{Votes: 2, SessionVotes: true}, approval.ErrQuorum},
	} {
		t.Run(name, func(t *testing.T) {
			d := h.trust.Next()
			d.Tiers[approval.TierHigh] = c.tier
			trust := must[*approval.Trust](t)(approval.ParseTrust(must[[]byte](t)(d.Sign(t.Context(), h.approval))))
			signed := *p
			signed.Votes, signed.SessionVotes = c.votes, c.sessions
			bundle, _, err := approval.Sign(t.Context(), h.approval, &signed, subjects)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := approval.Verify(bundle, trust, start); !errors.Is(err, c.want) {
				t.Errorf("err = %v, want %v", err, c.want)
			}
		})
	}
}

func TestPublisherCannotVote(t *testing.T) {
	h := newHouse(t)
	bundle, _ := h.approve(t, "1.0.0", func(p *approval.Predicate) { p.Publisher = "bob" })
	_, err := approval.Verify(bundle, h.trust, start)
	wantErr(t, "bob approves what bob published", err, approval.ErrQuorum)
}

func TestUnknownTierIsRefused(t *testing.T) {
	h := newHouse(t)
	bundle, _ := h.approve(t, "1.0.0", func(p *approval.Predicate) { p.Tier = "relaxed" })
	_, err := approval.Verify(bundle, h.trust, start)
	wantErr(t, "tier that trust does not know", err, approval.ErrTier)
}

func TestVotesByIdentity(t *testing.T) {
	s := attesttest.New(t)
	h := newHouse(t)
	d := h.trust.Next()
	const issuer = "https://accounts.example.org"
	d.TrustedRoot = s.TrustedRoot(t)
	d.Voters = append(d.Voters,
		approval.Voter{Name: "erin", Identity: &attest.Identity{Issuer: issuer, SANRegex: `erin@example\.org`}},
		approval.Voter{Name: "anyone", Identity: &attest.Identity{Issuer: issuer, SANRegex: `.*@example\.org`}})
	h.install(t, d, h.approval)
	p := predicate("1.0.0")
	subject := must[string](t)(approval.SubjectDigest(p, subjects))
	stmt := voteStatement(t, p, approval.VoteApprove, subject)
	erin := s.Statement(t, "erin@example.org", issuer, stmt)
	v, err := approval.VerifyVote(erin, h.trust, subject)
	if err != nil || v.Voter != "erin" {
		t.Fatalf("VerifyVote = %+v, %v", v, err)
	}
	_, err = approval.VerifyVote(s.Statement(t, "erin@evil.example", issuer, stmt), h.trust, subject)
	wantErr(t, "unregistered identity", err, approval.ErrVote, attest.ErrIdentity)
	_, err = approval.VerifyVote(attesttest.New(t).Statement(t, "erin@example.org", issuer, stmt), h.trust, subject)
	wantErr(t, "another Sigstore", err, approval.ErrVote, attest.ErrUnverified)

	check := func(votes ...jsontext.Value) error {
		signed := *p
		signed.Votes = votes
		bundle, _, err := approval.Sign(t.Context(), h.approval, &signed, subjects)
		if err != nil {
			t.Fatal(err)
		}
		_, err = approval.Verify(bundle, h.trust, start)
		return err
	}
	if err := check(erin, vote(t, h.alice, p, approval.VoteApprove)); err != nil {
		t.Errorf("one identity and one key: %v", err)
	}
	wantErr(t, "one certificate identity under two registrations",
		check(erin, s.Statement(t, "erin@example.org", issuer, stmt)), approval.ErrQuorum)
}

func TestVerifyVoteRefuses(t *testing.T) {
	h := newHouse(t)
	p := predicate("1.0.0")
	subject := must[string](t)(approval.SubjectDigest(p, subjects))
	good := voteOn(t, h.alice, p, approval.VoteApprove, subject)
	edit := func(f func(*attest.Statement, map[string]any)) []byte { return resign(t, h.alice, good, h.alice, f) }
	approvalBundle, _ := h.approve(t, "1.0.0")
	for name, c := range map[string]struct {
		bundle []byte
		want   error
	}{
		"unregistered":  {voteOn(t, newKey(t), p, approval.VoteApprove, subject), attest.ErrUnverified},
		"other subject": {voteOn(t, h.alice, p, approval.VoteApprove, sum("x")), approval.ErrSubject},
		"sha256 subject": {edit(func(s *attest.Statement, _ map[string]any) {
			s.Subjects[0].Digest = map[string]string{"sha256": subject}
		}), approval.ErrVote},
		"two subjects":     {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects = append(s.Subjects, s.Subjects[0]) }), approval.ErrVote},
		"unknown decision": {edit(func(_ *attest.Statement, v map[string]any) { v["decision"] = "maybe" }), approval.ErrVote},
		"unknown member":   {edit(func(_ *attest.Statement, v map[string]any) { v["onlyIf"] = "it rains" }), approval.ErrMalformed},
		"no date":          {edit(func(_ *attest.Statement, v map[string]any) { delete(v, "at") }), approval.ErrVote},
		"other predicate":  {edit(func(s *attest.Statement, _ map[string]any) { s.PredicateType = attest.PredicateApproval }), approval.ErrVote},
		"other registry":   {edit(func(_ *attest.Statement, v map[string]any) { v["registry"] = "x" }), approval.ErrRegistry},
		"an approval":      {approvalBundle, attest.ErrUnverified},
		"huge":             {bytes.Repeat([]byte(" "), approval.MaxVote+1), approval.ErrVote},
	} {
		if _, err := approval.VerifyVote(c.bundle, h.trust, subject); !errors.Is(err, c.want) || !errors.Is(err, approval.ErrVote) {
			t.Errorf("%s: err = %v, want ErrVote and %v", name, err, c.want)
		}
	}
}

// The order in which a registry happens to hold things is no part of the subject.
func TestSubjectDigestIgnoresOrder(t *testing.T) {
	a, b := predicate("1.0.0"), predicate("1.0.0")
	b.Entries = []approval.Entry{b.Entries[1], b.Entries[0]}
	b.Launch.EnvNames = []string{"API_KEY", "HOME", "HOME"}
	b.Votes, b.Checklist, b.Expires = []jsontext.Value{jsontext.Value(`{}`)}, "", b.Expires.AddDate(1, 0, 0)
	b.Annotations["forecast"] = jsontext.Value(` { "readOnlyHint" : true } `)
	da := must[string](t)(approval.SubjectDigest(a, subjects))
	db := must[string](t)(approval.SubjectDigest(b, subjects))
	if da != db {
		t.Errorf("%s != %s", da, db)
	}
	if dc := must[string](t)(approval.SubjectDigest(a, approval.Subjects{Artifact: subjects.Artifact})); dc == da {
		t.Error("the SBOM is not part of the subject")
	}
}

func TestSignRefuses(t *testing.T) {
	h := newHouse(t)
	for name, f := range map[string]func(*approval.Predicate, *approval.Subjects){
		"no registry":        func(p *approval.Predicate, _ *approval.Subjects) { p.Registry = "" },
		"no tenant":          func(p *approval.Predicate, _ *approval.Subjects) { p.Tenant = "" },
		"space in the alias": func(p *approval.Predicate, _ *approval.Subjects) { p.Alias = "a b" },
		"version range":      func(p *approval.Predicate, _ *approval.Subjects) { p.Version = "^1.0.0" },
		"short version":      func(p *approval.Predicate, _ *approval.Subjects) { p.Version = "1.0" },
		"no artifact":        func(_ *approval.Predicate, s *approval.Subjects) { s.Artifact = "" },
		"upper-case digest":  func(_ *approval.Predicate, s *approval.Subjects) { s.SBOM = "AB" + s.SBOM[2:] },
		"no listing":         func(p *approval.Predicate, _ *approval.Subjects) { p.Roots = nil; p.Entries = nil },
		"no dates":           func(p *approval.Predicate, _ *approval.Subjects) { p.NotBefore = time.Time{} },
		"invalid UTF-8":      func(p *approval.Predicate, _ *approval.Subjects) { p.Entries[0].Key = "\xff" },
		"bad annotation": func(p *approval.Predicate, _ *approval.Subjects) {
			p.Annotations["x"] = jsontext.Value(`{"a":1,"a":2}`)
		},
	} {
		p, s := predicate("1.0.0"), subjects
		f(p, &s)
		if _, _, err := approval.Sign(t.Context(), h.approval, p, s); !errors.Is(err, approval.ErrMalformed) {
			t.Errorf("%s: err = %v, want ErrMalformed", name, err)
		}
	}
}
