package assess

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/sbom/vex"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

var now = time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)

const server = "pkg:npm/%40acme/weather@1.0.0"

func database(t *testing.T) *Database {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string]string{
		"1.json": `{"id":"GHSA-high","modified":"2026-11-09T00:00:00Z","aliases":["CVE-1"],"database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"npm","name":"bad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`,
		"2.json": `{"id":"GHSA-low","modified":"2026-11-08T00:00:00Z","database_specific":{"severity":"LOW"},"affected":[{"package":{"ecosystem":"npm","name":"meh"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`,
		"3.json": `{"id":"MAL-1","modified":"2026-11-08T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["1.0.0"]}]}`,
		"4.json": `{"id":"GHSA-none","modified":"2026-11-08T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"unrated"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`,
		"5.json": `{"id":"PYSEC-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"old"},"versions":["1.0"]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := vulnerability.Import(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Database{Database: db, Imported: now.Add(-time.Hour)}
}

func bill(purls ...string) Bill {
	b := Bill{Server: server, Complete: true}
	for _, p := range purls {
		b.Components = append(b.Components, Component{Purl: p, Name: p})
	}
	return b
}

func statement(t *testing.T, id, purl, status, made string, publisher bool) Statements {
	t.Helper()
	d, err := vex.Parse([]byte(`{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"` + made + `","statements":[{"vulnerability":{"name":"` + id + `"},"products":[{"@id":"` + purl + `"}],"status":"` + status + `","impact_statement":"looked at"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return Statements{Document: d, Digest: "sha256:vex", Signer: "operator", Publisher: publisher}
}

func TestResults(t *testing.T) {
	incomplete := bill("pkg:npm/good@1.0.0")
	incomplete.Complete = false
	strict, lax := DefaultPolicy(), DefaultPolicy()
	strict.FailAt, lax.Unrated = vulnerability.Low, vulnerability.Low
	for name, tc := range map[string]struct {
		bill   Bill
		policy Policy
		want   Result
		counts int
		gaps   int
	}{
		"clean":             {bill("pkg:npm/good@1.0.0", "pkg:npm/bad@2.0.0"), DefaultPolicy(), Clean, 0, 0},
		"vulnerable":        {bill("pkg:npm/bad@1.0.0"), DefaultPolicy(), Vulnerable, 1, 0},
		"tolerated":         {bill("pkg:npm/meh@1.0.0"), DefaultPolicy(), Tolerated, 0, 0},
		"a lower limit":     {bill("pkg:npm/meh@1.0.0"), strict, Vulnerable, 1, 0},
		"nobody rated it":   {bill("pkg:npm/unrated@1.0.0"), DefaultPolicy(), Vulnerable, 1, 0},
		"unrated as low":    {bill("pkg:npm/unrated@1.0.0"), lax, Tolerated, 0, 0},
		"malicious":         {bill("pkg:npm/evil@1.0.0", "pkg:npm/meh@1.0.0"), DefaultPolicy(), Vulnerable, 1, 0},
		"no package URL":    {Bill{Components: []Component{{Name: "lib"}}, Complete: true}, DefaultPolicy(), Unmeasured, 0, 1},
		"no version":        {bill("pkg:npm/good"), DefaultPolicy(), Unmeasured, 0, 1},
		"not in the export": {bill("pkg:cargo/good@1.0.0"), DefaultPolicy(), Unmeasured, 0, 1},
		"not comparable":    {bill("pkg:npm/bad@workspace"), DefaultPolicy(), Unmeasured, 0, 1},
		"stale":             {bill("pkg:pypi/good@1.0"), DefaultPolicy(), Unmeasured, 0, 0},
		"stale and found":   {bill("pkg:pypi/old@1.0"), DefaultPolicy(), Vulnerable, 1, 0},
		"stale, not needed": {bill("pkg:npm/good@1.0.0"), DefaultPolicy(), Clean, 0, 0},
		"incomplete SBOM":   {incomplete, DefaultPolicy(), Unmeasured, 0, 0},
		"found, and a gap":  {bill("pkg:npm/bad@1.0.0", "pkg:npm/good"), DefaultPolicy(), Vulnerable, 1, 1},
		"an unknown server": {Bill{Server: "pkg:generic/acme@1.0.0", Components: []Component{{Purl: "pkg:npm/good@1.0.0"}}, Complete: true}, DefaultPolicy(), Clean, 0, 0},
		"the server itself": {Bill{Server: "pkg:npm/evil@1.0.0", Complete: true}, DefaultPolicy(), Vulnerable, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Assess(tc.bill, database(t), nil, tc.policy, now)
			if err != nil {
				t.Fatal(err)
			}
			if r.Result != tc.want || len(r.Counting()) != tc.counts || len(r.Unmeasured) != tc.gaps {
				t.Errorf("%+v", r)
			}
			if r.Database == nil || r.Database.Digest == "" || r.Database.Imported.IsZero() || r.Database.Newest.IsZero() {
				t.Errorf("the database is not named: %+v", r.Database)
			}
			if (r.Result == Unmeasured) && len(r.Why) == 0 {
				t.Error("unmeasured without a reason")
			}
		})
	}
}

func TestNoDatabase(t *testing.T) {
	r, err := Assess(bill(), nil, nil, DefaultPolicy(), now)
	if err != nil || r.Result != Unmeasured || r.Database != nil || len(r.Why) != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestStatements attacks suppression: who may, for how long, for what.
func TestStatements(t *testing.T) {
	const bad = "pkg:npm/bad@1.0.0"
	recent := "2026-11-01T00:00:00Z"
	trusting := DefaultPolicy()
	trusting.PublisherStatements = true
	for name, tc := range map[string]struct {
		component  string
		statements []Statements
		policy     Policy
		suppressed bool
		status     vex.Status
	}{
		"operator":                    {bad, []Statements{statement(t, "CVE-1", bad, "not_affected", recent, false)}, DefaultPolicy(), true, vex.NotAffected},
		"expired":                     {bad, []Statements{statement(t, "CVE-1", bad, "not_affected", "2026-01-01T00:00:00Z", false)}, DefaultPolicy(), false, vex.NotAffected},
		"from the future":             {bad, []Statements{statement(t, "CVE-1", bad, "not_affected", "2099-01-01T00:00:00Z", false)}, DefaultPolicy(), false, vex.NotAffected},
		"affected":                    {bad, []Statements{statement(t, "CVE-1", bad, "affected", recent, false)}, DefaultPolicy(), false, vex.Affected},
		"publisher, informational":    {bad, []Statements{statement(t, "CVE-1", bad, "not_affected", recent, true)}, DefaultPolicy(), false, vex.NotAffected},
		"publisher, policy says so":   {bad, []Statements{statement(t, "CVE-1", bad, "fixed", recent, true)}, trusting, true, vex.Fixed},
		"publisher newer, no say":     {bad, []Statements{statement(t, "CVE-1", bad, "affected", "2026-10-01T00:00:00Z", false), statement(t, "CVE-1", bad, "fixed", recent, true)}, DefaultPolicy(), false, vex.Affected},
		"newer of two":                {bad, []Statements{statement(t, "CVE-1", bad, "not_affected", "2026-10-01T00:00:00Z", false), statement(t, "CVE-1", bad, "under_investigation", recent, false)}, DefaultPolicy(), false, vex.UnderInvestigation},
		"malware, says the publisher": {"pkg:npm/evil@1.0.0", []Statements{statement(t, "MAL-1", "pkg:npm/evil@1.0.0", "not_affected", recent, true)}, trusting, false, vex.NotAffected},
		"malware, says the operator":  {"pkg:npm/evil@1.0.0", []Statements{statement(t, "MAL-1", "pkg:npm/evil@1.0.0", "not_affected", recent, false)}, DefaultPolicy(), true, vex.NotAffected},
		"another version":             {bad, []Statements{statement(t, "CVE-1", "pkg:npm/bad@1.0.1", "not_affected", recent, false)}, DefaultPolicy(), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Assess(bill(tc.component), database(t), tc.statements, tc.policy, now)
			if err != nil || len(r.Findings) != 1 {
				t.Fatalf("%+v %v", r, err)
			}
			f := r.Findings[0]
			if f.Suppressed != tc.suppressed || f.Counts == tc.suppressed {
				t.Errorf("%+v", f)
			}
			if tc.status == "" {
				if f.Statement != nil {
					t.Errorf("%+v", f.Statement)
				}
			} else if f.Statement.Status != tc.status || f.Statement.Signer == "" || f.Statement.Expires.IsZero() {
				t.Errorf("%+v", f.Statement)
			}
		})
	}
}

// TestBasis holds that an answer outlives a database that changes nothing.
func TestBasis(t *testing.T) {
	r, err := Assess(bill("pkg:npm/bad@1.0.0"), database(t), nil, DefaultPolicy(), now)
	if err != nil {
		t.Fatal(err)
	}
	later, err := Assess(bill("pkg:npm/bad@1.0.0"), database(t), nil, DefaultPolicy(), now.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Basis(), later.Basis()); diff != "" {
		t.Error(diff)
	}
	more, err := Assess(bill("pkg:npm/bad@1.0.0", "pkg:npm/evil@1.0.0"), database(t), nil, DefaultPolicy(), now)
	if err != nil || cmp.Equal(r.Basis(), more.Basis()) || more.Worst() != vulnerability.Critical || r.Worst() != vulnerability.High {
		t.Errorf("%v %s %v", more.Basis(), more.Worst(), err)
	}
}
