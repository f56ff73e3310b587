package licence

import (
	"errors"
	"strings"
	"testing"
)

func policy(t *testing.T) *Policy {
	t.Helper()
	p, err := NewPolicy(
		[]string{"MIT", "Apache-2.0", "BSD-*", "GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-acme"},
		[]string{"AGPL-*", "GPL-2.0-only", "GPL-3.0-or-later", "SSPL-1.0"},
		[]string{"BSD-4-Clause"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestJudge(t *testing.T) {
	p := policy(t)
	for expression, want := range map[string]Verdict{
		"MIT":                                  Allowed,
		"mit":                                  Allowed,
		"(MIT)":                                Allowed,
		"BSD-3-Clause":                         Allowed,
		"BSD-4-Clause":                         Review, // said more closely than BSD-*
		"AGPL-3.0-only":                        Denied,
		"GPL-2.0":                              Denied, // deprecated spelling of GPL-2.0-only
		"GPL-3.0+":                             Denied, // of GPL-3.0-or-later
		"GPL-2.0-or-later":                     Review,
		"Apache-2.0+":                          Allowed,
		"LicenseRef-acme":                      Allowed,
		"LicenseRef-other":                     Review,
		"MIT AND Apache-2.0":                   Allowed,
		"MIT AND GPL-2.0-only":                 Denied,
		"MIT AND MPL-2.0":                      Review,
		"MPL-2.0 AND AGPL-3.0-only":            Denied,
		"MIT OR GPL-2.0-only":                  Allowed,
		"GPL-2.0-only OR MPL-2.0":              Review,
		"GPL-2.0-only OR SSPL-1.0":             Denied,
		"MIT or GPL-2.0-only":                  Allowed,
		"GPL-2.0-only AND MIT OR Apache-2.0":   Allowed, // AND binds closer
		"GPL-2.0-only AND (MIT OR Apache-2.0)": Denied,
		"SSPL-1.0 OR (MIT AND (GPL-2.0-only OR Apache-2.0))": Allowed, // alternatives within alternatives
		"LicenseRef-acme OR GPL-2.0-only":                    Allowed,
		"GPL-2.0-only WITH Classpath-exception-2.0":          Allowed,
		"GPL-2.0-only WITH Bison-exception-2.2":              Denied,
		"GPL-2.0-only WITH nobody-knows":                     Denied,
		"Apache-2.0 WITH LLVM-exception":                     Allowed,
		"Apache-2.0 WITH nobody-knows":                       Review,
		"MIT AND GPL-2.0-only WITH Classpath-exception-2.0":  Allowed,
		"":                                Review,
		"UNLICENSED":                      Review,
		"SEE LICENSE IN LICENSE.txt":      Review,
		"MIT AND":                         Review,
		"MIT Apache-2.0":                  Review,
		"(MIT":                            Review,
		"MIT)":                            Review,
		"AND":                             Review,
		"MIT\u200b":                       Review,
		strings.Repeat("(", 5000) + "MIT": Review,
		strings.Repeat("(", 100) + "MIT" + strings.Repeat(")", 100): Review,
		strings.Repeat("(MIT OR ISC) AND ", 300) + "MIT":            Review, // past the length
		strings.Repeat("(MIT OR 0BSD) AND ", 100) + "(MIT OR 0BSD)": Allowed,
	} {
		if got := p.Judge(expression); got != want {
			t.Errorf("%.80q: %s, want %s", expression, got, want)
		}
	}
	if p.All(nil) != Review || p.All([]string{"MIT", "BSD-2-Clause"}) != Allowed || p.All([]string{"MIT", "nonsense licence"}) != Review || p.All([]string{"SSPL-1.0", "?"}) != Denied {
		t.Error("several statements")
	}
	none, err := NewPolicy(nil, nil, nil)
	if err != nil || !none.Empty() || none.Judge("MIT") != Review || p.Empty() {
		t.Errorf("empty lists: %v", err)
	}
}

func TestNewPolicyRefuses(t *testing.T) {
	for _, lists := range [][3][]string{
		{{"MITT"}, nil, nil}, {{""}, nil, nil}, {{"*"}, nil, nil}, {{"MIT OR ISC"}, nil, nil}, {{"MIT"}, {"MIT"}, nil}, {{"MIT", "mit"}, nil, nil},
		{nil, {"GPL-2.0", "GPL-2.0-only"}, nil}, {nil, nil, {"GPL-2.0-only WITH nobody-knows"}},
	} {
		if _, err := NewPolicy(lists[0], lists[1], lists[2]); !errors.Is(err, ErrPolicy) {
			t.Errorf("%v: %v", lists, err)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for _, s := range []string{"MIT", "(MIT OR ISC) AND GPL-2.0+ WITH Bison-exception-2.2", "LicenseRef-a OR DocumentRef-b:LicenseRef-c", ")("} {
		f.Add(s)
	}
	deny, err := NewPolicy(nil, []string{"MIT"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	allow, err := NewPolicy([]string{"MIT"}, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if deny.Judge(s) == Allowed || allow.Judge(s) == Denied {
			t.Fatalf("%q: a list that is not there decides", s)
		}
		if deny.Judge(s) == Denied != (deny.Judge("("+s+")") == Denied) && len(s) < maxExpression-2 && strings.Count(s, "(") < maxNesting-1 {
			if _, err := parse(s); err == nil {
				t.Fatalf("%q: parentheses change it", s)
			}
		}
	})
}
