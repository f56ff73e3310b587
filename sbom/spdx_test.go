package sbom

import (
	"bytes"
	"strings"
	"testing"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

func exported(t *testing.T, d *Document) *spdx.Document {
	t.Helper()
	b, err := d.SPDX(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.SPDX(time.Time{}); err != nil || !bytes.Equal(b, again) {
		t.Error("two exports differ")
	}
	out := &spdx.Document{}
	if err := spdxjson.ReadInto(bytes.NewReader(b), out); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

// TestSPDXIsLossless finds every value of the CycloneDX document in the SPDX one.
func TestSPDXIsLossless(t *testing.T) {
	for name, artifact := range map[string]string{"npm": "testdata/npm-v3", "go": goModule(t), "empty": t.TempDir()} {
		d := mustGenerate(t, artifact)
		if err := d.Enrich(full()); err != nil {
			t.Fatal(err)
		}
		s := exported(t, d)
		if want := 1 + len(d.Components()) + 1 + len(d.Entries()); len(s.Packages) != want {
			t.Errorf("%s: %d packages instead of %d", name, len(s.Packages), want)
		}
		var text strings.Builder
		byPurl := map[string]*spdx.Package{}
		for _, p := range s.Packages {
			text.WriteString(p.PackageName + " " + p.PackageLicenseDeclared + "\n")
			for _, r := range p.PackageExternalReferences {
				byPurl[r.Locator] = p
			}
			for _, c := range p.PackageChecksums {
				text.WriteString(c.Value + "\n")
			}
			for _, a := range p.Annotations {
				text.WriteString(a.AnnotationComment + "\n")
			}
		}
		for _, a := range s.Annotations {
			text.WriteString(a.AnnotationComment + "\n")
		}
		for _, c := range d.Components() {
			p := byPurl[c.Purl]
			if p == nil || p.PackageVersion != c.Version || p.PackageName != c.Name || len(p.PackageChecksums) != len(c.Hashes) {
				t.Errorf("%s: %s became %+v", name, c.Purl, p)
			}
		}
		wanted := []string{d.Completeness().Level, fp("definitions"), "TLS_AES_128_GCM_SHA256", "outbound PII", "api.example.org:443", fp("forecast"), fp("key"), `"cyclonedx:x-trust-boundary","value":"true"`}
		for _, reason := range d.Completeness().Reasons {
			wanted = append(wanted, strings.Trim(reason, `"`)[:min(len(reason), 20)])
		}
		for _, v := range wanted {
			if !strings.Contains(text.String(), v) {
				t.Errorf("%s: %q is lost", name, v)
			}
		}
		edges := 0
		for _, r := range s.Relationships {
			if r.Relationship == "DEPENDS_ON" && r.RefB.SpecialID == "" {
				edges++
			}
		}
		want := 0
		for dep := range each(d.bom.Dependencies) {
			for range each(dep.Dependencies) {
				want++
			}
		}
		if edges != want {
			t.Errorf("%s: %d edges instead of %d", name, edges, want)
		}
	}
}

func TestSPDXLicences(t *testing.T) {
	d := mustGenerate(t, folder(t, map[string]string{
		"package.json":                `{"name":"x","version":"1.0.0","license":"proprietary <stuff>","dependencies":{"y":"1"}}`,
		"node_modules/y/package.json": `{"name":"y","version":"1.0.0","license":["MIT","NotAnSPDX"]}`,
	}))
	s := exported(t, d)
	if len(s.OtherLicenses) == 0 {
		t.Fatal("no licence of its own")
	}
	for _, l := range s.OtherLicenses {
		if !strings.HasPrefix(l.LicenseIdentifier, "LicenseRef-") || l.ExtractedText == "" {
			t.Errorf("%+v", l)
		}
	}
}

// TestSPDXTime is the one thing that differs between two times.
func TestSPDXTime(t *testing.T) {
	d := mustGenerate(t, "testdata/npm-v3")
	at := time.Date(2026, 11, 20, 1, 2, 3, 0, time.FixedZone("x", 3600))
	b, err := d.SPDX(at)
	if err != nil {
		t.Fatal(err)
	}
	zero, err := d.SPDX(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if same := bytes.ReplaceAll(b, []byte("2026-11-20T00:02:03Z"), []byte("1970-01-01T00:00:00Z")); !bytes.Equal(same, zero) {
		t.Error("more than the time differs")
	}
}
