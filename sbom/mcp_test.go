package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/permission"
)

func fp(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func weather() MCP {
	yes := true
	return MCP{
		Name: "org.example.acme/weather", Version: "1.2.0", Purl: "pkg:npm/%40acme/weather-mcp@1.2.0",
		Endpoint: "https://weather.example.org/mcp", Authenticated: &yes,
		Scopes: []string{"network:weather.example.org", "filesystem:read"},
		Listings: []MCPListing{
			{Era: "modern", ProtocolVersion: "2026-07-28", Root: fp("modern root")},
			{Era: "legacy", ProtocolVersion: "2025-11-25", Root: "sha256:" + fp("legacy root")},
		},
		Entries: []MCPEntry{
			{Kind: "tool", Key: "forecast", Fingerprint: fp("forecast"), Whole: fp("forecast whole"), Era: "legacy",
				Scopes: []string{"network:weather.example.org"}, Flows: []Flow{{"outbound", "public"}}},
			{Kind: "tool", Key: "forecast", Fingerprint: fp("forecast"), Whole: fp("forecast whole"), Era: "modern",
				Scopes: []string{"network:weather.example.org"}, Flows: []Flow{{"outbound", "public"}}},
			{Kind: "tool", Key: "drifting", Fingerprint: fp("one"), Whole: fp("one whole"), Era: "legacy"},
			{Kind: "tool", Key: "drifting", Fingerprint: fp("two"), Whole: fp("two whole"), Era: "modern"},
			{Kind: "prompt", Key: "greet (structured)", Fingerprint: fp("greet")},
			{Kind: "template", Key: "weather://{city}", Fingerprint: fp("template")},
			{Kind: "resource", Key: "weather://today", Fingerprint: fp("resource")},
			{Kind: "instructions", Fingerprint: fp("instructions")},
		},
	}
}

func TestEnrich(t *testing.T) {
	d := mustGenerate(t, "testdata/npm-v3")
	if err := d.Enrich(weather()); err != nil {
		t.Fatal(err)
	}
	first := encoded(t, d)
	golden(t, "enriched.golden.json", first)
	m := weather()
	for i, j := 0, len(m.Entries)-1; i < j; i, j = i+1, j-1 {
		m.Entries[i], m.Entries[j] = m.Entries[j], m.Entries[i]
	}
	if err := d.Enrich(m); err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, d); !bytes.Equal(first, again) {
		t.Errorf("enriching again, in another order, changes the document:\n%s", cmp.Diff(string(first), string(again)))
	}
	if bytes.Contains(first, []byte(`"name": "cdx:`)) {
		t.Error("the reserved property namespace is used")
	}
	if got := len(d.Entries()); got != 7 {
		t.Errorf("%d entries, want 7: equal ones of two eras are one", got)
	}
}

func TestEnrichRefuses(t *testing.T) {
	for name, change := range map[string]func(*MCP){
		"short fingerprint":     func(m *MCP) { m.Entries[0].Fingerprint = "abcd" },
		"no fingerprint":        func(m *MCP) { m.Entries[0].Fingerprint = "" },
		"bad whole fingerprint": func(m *MCP) { m.Entries[0].Whole = "zz" },
		"key is not UTF-8":      func(m *MCP) { m.Entries[0].Key = "a\xffb" },
		"unknown kind":          func(m *MCP) { m.Entries[0].Kind = "widget" },
		"unknown flow":          func(m *MCP) { m.Entries[0].Flows = []Flow{{"sideways", "x"}} },
		"bad root":              func(m *MCP) { m.Listings[0].Root = "root" },
		"era twice":             func(m *MCP) { m.Listings[1].Era = m.Listings[0].Era },
		"bad purl":              func(m *MCP) { m.Purl = "npm:thing" },
		"bad artifact digest":   func(m *MCP) { m.ArtifactSHA256 = "00" },
		"relative endpoint":     func(m *MCP) { m.Endpoint = "/mcp" },
		"password in endpoint":  func(m *MCP) { m.Endpoint = "https://me:hunter2@weather.example.org/mcp" },
	} {
		t.Run(name, func(t *testing.T) {
			d := mustGenerate(t, "testdata/npm-v3")
			before := encoded(t, d)
			m := weather()
			change(&m)
			err := d.Enrich(m)
			if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v", err)
			}
			if !bytes.Equal(before, encoded(t, d)) {
				t.Error("a refused enrichment changed the document")
			}
		})
	}
}

