package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// maxRoots bounds a folder of trusted roots.
const maxRoots = 64

// TrustedRoot holds the certificate authorities, transparency logs and
// timestamp authorities that an operator trusts: one Sigstore deployment or
// several. Deployments are never mixed: a certificate of one is worth nothing
// with a log entry of another.
type TrustedRoot struct{ deployments []*deployment }

// deployment is one trusted_root.json.
type deployment struct {
	digest   string
	material *root.TrustedRoot
	verifier *verify.Verifier
}

// JoinRoots trusts every deployment of several roots, as a rotation needs while
// the old one and the new one both sign.
func JoinRoots(roots ...*TrustedRoot) *TrustedRoot {
	joined := new(TrustedRoot)
	for _, r := range roots {
		for _, d := range r.deployments {
			if !slices.ContainsFunc(joined.deployments, func(x *deployment) bool { return x.digest == d.digest }) {
				joined.deployments = append(joined.deployments, d)
			}
		}
	}
	return joined
}

// Digests are the SHA-256 of the files that the root was read from, sorted:
// equal digests mean equal trust.
func (r *TrustedRoot) Digests() []string {
	var all []string
	for _, d := range r.deployments {
		all = append(all, d.digest)
	}
	slices.Sort(all)
	return all
}

// LoadTrustedRoot reads a Sigstore trusted_root.json from disk, or every file
// *.json of a folder. It is never fetched.
func LoadTrustedRoot(path string) (*TrustedRoot, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	if !info.IsDir() {
		return loadRoot(path)
	}
	files, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	var all []*TrustedRoot
	for _, f := range files {
		if f.IsDir() || !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		r, err := loadRoot(filepath.Join(path, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		all = append(all, r)
	}
	if n := len(all); n == 0 || n > maxRoots {
		return nil, fmt.Errorf("%w: %s holds %d roots, want 1 to %d", ErrTrustedRoot, path, n, maxRoots)
	}
	return JoinRoots(all...), nil
}

func loadRoot(path string) (*TrustedRoot, error) {
	b, err := readBounded(path, MaxTrustedRoot, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	return ParseTrustedRoot(b)
}

// ParseTrustedRoot reads trusted_root.json. What the root provides is demanded
// of every signature: a log entry if it lists transparency logs, a certificate
// timestamp if it lists CT logs, and in any case an observed time, from a
// timestamp authority or a log. A root that provides neither of these two
// cannot date a short-lived certificate and is refused.
func ParseTrustedRoot(b []byte) (*TrustedRoot, error) {
	if len(b) > MaxTrustedRoot {
		return nil, fmt.Errorf("%w: trusted root of %d bytes", ErrTooLarge, len(b))
	}
	if !jsontext.Value(b).IsValid() {
		return nil, fmt.Errorf("%w: not strict JSON", ErrTrustedRoot)
	}
	material, err := root.NewTrustedRootFromJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	logs, tsas := len(material.RekorLogs()), len(material.TimestampingAuthorities())
	switch {
	case len(material.FulcioCertificateAuthorities()) == 0:
		return nil, fmt.Errorf("%w: no certificate authority", ErrTrustedRoot)
	case logs+tsas == 0:
		return nil, fmt.Errorf("%w: neither a transparency log nor a timestamp authority", ErrTrustedRoot)
	}
	opts := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	if logs > 0 {
		opts = append(opts, verify.WithTransparencyLog(1))
	}
	if len(material.CTLogs()) > 0 {
		opts = append(opts, verify.WithSignedCertificateTimestamps(1))
	}
	v, err := verify.NewVerifier(material, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	sum := sha256.Sum256(bytes.TrimSpace(b))
	return &TrustedRoot{[]*deployment{{hex.EncodeToString(sum[:]), material, v}}}, nil
}

// RootSummary is what a trusted root says of itself.
type RootSummary struct {
	Digest      string    `json:"digest"`
	Authorities []Period  `json:"authorities"`
	Logs        []Period  `json:"logs"`
	Stamps      []Period  `json:"timestampAuthorities"`
	CertLogs    []Period  `json:"certificateLogs"`
	Ends        time.Time `json:"ends,omitzero"` // when nothing new can be signed under it; zero: no end
}

// Period is the time in which an authority or log of a root is trusted.
type Period struct {
	Name  string    `json:"name"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"`
}

// ErrRootExpired: nothing can be signed under the root any more.
var ErrRootExpired = errors.New("attest: the trusted root has expired")

// Summaries describes every deployment.
func (r *TrustedRoot) Summaries() []RootSummary {
	var all []RootSummary
	for _, d := range r.deployments {
		all = append(all, d.summary())
	}
	return all
}

// Current refuses a root that holds a deployment under which nothing can be
// signed any more at this moment. One that is already in use stays, for the
// signatures of its time.
func (r *TrustedRoot) Current(now time.Time) error {
	for _, s := range r.Summaries() {
		if !s.Ends.IsZero() && now.After(s.Ends) {
			return fmt.Errorf("%w: %s ended %s", ErrRootExpired, s.Digest[:12], s.Ends.Format(time.RFC3339))
		}
	}
	return nil
}

func (d *deployment) summary() RootSummary {
	s := RootSummary{Digest: d.digest}
	for _, ca := range d.material.FulcioCertificateAuthorities() {
		if ca, ok := ca.(*root.FulcioCertificateAuthority); ok {
			s.Authorities = append(s.Authorities, Period{ca.URI, ca.ValidityPeriodStart, earlier(ca.ValidityPeriodEnd, ca.Root.NotAfter)})
		}
	}
	for _, tsa := range d.material.TimestampingAuthorities() {
		if tsa, ok := tsa.(*root.SigstoreTimestampingAuthority); ok {
			s.Stamps = append(s.Stamps, Period{tsa.URI, tsa.ValidityPeriodStart, earlier(tsa.ValidityPeriodEnd, tsa.Root.NotAfter)})
		}
	}
	s.Logs, s.CertLogs = periods(d.material.RekorLogs()), periods(d.material.CTLogs())
	// A signature needs an authority, and then a log if any is listed, and
	// a time: each kind is over when its last member is.
	s.Ends = ends(s.Authorities)
	if len(s.Logs) > 0 {
		s.Ends = earlier(s.Ends, ends(s.Logs))
	} else {
		s.Ends = earlier(s.Ends, ends(s.Stamps))
	}
	return s
}

func periods(logs map[string]*root.TransparencyLog) []Period {
	var all []Period
	for _, l := range logs {
		all = append(all, Period{l.BaseURL, l.ValidityPeriodStart, l.ValidityPeriodEnd})
	}
	slices.SortFunc(all, func(a, b Period) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ends is the end of the last period; zero if one has none.
func ends(all []Period) (last time.Time) {
	for _, p := range all {
		if p.End.IsZero() {
			return time.Time{}
		}
		if p.End.After(last) {
			last = p.End
		}
	}
	return last
}

// earlier is the earlier of two ends, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
