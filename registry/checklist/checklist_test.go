package checklist

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
)

// honest is a publication that every automatic item passes.
func honest() *Facts {
	return &Facts{
		Document: &serverjson.Document{
			Name: "io.github.acme/weather", Version: "1.0.0", Repository: &serverjson.Repository{URL: "https://git.example/x"},
			Packages: []serverjson.Package{{Environment: []serverjson.Input{{Name: "TOKEN", Secret: true}}}},
			Remotes:  []serverjson.Remote{{Type: "streamable-http", URL: "https://acme.example/mcp"}},
		},
		Publisher: "alice", Namespaces: []string{"io.github.acme"}, Bundles: 1, Signers: []admission.Signer{{KeyID: "k", Provenance: &provenance.Facts{Builder: "https://build.example", Repository: "https://git.example/x"}}},
		Signed: "sha256:1", Artifact: "sha256:1", ListingSource: "operator", Binding: "command",
		Launch:          admission.Launch{Command: []string{"node", "index.js"}, EnvNames: []string{"TOKEN"}},
		Scopes:          []string{"weather:read"},
		Listings:        tools(`{"name":"get_forecast","description":"Gets it","inputSchema":{"type":"object","properties":{"city":{"description":"Name"}}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}`),
		Scan:            Scan{Scanners: []string{"x@y"}, Action: "allow"},
		SBOM:            SBOM{Digest: "sha256:2", Complete: true, Components: 3},
		Vulnerabilities: &assess.Report{Result: assess.Clean, Database: &assess.DatabaseState{Digest: "sha256:3"}, Components: 3},
		Licences:        Licences{Configured: true, Allowed: 3},
		Probe:           &Probe{Report: "sha256:3", Runs: 4},
	}
}

func tools(raw ...string) []listing.Listing {
	l := listing.Listing{Era: "legacy"}
	for _, r := range raw {
		l.Tools = append(l.Tools, jsontext.Value(r))
	}
	return []listing.Listing{l}
}