func TestEnrichRefusesOtherArtifact(t *testing.T) {
	packed, err := Pack("testdata/npm-v3")
	if err != nil {
		t.Fatal(err)
	}
	d := mustGenerate(t, folder(t, map[string]string{"blob": string(packed)})+"/blob")
	m := weather()
	m.ArtifactSHA256 = fp("other bytes")
	if err := d.Enrich(m); !errors.Is(err, ErrMalformed) {
		t.Errorf("error = %v", err)
	}
	sum := sha256.Sum256(packed)
	m.ArtifactSHA256 = hex.EncodeToString(sum[:])
	if err := d.Enrich(m); err != nil {
		t.Error(err)
	}
}

func TestEnrichShowsAnotherManifest(t *testing.T) {
	d := mustGenerate(t, "testdata/npm-v3")
	m := weather()
	m.Purl = "pkg:npm/typo-squat@9.9.9"
	if err := d.Enrich(m); err != nil {
		t.Fatal(err)
	}
	want := `"name": "bartizan:sbom:manifest:purl",
          "value": "pkg:npm/%40acme/weather-mcp@1.2.0"`
	if !strings.Contains(string(encoded(t, d)), want) {
		t.Error("what the artifact calls itself is lost")
	}
}

// A key is a stranger's text: it may not break refs or the document.
func TestEnrichHostileKeys(t *testing.T) {
	d := mustGenerate(t, "testdata/npm-v3")
	m := weather()
	m.Entries = nil
	for _, key := range []string{"a/b", "a%2Fb", "<script>", "\u202egnp", "a\nb", " ", strings.Repeat("k", 5000)} {
		m.Entries = append(m.Entries, MCPEntry{Kind: "tool", Key: key, Fingerprint: fp(key)})
	}
	if err := d.Enrich(m); err != nil {
		t.Fatal(err)
	}
	b := encoded(t, d)
	back, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if again := encoded(t, back); !bytes.Equal(b, again) {
		t.Error("decoding and encoding changes the document")
	}
	if len(back.Entries()) != len(m.Entries) {
		t.Errorf("%d entries, want %d", len(back.Entries()), len(m.Entries))
	}
	validate(t, cyclonedxSchema(t), b)
}

