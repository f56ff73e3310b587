package approval

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseScannerBindings(t *testing.T) {
	got, err := ParseScannerBindings([]byte(`[{"scanner":"exfil","entries":["send"],"digest":"` + strings.Repeat("a", 64) + `","mode":"enforce","onFailure":"deny","config":{"allow":[]}},{"scanner":"x","config":{}}]`))
	want := []ScannerBinding{
		{Scanner: "exfil", Entries: []string{"send"}, Digest: strings.Repeat("a", 64), Mode: "enforce", OnFailure: "deny", Config: []byte(`{"allow":[]}`)},
		{Scanner: "x", Config: []byte(`{}`)},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, bad := range []string{
		`{}`, `[{}]`, `[{"scanner":"Exfil"}]`, `[{"scanner":"x","mode":"off"}]`, `[{"scanner":"x","onFailure":"allow"}]`, `[{"scanner":"x","tiers":{}}]`,
		`[{"scanner":"x","entries":[""]}]`, `[{"scanner":"x","digest":"sha256:00"}]`, `[{"scanner":"x","config":"y"}]`, `[{"scanner":"x","config":[]}]`,
		`[{"scanner":"x","scanner":"y"}]`, `[{"scanner":"x","config":{"a":"` + strings.Repeat("a", maxBindingConfig) + `"}}]`,
		`[` + strings.Repeat(`{"scanner":"x"},`, MaxScannerBindings) + `{"scanner":"x"}]`,
		`[{"scanner":"x","entries":["a"` + strings.Repeat(`,"a"`, maxBindingEntries) + `]}]`,
	} {
		if all, err := ParseScannerBindings([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.80s is %+v, %v", bad, all, err)
		}
	}
}

// TestScannerBindingsAreReviewed holds that votes are about the bindings too,
// and that a subject without any is what it always was.
func TestScannerBindingsAreReviewed(t *testing.T) {
	p, s := examplePredicate()
	digest := func() string {
		d, err := SubjectDigest(p, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[string]bool{digest(): true}
	for _, bindings := range [][]ScannerBinding{
		{{Scanner: "exfil"}}, {{Scanner: "exfil", Mode: "enforce"}}, {{Scanner: "exfil", Entries: []string{"send"}}}, {{Scanner: "exfil", Config: []byte(`{}`)}},
	} {
		p.ScannerBindings = bindings
		if d := digest(); seen[d] {
			t.Errorf("%+v changes nothing", bindings)
		} else {
			seen[d] = true
		}
	}
	p.ScannerBindings = []ScannerBinding{}
	if !seen[digest()] {
		t.Error("no bindings are something")
	}
	p.ScannerBindings = []ScannerBinding{{Scanner: "Not A Name"}}
	if err := p.check(s); !errors.Is(err, ErrMalformed) {
		t.Errorf("an approval of a scanner without a name: %v", err)
	}
}

func FuzzParseScannerBindings(f *testing.F) {
	f.Add([]byte(`[{"scanner":"exfil","entries":["send"],"mode":"enforce","config":{}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ParseScannerBindings(b)
		if err != nil {
			return
		}
		if len(all) > MaxScannerBindings {
			t.Errorf("%d bindings", len(all))
		}
	})
}
