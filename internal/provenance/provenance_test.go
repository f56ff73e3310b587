package provenance_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/provenance"
)

const (
	v02 = `{"buildType":"https://github.com/npm/cli/gha@v0","builder":{"id":"https://github.com/npm/cli@9.5.0"},
"invocation":{"configSource":{"uri":"git+https://github.com/acme/weather@refs/heads/main","digest":{"sha1":"aa11"},"entryPoint":".github/workflows/release.yml"},"parameters":{}},
"metadata":{"buildInvocationId":"42-1"},"materials":[{"uri":"git+https://github.com/acme/weather","digest":{"sha1":"aa11"}}]}`
	v1 = `{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"refs/tags/v1","repository":"https://github.com/acme/weather","path":".github/workflows/release.yml"}},
"internalParameters":{"github":{}},"resolvedDependencies":[{"uri":"git+https://tools.example/x@v3","digest":{"gitCommit":"ff"}},{"uri":"git+https://GitHub.com/acme/weather.git@refs/tags/v1","digest":{"gitCommit":"bb22"}}]},
"runDetails":{"builder":{"id":"https://github.com/actions/runner/github-hosted"},"metadata":{"invocationId":"https://github.com/acme/weather/actions/runs/1/attempts/1"}}}`
	publish = `{"name":"@acme/weather","version":"1.2.0","registry":"https://npm.example"}`
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		kind, predicate string
		want            *provenance.Facts
	}{
		"SLSA v0.2": {provenance.SLSAv02, v02, &provenance.Facts{
			Builder: "https://github.com/npm/cli@9.5.0", BuildType: "https://github.com/npm/cli/gha@v0", Repository: "https://github.com/acme/weather",
			Ref: "refs/heads/main", Revision: "aa11", Workflow: ".github/workflows/release.yml", Invocation: "42-1",
		}},
		"SLSA v1": {provenance.SLSAv1, v1, &provenance.Facts{
			Builder: "https://github.com/actions/runner/github-hosted", BuildType: "https://actions.github.io/buildtypes/workflow/v1",
			Repository: "https://github.com/acme/weather", Ref: "refs/tags/v1", Revision: "bb22", Workflow: ".github/workflows/release.yml",
			Invocation: "https://github.com/acme/weather/actions/runs/1/attempts/1",
		}},
		"npm publish": {provenance.NPMPublish, publish, &provenance.Facts{Package: "@acme/weather", Version: "1.2.0", Registry: "https://npm.example"}},
		"another":     {"https://cyclonedx.org/bom", `{}`, nil},
	} {
		got, err := provenance.Read(c.kind, jsontext.Value(c.predicate))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if provenance.Understands(c.kind) != (c.want != nil) {
			t.Errorf("%s: Understands", name)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string][2]string{
		"none":            {provenance.SLSAv1, ``},
		"no builder":      {provenance.SLSAv1, strings.Replace(v1, `"id":"https://github.com/actions/runner/github-hosted"`, `"id":""`, 1)},
		"no build type":   {provenance.SLSAv1, strings.Replace(v1, `"buildType"`, `"kind"`, 1)},
		"v1 as v0.2":      {provenance.SLSAv02, v1},
		"v0.2 as v1":      {provenance.SLSAv1, v02},
		"twice":           {provenance.SLSAv02, strings.Replace(v02, `{"buildType"`, `{"builder":{"id":"x"},"buildType"`, 1)},
		"a list":          {provenance.SLSAv02, `[]`},
		"a number":        {provenance.SLSAv02, strings.Replace(v02, `"https://github.com/npm/cli@9.5.0"`, `7`, 1)},
		"long":            {provenance.SLSAv02, strings.Replace(v02, "42-1", strings.Repeat("x", 3000), 1)},
		"publish: noname": {provenance.NPMPublish, `{"version":"1"}`},
	} {
		if f, err := provenance.Read(c[0], jsontext.Value(c[1])); !errors.Is(err, provenance.ErrMalformed) {
			t.Errorf("%s: %+v, %v; want ErrMalformed", name, f, err)
		}
	}
}

func TestCanonicalRepository(t *testing.T) {
	const want = "https://github.com/acme/weather"
	for _, same := range []string{
		want, want + "/", want + ".git", "git+" + want + "@refs/heads/main", "HTTPS://GitHub.com/acme/weather", want + "#frag", want + "?q=1", want + ".git@v1",
	} {
		if got := provenance.CanonicalRepository(same); got != want {
			t.Errorf("%q = %q, want %q", same, got, want)
		}
	}
	for _, other := range []string{
		"https://github.com/acme/weather2", "https://github.com/Acme/weather", "https://github.com.evil.example/acme/weather", "http://github.com/acme/weather",
		"https://github.com@evil.example/acme/weather", "https://github.com/acme", "github.com/acme/weather", "https://evil.example/x@https://github.com/acme/weather",
	} {
		if got := provenance.CanonicalRepository(other); got == want {
			t.Errorf("%q taken for %q", other, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(provenance.SLSAv02, []byte(v02))
	f.Add(provenance.SLSAv1, []byte(v1))
	f.Add(provenance.NPMPublish, []byte(publish))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		facts, err := provenance.Read(kind, b)
		if err != nil || facts == nil {
			return
		}
		if facts.Builder == "" && facts.Package == "" {
			t.Errorf("%+v says nothing", facts)
		}
		if again := provenance.CanonicalRepository(facts.Repository); again != facts.Repository {
			t.Errorf("%q is not canonical: %q", facts.Repository, again)
		}
	})
}
