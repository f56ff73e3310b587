package secrets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Rules of the scanner that speak of credentials; the others speak of people
// and addresses.
const (
	rulePrivateKey = "exfil.private-key"
	ruleToken      = "exfil.provider-token"
)

var credentialRules = map[string]bool{
	rulePrivateKey: true, ruleToken: true, "exfil.aws-key-pair": true, "exfil.jwt": true,
	"exfil.url-password": true, "exfil.auth-header": true, "exfil.assigned-secret": true,
}

// manyFindings is where the engine stops in one message.
const manyFindings = 1024

// text is a part of a file, of server.json or of the launch.
type text struct {
	body   string
	where  string // "" takes the file's
	offset int64  // of its first byte in the file
	line   int    // of its first byte; 0 where there are no lines
}

// judge asks the scanner about texts that stand in one place.
func (f *Finder) judge(ctx context.Context, r *Report, place, where string, texts []text) error {
	if len(texts) == 0 {
		return nil
	}
	m := &message.Message{Phase: message.PhaseResource, Segments: make([]message.Segment, len(texts))}
	for i, t := range texts {
		// Fixed: texts are parts of a file already, and not to be joined.
		m.Segments[i] = message.Segment{Kind: message.KindText, Pointer: fmt.Sprintf("/%d", i), Text: t.body, Source: i, Fixed: true}
	}
	v := f.set.Scan(ctx, m)
	if err := ended(ctx); err != nil {
		return err
	}
	// Files are examined as they are. That the engine had no room for all that
	// can be decoded from one leaves nothing of it out, and is no failure.
	if len(v.Failures) > 0 || len(v.Findings) >= manyFindings {
		r.Unexamined = "the scanner did not finish " + where
	}
	// What was decoded is placed in the whole text alone: it is told where the
	// text as it stands does not say the same.
	slices.SortStableFunc(v.Findings, func(a, b engine.Finding) int { return cmp.Compare(len(a.Provenance), len(b.Provenance)) })
	said := map[[2]string]bool{}
	for i := range v.Findings {
		g := &v.Findings[i]
		t := &texts[segmentOf(g.Pointer)]
		if g.End > len(t.body) || g.Start >= g.End || !credentialRules[g.Rule] || g.Provenance != "" && said[[2]string{g.Pointer, g.Rule}] {
			continue
		}
		if g.Rule == rulePrivateKey && g.Provenance == "" && !holdsKey(t.body[g.Start:]) {
			continue
		}
		said[[2]string{g.Pointer, g.Rule}] = true
		h := Hit{Place: place, Where: cmp.Or(t.where, where), Rule: g.Rule, Mark: f.mark(t.body[g.Start:g.End]), Counts: counts(place, g)}
		if t.line > 0 {
			h.Line = t.line + strings.Count(t.body[:g.Start], "\n")
		} else if place != PlaceDescription && place != PlaceLaunch {
			h.At = t.offset + int64(g.Start)
		}
		r.add(h)
	}
	return nil
}

func segmentOf(pointer string) (n int) {
	for _, c := range pointer[1:] {
		n = n*10 + int(c-'0')
	}
	return n
}

// counts decides what holds a version back: everything in settings, server.json
// and launch; in other files of the publisher's own what is a credential beyond
// doubt; and anywhere at all, tests and dependencies included, a token whose
// checksum is right, since nobody makes that up.
func counts(place string, f *engine.Finding) bool {
	sure := f.Severity.AtLeast(engine.SeverityHigh)
	switch {
	case f.Rule == ruleToken && sure && f.Confidence >= 0.99:
		return true
	case place == PlaceDescription || place == PlaceLaunch:
		return f.Severity.AtLeast(engine.SeverityMedium)
	case place == PlaceConfiguration:
		// A token of a weak form is a public identifier as often as not.
		return sure || f.Severity.AtLeast(engine.SeverityMedium) && f.Rule != ruleToken
	}
	return place == PlaceOwn && sure
}

// holdsKey reports that what follows the heading of a key is one, and not the
// next string of a program that reads keys: DER (RFC 5958, 8017, 5915) and
// OpenSSH private keys begin alike, encrypted ones have headers (RFC 1421), and
// PuTTY's say where the private part begins.
func holdsKey(block string) bool {
	block = block[:min(len(block), keyReach)]
	if rest, putty := strings.CutPrefix(block, "PuTTY-User-Key-File-"); putty {
		return len(rest) > 1 && rest[1] == ':' && strings.Contains(rest, "Private-Lines:")
	}
	label, rest, _ := strings.Cut(strings.TrimPrefix(block, "-----BEGIN "), "-----")
	if strings.Contains(rest[:min(len(rest), 80)], "Proc-Type:") {
		return true
	}
	rest = strings.TrimLeft(strings.NewReplacer(`\n`, "\n", `\r`, "\n").Replace(rest), " \t\r\n\"'`+,\\")
	if strings.HasPrefix(label, "PGP ") { // armour has headers, then a blank line (RFC 9580)
		return strings.Contains(rest, "-----END PGP PRIVATE KEY")
	}
	run := 0
	for run < len(rest) && (rest[run] >= 'a' && rest[run] <= 'z' || rest[run] >= 'A' && rest[run] <= 'Z' || rest[run] >= '0' && rest[run] <= '9' || rest[run] == '+' || rest[run] == '/') {
		run++
	}
	return run >= 32 && (rest[0] == 'M' || strings.HasPrefix(rest, "b3BlbnNzaC1rZXkt"))
}