func answers(t *testing.T, f *Facts) map[string]Answer {
	t.Helper()
	all, err := Answers(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Answer{}
	for _, a := range all {
		if _, twice := out[a.Item.Code]; twice {
			t.Errorf("item %s twice", a.Item.Code)
		}
		if a.Evidence == nil && a.Item.Result != admission.Unanswered {
			t.Errorf("%s: result %s with evidence %s", a.Item.Code, a.Item.Result, a.Evidence)
		}
		out[a.Item.Code] = a
	}
	return out
}

func TestHonestPublicationPasses(t *testing.T) {
	automatic := 0
	for code, a := range answers(t, honest()) {
		if a.Item.Class == admission.Automatic {
			automatic++
			if a.Item.Result != admission.Pass {
				t.Errorf("%s: %s %s", code, a.Item.Result, a.Item.Note)
			}
		} else if a.Item.Result != admission.Unanswered {
			t.Errorf("%s is for people, but %s", code, a.Item.Result)
		}
	}
	if automatic < 12 {
		t.Errorf("%d automatic items", automatic)
	}
}

func TestRules(t *testing.T) {
	one := func(tool string) func(*Facts) { return func(f *Facts) { f.Listings = tools(tool) } }
	for name, tc := range map[string]struct {
		change func(*Facts)
		code   string
		want   admission.Result
		note   string // part of the note or evidence
	}{
		"unsigned":             {func(f *Facts) { f.Signers, f.Bundles = nil, 0 }, "SRC-1", admission.Fail, "no bundle"},
		"digest mismatch":      {func(f *Facts) { f.SignatureReason = []admission.Reason{{Code: admission.ReasonDigestMismatch}} }, "SRC-2", admission.Fail, "sha256:1"},
		"incomplete SBOM":      {func(f *Facts) { f.SBOM.Complete, f.SBOM.Reasons = false, []string{"no lockfile"} }, "SRC-4", admission.Fail, "no lockfile"},
		"remote without code":  {func(f *Facts) { f.Artifact, f.Binding = "", "endpoint" }, "SRC-4", admission.NotNeeded, "neither bound"},
		"command without code": {func(f *Facts) { f.Artifact, f.SBOM = "", SBOM{} }, "SRC-4", admission.Fail, "incomplete"},
		"no licence":           {func(f *Facts) { f.SBOM.Unlicensed = []string{"x@1"} }, "SRC-5", admission.Fail, "x@1"},
		"nothing to license":   {func(f *Facts) { f.SBOM = SBOM{} }, "SRC-5", admission.Unanswered, "unmeasured"},
		"vulnerable": {func(f *Facts) {
			f.Vulnerabilities.Result, f.Vulnerabilities.Findings = assess.Vulnerable, []assess.Finding{{Component: "pkg:npm/x@1", Counts: true}}
		}, "SRC-8", admission.Fail, "pkg:npm/x@1"},
		"stale database":    {func(f *Facts) { f.Vulnerabilities.Result, f.Vulnerabilities.Why = assess.Unmeasured, []string{"old"} }, "SRC-8", admission.Unanswered, "unmeasured: old (database sha256:3"},
		"no database":       {func(f *Facts) { f.Vulnerabilities = &assess.Report{Result: assess.Unmeasured, Why: []string{"none"}} }, "SRC-8", admission.Unanswered, "unmeasured: none"},
		"tolerated":         {func(f *Facts) { f.Vulnerabilities.Result = assess.Tolerated }, "SRC-8", admission.Pass, "sha256:3"},
		"denied licence":    {func(f *Facts) { f.Licences.Denied = []Licensed{{"pkg:npm/x@1", []string{"AGPL-3.0-only"}}} }, "SRC-9", admission.Fail, "AGPL-3.0-only"},
		"unknown licence":   {func(f *Facts) { f.Licences.Review = []Licensed{{"pkg:npm/x@1", nil}} }, "SRC-9", admission.Unanswered, "pkg:npm/x@1"},
		"no licence policy": {func(f *Facts) { f.Licences = Licences{} }, "SRC-9", admission.Unanswered, "unmeasured"},
		"no provenance":     {func(f *Facts) { f.Signers[0].Provenance = nil }, "SRC-10", admission.Fail, "no signature names"},
		"another repository": {func(f *Facts) {
			f.Signers[0].Certified = &provenance.Facts{Repository: "https://git.example/y"}
		}, "SRC-10", admission.Fail, "git.example/y"},
		"undeclared repository":  {func(f *Facts) { f.Document.Repository = nil }, "SRC-10", admission.Fail, "declares no repository"},
		"another spelling":       {func(f *Facts) { f.Document.Repository.URL = "git+https://GIT.example/x.git" }, "SRC-10", admission.Pass, "git.example/x"},
		"nothing was built":      {func(f *Facts) { f.Artifact = "" }, "SRC-10", admission.NotNeeded, "no artifact"},
		"no documentation":       {func(f *Facts) { f.Document.Repository = nil }, "SRC-6", admission.Fail, "neither"},
		"vague name":             {one(`{"name":"execute","inputSchema":{}}`), "TOOL-1", admission.Fail, "execute"},
		"vague with an object":   {one(`{"name":"run_query","inputSchema":{}}`), "TOOL-1", admission.Pass, ""},
		"broken tool":            {one(`{"name":7}`), "TOOL-1", admission.Fail, "/tools/0"},
		"no tools":               {func(f *Facts) { f.Listings = tools() }, "TOOL-1", admission.NotNeeded, ""},
		"hidden character":       {one(`{"name":"a_b","description":"x\u200by","inputSchema":{}}`), "TOOL-2", admission.Fail, "U+200B"},
		"hidden in a key":        {one(`{"name":"a_b","inputSchema":{"properties":{"x\u202ey":{}}}}`), "TOOL-2", admission.Fail, "U+202E"},
		"no description":         {one(`{"name":"a_b","description":" ","inputSchema":{}}`), "TOOL-3", admission.Fail, "a_b"},
		"undocumented":           {one(`{"name":"a_b","inputSchema":{"properties":{"city":{"type":"string"},"day":true}}}`), "TOOL-4", admission.Fail, "a_b.city"},
		"no output schema":       {one(`{"name":"a_b","inputSchema":{}}`), "TOOL-5", admission.Fail, "a_b"},
		"finding":                {func(f *Facts) { f.Scan.Action = "flag" }, "TOOL-6", admission.Fail, "flag"},
		"failure":                {func(f *Facts) { f.Scan.Failures = []admission.Failure{{Scanner: "x"}} }, "TOOL-6", admission.Fail, ""},
		"no scanners":            {func(f *Facts) { f.Scan.Scanners = nil }, "TOOL-6", admission.Unanswered, "unmeasured"},
		"read-only deletion":     {one(`{"name":"deleteUser","inputSchema":{},"annotations":{"readOnlyHint":true}}`), "TOOL-7", admission.Fail, "readOnlyHint"},
		"harmless deletion":      {one(`{"name":"drop-table","inputSchema":{},"annotations":{"destructiveHint":false}}`), "TOOL-7", admission.Fail, "destructiveHint"},
		"shadowing":              {func(f *Facts) { f.Shadowed = []Collision{{"a", "s", "A"}} }, "TOOL-8", admission.Fail, "\"s\""},
		"listed twice":           {func(f *Facts) { f.Held = []Entry{{"legacy", "tool", "a"}} }, "TOOL-9", admission.Fail, "legacy"},
		"undeclared scopes":      {func(f *Facts) { f.Scopes = nil }, "PERM-1", admission.Fail, "declares no"},
		"no scopes needed":       {func(f *Facts) { f.Scopes = []string{} }, "PERM-1", admission.Pass, "needs none"},
		"tool without listing":   {func(f *Facts) { f.Declaration.Unlisted = []string{"ghost"} }, "PERM-1", admission.Fail, "ghost"},
		"permissions and launch": {func(f *Facts) { f.Launch.EnvNames = []string{"X"}; f.Declaration.UndeclaredEnv = []string{"X"} }, "AUTH-1", admission.Fail, "X"},
		"no classes of data":     {func(*Facts) {}, "DATA-1", admission.Unanswered, ""},
		"classes of data": {func(f *Facts) {
			f.Declaration.Permissions = &permission.Declaration{Needs: permission.Needs{Data: []permission.Data{{Flow: "outbound", Classification: "PII"}}}}
		}, "DATA-1", admission.Pass, "outbound PII"},
		"declares no data": {func(f *Facts) {
			f.Declaration.Permissions = &permission.Declaration{Needs: permission.Needs{Data: []permission.Data{}}}
		}, "DATA-1", admission.Pass, "none"},
		"certificate": {func(f *Facts) {
			f.TLS = &admission.TLS{Version: "TLS 1.3", Chain: []admission.Certificate{{NotAfter: time.Unix(1900000000, 0).UTC()}}}
		}, "NET-1", admission.Pass, "TLS 1.3; its certificate ends 2030-03-17"},
		"undeclared variable":    {func(f *Facts) { f.Launch.EnvNames = []string{"HOME"} }, "AUTH-1", admission.Fail, "HOME"},
		"a secret":               {func(f *Facts) { f.Secrets.Held = []string{"a.env line 3 (x)"} }, "AUTH-2", admission.Fail, "a.env line 3"},
		"a secret, half seen":    {func(f *Facts) { f.Secrets = Secrets{Held: []string{"a.env"}, Unexamined: "x"} }, "AUTH-2", admission.Fail, "a.env"},
		"secrets unexamined":     {func(f *Facts) { f.Secrets.Unexamined = "no scanner" }, "AUTH-2", admission.Unanswered, "no scanner"},
		"test keys":              {func(f *Facts) { f.Secrets.Others = 3 }, "AUTH-2", admission.Pass, "3 places"},
		"plain endpoint":         {func(f *Facts) { f.Document.Remotes[0].URL = "http://acme.example/mcp" }, "NET-1", admission.Fail, "http://"},
		"plain loopback":         {func(f *Facts) { f.Document.Remotes[0].URL = "http://127.0.0.1:1/mcp" }, "NET-1", admission.Pass, ""},
		"loopback in disguise":   {func(f *Facts) { f.Document.Remotes[0].URL = "http://127.0.0.1.evil.example/mcp" }, "NET-1", admission.Fail, "evil"},
		"nothing binds":          {func(f *Facts) { f.Binding = "" }, "NET-2", admission.Fail, ""},
		"leak":                   {func(f *Facts) { f.Probe.Leaks = []string{"~/.npmrc in network"} }, "TOOL-12", admission.Fail, "npmrc"},
		"attempt to break out":   {func(f *Facts) { f.Probe.Attacks = []string{"ptrace"} }, "TOOL-12", admission.Fail, "ptrace"},
		"two faces":              {func(f *Facts) { f.Probe.Differences = []string{"tool x"} }, "TOOL-13", admission.Fail, "tool x"},
		"undeclared file":        {func(f *Facts) { f.Probe.Files = []string{"read ~/.ssh/id"} }, "PERM-4", admission.Fail, ".ssh"},
		"undeclared program":     {func(f *Facts) { f.Probe.Programs = []string{"/bin/sh"} }, "PERM-4", admission.Fail, "/bin/sh"},
		"undeclared destination": {func(f *Facts) { f.Probe.Network = []string{"evil.example:443"} }, "NET-4", admission.Fail, "evil"},
		"not probed":             {func(f *Facts) { f.Probe = nil }, "NET-4", admission.Unanswered, "unmeasured"},
		"nothing to probe":       {func(f *Facts) { f.Probe, f.Binding = nil, "endpoint" }, "NET-4", admission.NotNeeded, "endpoint"},
		"the inventory is there": {func(*Facts) {}, "POL-1", admission.Pass, "io.github.acme/weather"},
	} {
		t.Run(name, func(t *testing.T) {
			f := honest()
			tc.change(f)
			a := answers(t, f)[tc.code]
			if a.Item.Result != tc.want || !strings.Contains(a.Item.Note+string(a.Evidence), tc.note) {
				t.Errorf("%s: %s %q %s", tc.code, a.Item.Result, a.Item.Note, a.Evidence)
			}
		})
	}
}

func TestEvidenceIsStable(t *testing.T) {
	first, second := answers(t, honest()), answers(t, honest())
	for code, a := range first {
		if string(a.Evidence) != string(second[code].Evidence) {
			t.Errorf("%s differs between two runs", code)
		}
	}
}

// TestUnmeasuredHoldsUp holds that an approval waits where something should
// have been measured, and only there.
func TestUnmeasuredHoldsUp(t *testing.T) {
	now := time.Now()
	blocks := func(change func(*Facts), code string) bool {
		f := honest()
		change(f)
		return answers(t, f)[code].Item.Blocks(now)
	}
	none := func(f *Facts) { f.Vulnerabilities = &assess.Report{Result: assess.Unmeasured, Why: []string{"none"}} }
	if blocks(none, "SRC-8") {
		t.Error("an installation without a database can approve nothing")
	}
	if !blocks(func(f *Facts) { none(f); f.MustMeasure = true }, "SRC-8") {
		t.Error("required, and not measured")
	}
	if !blocks(func(f *Facts) { f.Vulnerabilities.Result = assess.Unmeasured }, "SRC-8") {
		t.Error("a database that cannot answer holds nothing up")
	}
	if blocks(func(f *Facts) { f.Licences = Licences{} }, "SRC-9") || !blocks(func(f *Facts) { f.Licences.Review = []Licensed{{"x", nil}} }, "SRC-9") {
		t.Error("licences")
	}
}
