package vex

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	server = "pkg:npm/%40acme/weather@1.0.0"
	dep    = "pkg:npm/left-pad@1.3.0"
)

func openDoc(statements ...string) string {
	return `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://acme.example/vex/1","author":"Acme","timestamp":"2026-10-01T00:00:00Z","version":1,"statements":[` + strings.Join(statements, ",") + `]}`
}

func open(vulnerability, product, rest string) string {
	return fmt.Sprintf(`{"vulnerability":{"name":%q,"aliases":["GHSA-1"]},"products":[%s]%s}`, vulnerability, product, rest)
}

const (
	depOfServer = `{"@id":"pkg:npm/%40acme/weather@1.0.0","subcomponents":[{"@id":"pkg:npm/left-pad@1.3.0"}]}`
	notPresent  = `,"status":"not_affected","justification":"vulnerable_code_not_present"`
)

func cdx(state, ref string) string {
	return fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-10-01T00:00:00Z"},"components":[{"type":"library","name":"left-pad","bom-ref":"lp","purl":%q}],"vulnerabilities":[{"id":"CVE-1","references":[{"id":"GHSA-1"}],"analysis":{"state":%q,"justification":"code_not_reachable"},"affects":[{"ref":%q}]}]}`, dep, state, ref)
}

func TestAbout(t *testing.T) {
	for name, tc := range map[string]struct {
		doc        string
		want       Status
		unresolved int
	}{
		"part of a product":        {openDoc(open("CVE-1", depOfServer, notPresent)), NotAffected, 0},
		"the part by itself":       {openDoc(open("CVE-1", `{"@id":"pkg:npm/left-pad@1.3.0"}`, notPresent)), NotAffected, 0},
		"by identifiers":           {openDoc(open("CVE-1", `{"@id":"left-pad","identifiers":{"purl":"pkg:npm/left-pad@1.3.0"}}`, notPresent)), NotAffected, 0},
		"the whole product":        {openDoc(open("CVE-1", `{"@id":"pkg:npm/%40acme/weather@1.0.0"}`, notPresent)), NotAffected, 0},
		"by an alias":              {openDoc(open("CVE-7", depOfServer, notPresent)), NotAffected, 0},
		"fixed":                    {openDoc(open("CVE-1", depOfServer, `,"status":"fixed"`)), Fixed, 0},
		"affected":                 {openDoc(open("CVE-1", depOfServer, `,"status":"affected","action_statement":"update"`)), Affected, 0},
		"under investigation":      {openDoc(open("CVE-1", depOfServer, `,"status":"under_investigation"`)), UnderInvestigation, 0},
		"another version":          {openDoc(open("CVE-1", `{"@id":"pkg:npm/left-pad@1.3.1"}`, notPresent)), "", 0},
		"any version":              {openDoc(open("CVE-1", `{"@id":"pkg:npm/left-pad"}`, notPresent)), "", 1},
		"another product's part":   {openDoc(open("CVE-1", `{"@id":"pkg:npm/other@1.0.0","subcomponents":[{"@id":"pkg:npm/left-pad@1.3.0"}]}`, notPresent)), "", 0},
		"another part":             {openDoc(open("CVE-1", `{"@id":"pkg:npm/%40acme/weather@1.0.0","subcomponents":[{"@id":"pkg:npm/right-pad@1.3.0"}]}`, notPresent)), "", 0},
		"parts without a name":     {openDoc(open("CVE-1", `{"@id":"pkg:npm/%40acme/weather@1.0.0","subcomponents":[{"@id":"left-pad"}]}`, notPresent)), "", 2},
		"a qualifier that differs": {openDoc(open("CVE-1", `{"@id":"pkg:npm/left-pad@1.3.0?vcs_url=x"}`, notPresent)), "", 0},
		"no package URL":           {openDoc(open("CVE-1", `{"@id":"https://acme.example/left-pad"}`, notPresent)), "", 1},
		"another vulnerability":    {strings.ReplaceAll(openDoc(open("CVE-9", depOfServer, notPresent)), "GHSA-1", "GHSA-9"), "", 0},
		"the newer statement":      {openDoc(open("CVE-1", depOfServer, notPresent+`,"timestamp":"2026-01-01T00:00:00Z"`), open("CVE-1", depOfServer, `,"status":"affected","timestamp":"2026-02-01T00:00:00Z"`)), Affected, 0},
		"of one time":              {openDoc(open("CVE-1", depOfServer, `,"status":"under_investigation"`), open("CVE-1", depOfServer, notPresent)), UnderInvestigation, 0},
		"CycloneDX by reference":   {cdx("not_affected", "lp"), NotAffected, 0},
		"CycloneDX by purl":        {cdx("false_positive", dep), NotAffected, 0},
		"CycloneDX resolved":       {cdx("resolved", "lp"), Fixed, 0},
		"CycloneDX exploitable":    {cdx("exploitable", "lp"), Affected, 0},
		"CycloneDX in triage":      {cdx("in_triage", "lp"), UnderInvestigation, 0},
		"CycloneDX elsewhere":      {cdx("not_affected", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#lp"), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(tc.doc))
			if err != nil {
				t.Fatal(err)
			}
			s, found := d.About([]string{"GHSA-1", "CVE-1"}, server, dep)
			if s.Status != tc.want || found != (tc.want != "") || d.Unresolved != tc.unresolved {
				t.Errorf("%q %t, %d unresolved", s.Status, found, d.Unresolved)
			}
			if found && (s.Time.IsZero() || s.Status == NotAffected && s.Justification == "") {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"no JSON":                    `{`,
		"neither format":             `{}`,
		"an SBOM in SPDX":            `{"spdxVersion":"SPDX-2.3"}`,
		"another OpenVEX":            strings.Replace(openDoc(), "v0.2.0", "v1.0.0", 1),
		"no date":                    strings.Replace(openDoc(), "timestamp", "time", 1),
		"no status":                  openDoc(open("CVE-1", depOfServer, "")),
		"a status of its own":        openDoc(open("CVE-1", depOfServer, `,"status":"harmless"`)),
		"no justification":           openDoc(open("CVE-1", depOfServer, `,"status":"not_affected"`)),
		"a justification of its own": openDoc(open("CVE-1", depOfServer, `,"status":"not_affected","justification":"because"`)),
		"no vulnerability":           openDoc(open("", depOfServer, notPresent)),
		"one key twice":              openDoc(open("CVE-1", depOfServer, notPresent+`,"status":"fixed"`)),
		"data behind":                openDoc() + "{}",
		"broken UTF-8":               strings.Replace(openDoc(), "Acme", "\xff", 1),
		"CycloneDX of old":           strings.Replace(cdx("resolved", "lp"), "1.6", "1.2", 1),
		"a state of its own":         cdx("harmless", "lp"),
		"CycloneDX no reason":        strings.Replace(cdx("not_affected", "lp"), `,"justification":"code_not_reachable"`, "", 1),
		"CycloneDX no date":          strings.Replace(cdx("resolved", "lp"), "timestamp", "time", 1),
		"one reference twice":        strings.Replace(cdx("resolved", "lp"), `"components":[`, `"components":[{"bom-ref":"lp"},`, 1),
	} {
		if d, err := Parse([]byte(doc)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v %v", name, d, err)
		}
	}
	if _, err := Parse([]byte(openDoc(open("CVE-1", `{"@id":"pkg:npm/`+strings.Repeat("a", maxText)+`@1"}`, notPresent)))); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(openDoc(open("CVE-1", depOfServer, notPresent))))
	f.Add([]byte(cdx("not_affected", "lp")))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		if s, found := d.About([]string{"CVE-1"}, server, dep); found && s.Status.Suppresses() && !strings.Contains(string(b), "CVE-1") && !strings.Contains(string(b), `\`) {
			t.Fatalf("suppressed by what is not there: %+v", s)
		}
	})
}