func TestDecodeRoundTrip(t *testing.T) {
	for _, artifact := range []string{"testdata/npm-v1", "testdata/npm-v3", goModule(t), t.TempDir()} {
		d := mustGenerate(t, artifact)
		if err := d.Enrich(weather()); err != nil {
			t.Fatal(err)
		}
		b := encoded(t, d)
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if again := encoded(t, back); !bytes.Equal(b, again) {
			t.Errorf("%s: decoding and encoding changes the document:\n%s", artifact, cmp.Diff(string(b), string(again)))
		}
		if diff := Diff(d, back); !diff.Empty() {
			t.Errorf("%s: diff of a document with itself: %+v", artifact, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const head = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"application","name":"x","bom-ref":"server"}}`
	if _, err := Decode([]byte(head + `}`)); err != nil {
		t.Fatalf("the smallest document: %v", err)
	}
	for name, tc := range map[string]struct {
		doc  string
		want error
	}{
		"empty":            {``, ErrMalformed},
		"not JSON":         {`<bom/>`, ErrMalformed},
		"other format":     {`{"bomFormat":"SPDX","specVersion":"1.6"}`, ErrMalformed},
		"other version":    {strings.Replace(head, "1.6", "1.5", 1) + `}`, ErrMalformed},
		"no component":     {`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}`, ErrMalformed},
		"duplicate key":    {head + `,"version":2}`, ErrMalformed},
		"unknown key":      {head + `,"surprise":2}`, ErrMalformed},
		"case variant":     {head + `,"Components":[]}`, ErrMalformed},
		"trailing data":    {head + `}{}`, ErrMalformed},
		"invalid UTF-8":    {head + ",\"properties\":[{\"name\":\"\xff\"}]}", ErrMalformed},
		"repeated bom-ref": {head + `,"components":[{"type":"library","name":"a","bom-ref":"server"}]}`, ErrMalformed},
		"deep":             {head + `,"properties":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(tc.doc)); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestDecodeForeign(t *testing.T) {
	d, err := DecodeForeign([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.7","version":1,"surprise":true,
		"components":[{"type":"library","name":"a","purl":"pkg:npm/a@1","components":[{"type":"library","name":"b","purl":"pkg:npm/b@1"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"pkg:npm/a@1", "pkg:npm/b@1"}, purls(d.Components())); diff != "" {
		t.Error(diff)
	}
	if c := d.Completeness(); c.Level != Incomplete {
		t.Errorf("a document that does not say it is whole: %+v", c)
	}
	if err := d.Enrich(weather()); !errors.Is(err, ErrMalformed) {
		t.Errorf("enriching it: %v", err)
	}
	for _, bad := range []string{`{"bomFormat":"CycloneDX","specVersion":"1.2","version":1}`, `{"bomFormat":"CycloneDX","bomFormat":"CycloneDX","specVersion":"1.6"}`, `{}`} {
		if _, err := DecodeForeign([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error = %v", bad, err)
		}
	}
}

func TestDiff(t *testing.T) {
	before := mustGenerate(t, "testdata/npm-v3")
	lock := readFile(t, "testdata/npm-v3/package-lock.json")
	lock = strings.ReplaceAll(lock, `"3.0.0"`, `"3.0.1"`) // ms-lite
	lock = strings.Replace(lock, `"node_modules/tiny-check"`, `"node_modules/huge-check"`, 1)
	after := mustGenerate(t, folder(t, map[string]string{
		"package.json": readFile(t, "testdata/npm-v3/package.json"), "package-lock.json": lock,
	}))
	m := weather()
	if err := before.Enrich(m); err != nil {
		t.Fatal(err)
	}
	m.Scopes = []string{"filesystem:write", "network:weather.example.org"}
	m.Entries[4].Fingerprint = fp("greet, changed")
	m.Entries = append(m.Entries[:6], m.Entries[7], MCPEntry{Kind: "tool", Key: "delete_everything", Fingerprint: fp("new")})
	if err := after.Enrich(m); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Diff(before, after), json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "diff.golden.json", append(b, '\n'))
	c := Diff(before, after)
	if len(c.Changed) != 1 || c.Changed[0].Before.Version != "3.0.0" || c.Changed[0].After.Version != "3.0.1" {
		t.Errorf("changed = %+v", c.Changed)
	}
	if diff := cmp.Diff([]string{"pkg:npm/huge-check@5.0.0"}, purls(c.Added)); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pkg:npm/tiny-check@5.0.0"}, purls(c.Removed)); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if len(c.EntriesAdded) != 1 || len(c.EntriesRemoved) != 1 || len(c.EntriesChanged) != 1 {
		t.Errorf("entries: %+v, %+v, %+v", c.EntriesAdded, c.EntriesRemoved, c.EntriesChanged)
	}
	if diff := cmp.Diff([]string{"filesystem:write"}, c.ScopesAdded); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"filesystem:read"}, c.ScopesRemoved); diff != "" {
		t.Error(diff)
	}
}

func TestStatement(t *testing.T) {
	packed, err := Pack("testdata/npm-v3")
	if err != nil {
		t.Fatal(err)
	}
	d := mustGenerate(t, folder(t, map[string]string{"blob": string(packed)})+"/blob")
	if err := d.Enrich(weather()); err != nil {
		t.Fatal(err)
	}
	st, err := d.Statement()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type          string `json:"_type"`
		PredicateType string `json:"predicateType"`
		Subject       []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(st, &got); err != nil {
		t.Fatal(err)
	}
	digest, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(packed)
	if got.Type != "https://in-toto.io/Statement/v1" || got.PredicateType != PredicateType || len(got.Subject) != 2 ||
		got.Subject[0].Digest["sha256"] != hex.EncodeToString(sum[:]) || got.Subject[1].Digest["sha256"] != digest {
		t.Errorf("statement = %s", st)
	}
	again, err := d.Statement()
	if err != nil || !bytes.Equal(st, again) {
		t.Errorf("the statement is not stable: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"application","name":"x"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(b)
		if err != nil {
			return
		}
		if _, err := d.Encode(); err != nil {
			t.Errorf("decoded but not encoded: %v", err)
		}
		_, _, _ = d.Components(), d.Entries(), d.Completeness()
	})
}

// full is a server with everything that a document can say of one.
func full() MCP {
	m := weather()
	m.Transport, m.Definitions = "streamable-http", "sha256:"+fp("definitions")
	m.Permissions = &permission.Declaration{Needs: permission.Needs{
		OAuthScopes: []string{"repo:read"}, Network: []string{"api.example.org:443"}, Exec: []string{},
		Files: []permission.File{{Path: "~/My Documents", Access: "read"}}, Env: []string{"TOKEN"},
		Data: []permission.Data{{Flow: "outbound", Classification: "PII"}},
	}}
	m.TLS = &TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: []Certificate{
		{Subject: "CN=weather.example.org", Issuer: "CN=Example CA", NotAfter: time.Unix(1900000000, 0), SPKI: fp("key")},
		{Subject: "CN=Example CA", Issuer: "CN=Example CA", NotAfter: time.Unix(1950000000, 0), SPKI: fp("root")},
	}}
	m.Entries[0].Needs = &permission.Needs{Network: []string{}, Data: []permission.Data{{Flow: "inbound", Classification: "public"}}}
	return m
}

