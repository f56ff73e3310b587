package serverjson

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const minimal = `{"name":"io.github.acme/weather","description":"Weather","version":"1.0.0","packages":[{"registryType":"npm","identifier":"@acme/weather","version":"1.0.0","transport":{"type":"stdio"}}]}`

func TestParse(t *testing.T) {
	d, err := Parse([]byte(`{
		"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
		"name": "io.github.acme/weather", "title": "Weather", "description": "Weather", "version": "1.2.3-rc.1+build.5",
		"websiteUrl": "https://acme.example/weather",
		"repository": {"url": "https://git.example/acme/weather", "source": "git", "id": "7", "subfolder": "servers/weather"},
		"icons": [{"src": "https://acme.example/i.png", "mimeType": "image/png", "sizes": ["48x48", "any"], "theme": "dark"}],
		"packages": [{"registryType": "npm", "identifier": "@acme/weather", "version": "1.2.3-rc.1", "runtimeHint": "npx", "transport": {"type": "stdio"},
			"runtimeArguments": [{"type": "named", "name": "--yes"}], "packageArguments": [{"type": "positional", "valueHint": "city", "isRequired": true}],
			"environmentVariables": [{"name": "WEATHER_TOKEN", "isSecret": true, "isRequired": true, "format": "string"}]}],
		"remotes": [{"type": "sse", "url": "https://acme.example/sse"},
			{"type": "streamable-http", "url": "https://{region}.acme.example/mcp", "variables": {"region": {"choices": ["eu", "us"], "default": "eu"}}},
			{"type": "streamable-http", "url": "https://acme.example/mcp", "headers": [{"name": "X-Region", "value": "{region}"}]}],
		"_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"tool": "ci"}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	if endpoint, ok := d.Endpoint(); !ok || endpoint.URL != "https://acme.example/mcp" || endpoint.Type != TypeHTTP {
		t.Errorf("endpoint %+v %v", endpoint, ok)
	}
	d.Remotes = d.Remotes[:2]
	if endpoint, ok := d.Endpoint(); !ok || endpoint.URL != "https://acme.example/sse" || endpoint.Type != TypeSSE {
		t.Errorf("without a streamable remote: endpoint %+v %v", endpoint, ok)
	}
	if d.Namespace() != "io.github.acme" || !cmp.Equal(d.EnvNames(), []string{"WEATHER_TOKEN"}) || d.Repository.URL != "https://git.example/acme/weather" {
		t.Errorf("%+v", d)
	}
}

func TestMalformed(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(minimal, old, new, 1) }
	for name, tc := range map[string]struct {
		in   string
		want []string // "pointer: beginning of the message"
	}{
		"empty":                   {"", []string{": is not one well-formed"}},
		"array":                   {"[]", []string{": must be an object"}},
		"number":                  {"1", []string{": must be an object"}},
		"trailing data":           {minimal + "{}", []string{": is not one well-formed"}},
		"truncated":               {minimal[:60], []string{": is not one well-formed"}},
		"duplicate name":          {with(`"version"`, `"name":"io.github.evil/x","version"`), []string{": is not one well-formed"}},
		"invalid UTF-8":           {with("Weather", "\xff"), []string{": is not one well-formed"}},
		"lone surrogate":          {with(`"Weather"`, `"\ud800"`), []string{": is not one well-formed"}},
		"deep":                    {with(`"Weather"`, strings.Repeat("[", 100)+strings.Repeat("]", 100)), []string{": is nested deeper"}},
		"too large":               {with("Weather", strings.Repeat("x", MaxBytes)), []string{": has "}},
		"everything at once":      {`{"name":"x","version":"latest","packages":[{}],"extra":1}`, []string{"/extra: unknown member", "/name: must have 3", "/description: is required", "/name: must be a reverse-DNS", "/version: must be one exact", "/packages/0/registryType: is required", "/packages/0/identifier: is required", "/packages/0/transport: is required"}},
		"case variant":            {with(`"version"`, `"Version":"2.0.0","version"`), []string{"/Version: unknown member; did you mean"}},
		"traversal":               {with("io.github.acme/weather", "io.github.acme/../x"), []string{"/name: must be a reverse-DNS"}},
		"dots":                    {with("io.github.acme/weather", "io..acme/x"), []string{"/name: must be a reverse-DNS"}},
		"two slashes":             {with("io.github.acme/weather", "io.github.acme/a/b"), []string{"/name: must be a reverse-DNS"}},
		"one label":               {with("io.github.acme/weather", "acme/weather"), []string{"/name: must be a reverse-DNS"}},
		"homoglyph":               {with("acme/weather", "аcme/weather"), []string{"/name: must be a reverse-DNS"}},
		"newline in the name":     {with("acme/weather", `acme/wea\nther`), []string{"/name: must be a reverse-DNS"}},
		"range":                   {with(`"version":"1.0.0","packages"`, `"version":"^1.0.0","packages"`), []string{"/version: must be one exact"}},
		"x range":                 {with(`"version":"1.0.0","packages"`, `"version":"1.x","packages"`), []string{"/version: must be one exact"}},
		"not semver":              {with(`"version":"1.0.0","packages"`, `"version":"1.0","packages"`), []string{"/version: must be a semantic"}},
		"leading zero":            {with(`"version":"1.0.0","packages"`, `"version":"01.0.0","packages"`), []string{"/version: must be a semantic"}},
		"package range":           {with(`"version":"1.0.0","transport"`, `"version":">=1.0.0","transport"`), []string{"/packages/0/version: must be one exact"}},
		"package option":          {with("@acme/weather", "--registry=evil"), []string{"/packages/0/identifier: must be"}},
		"unknown registry":        {with(`"npm"`, `"curl"`), []string{"/packages/0/registryType: must be one of"}},
		"mcpb without digest":     {with(`"npm"`, `"mcpb"`), []string{"/packages/0/fileSha256: is required"}},
		"nothing to run":          {`{"name":"io.github.acme/weather","description":"Weather","version":"1.0.0"}`, []string{": names neither"}},
		"script URL":              {with(`"packages"`, `"websiteUrl":"javascript:alert(1)","packages"`), []string{"/websiteUrl: must be"}},
		"password in URL":         {with(`"packages"`, `"websiteUrl":"https://u:p@x.example","packages"`), []string{"/websiteUrl: must be"}},
		"other schema":            {with(`{"name"`, `{"$schema":"https://evil.example/schema.json","name"`), []string{"/$schema: must be"}},
		"escape sequence":         {with(`"Weather"`, `"\u001b[31mWeather"`), []string{"/description: holds control"}},
		"long description":        {with("Weather", strings.Repeat("x", 101)), []string{"/description: must have 1 to 100"}},
		"foreign _meta":           {with(`"packages"`, `"_meta":{"io.modelcontextprotocol.registry/official":{"status":"active"}},"packages"`), []string{"/_meta/io.modelcontextprotocol.registry~1official: unknown member"}},
		"misspelt under our name": {with(`"packages"`, `"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"io.github.bartizan-mcp":{"scannerBinding":[]}}},"packages"`), []string{"/_meta/io.modelcontextprotocol.registry~1publisher-provided/io.github.bartizan-mcp/scannerBinding: unknown member"}},
		"a bad binding":           {with(`"packages"`, `"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"io.github.bartizan-mcp":{"scannerBindings":[{"scanner":"exfil","mode":"off"}]}}},"packages"`), []string{"/_meta/io.modelcontextprotocol.registry~1publisher-provided/io.github.bartizan-mcp/scannerBindings: scanner binding 0: mode is neither"}},
		"large _meta":             {with(`"packages"`, `"_meta":{"io.modelcontextprotocol.registry/publisher-provided":{"x":"`+strings.Repeat("x", 4096)+`"}},"packages"`), []string{"/_meta/io.modelcontextprotocol.registry~1publisher-provided: has more"}},
		"environment value":       {with(`"transport"`, `"environmentVariables":[{"name":"A=B"}],"transport"`), []string{"/packages/0/environmentVariables/0/name: must be"}},
		"header splitting":        {with(`"packages"`, `"remotes":[{"type":"sse","url":"https://x.example","headers":[{"name":"A\r\nB"}]}],"packages"`), []string{"/remotes/0/headers/0/name: must be"}},
		"subfolder":               {with(`"packages"`, `"repository":{"url":"https://x.example/y","source":"git","subfolder":"../.."},"packages"`), []string{"/repository/subfolder: must be"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(tc.in))
			var problems Problems
			if d != nil || !errors.As(err, &problems) || !errors.Is(err, ErrInvalid) {
				t.Fatalf("accepted, or another error: %v", err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.Pointer+": "+p.Message)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("problems %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("problem %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestNewer(t *testing.T) {
	order := []string{"1.0.0-alpha", "1.0.0-rc.1", "1.0.0", "1.9.0", "1.10.0", "2.0.0"}
	for i, a := range order {
		for j, b := range order {
			if Newer(a, b) != (i > j) {
				t.Errorf("Newer(%s, %s)", a, b)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(`{"name":"x","packages":[{"transport":{"type":"sse","url":"{a}"}}],"_meta":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if (d == nil) == (err == nil) {
			t.Fatalf("document %v with error %v", d, err)
		}
		if err == nil && (!ValidName(d.Name) || !ValidVersion(d.Version) || !ValidNamespace(d.Namespace())) {
			t.Fatalf("accepted %q %q", d.Name, d.Version)
		}
		if err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatalf("another error: %v", err)
		}
	})
}