func TestPermissionsAndConnection(t *testing.T) {
	d := mustGenerate(t, "testdata/npm-v3")
	if err := d.Enrich(full()); err != nil {
		t.Fatal(err)
	}
	again, err := Decode(encoded(t, d))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := EndpointView{
		Endpoint: "https://weather.example.org/mcp", Transport: "streamable-http", Authenticated: &yes, LeavesTrust: &yes, Data: []string{"outbound PII"},
		TLS: []string{"certificate:0:issuer CN=Example CA", "certificate:0:notAfter 2030-03-17T17:46:40Z", "certificate:0:spki:sha256 " + fp("key"), "certificate:0:subject CN=weather.example.org",
			"certificate:1:issuer CN=Example CA", "certificate:1:notAfter 2031-10-17T10:40:00Z", "certificate:1:spki:sha256 " + fp("root"), "certificate:1:subject CN=Example CA",
			"cipher TLS_AES_128_GCM_SHA256", "version TLS 1.3"},
	}
	if diff := cmp.Diff(want, again.Endpoint()); diff != "" {
		t.Error(diff)
	}
	if again.Definitions() != fp("definitions") {
		t.Errorf("definitions %q", again.Definitions())
	}
	out := string(encoded(t, d))
	for _, s := range []string{`"bartizan:mcp:capability:exec",
          "value": "none"`, `"read:~/My Documents"`, `"ni:///sha-256;`} {
		if !strings.Contains(out, s) {
			t.Errorf("no %s", s)
		}
	}
	changed := full()
	changed.TLS.Chain[0].SPKI, changed.Permissions.Data, changed.Transport = fp("new key"), nil, "sse"
	changed.Entries[0].Needs.Data[0].Classification = "PII"
	other := mustGenerate(t, "testdata/npm-v3")
	if err := other.Enrich(changed); err != nil {
		t.Fatal(err)
	}
	c := Diff(d, other)
	if len(c.Endpoint) != 2 || len(c.EntriesChanged) != 1 || len(c.Changed)+len(c.Added)+len(c.Removed) > 0 {
		t.Errorf("%+v", c)
	}
	for name, m := range map[string]MCP{"definitions": {Definitions: "x"}, "key": {TLS: &TLS{Chain: []Certificate{{SPKI: "x"}}}}} {
		if err := d.Enrich(m); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
