package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func office(t testing.TB) *Set {
	t.Helper()
	b, err := os.ReadFile("testdata/office.cedar")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(Document{"office.cedar", b})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// monday is an engineer's call at work.
func monday() *Request {
	return &Request{
		Principal: Principal{Tenant: "acme", Name: "ann", Kind: "user", Roles: []string{"agent"}, Attributes: map[string]string{"groups": "engineers, all"}},
		Action:    ActionCall, Server: Server{Name: "io.github.acme/tracker", Version: "1.0.0", Alias: "tracker", Tier: "standard", Binding: "endpoint"},
		Entry: &Entry{Kind: "tool", Name: "close_issue", Hints: HintsOf("tool", nil, nil, nil, nil)}, Method: "tools/call", Era: "modern",
		Now: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), Source: netip.MustParseAddr("10.20.3.4"), Client: &Client{Name: "Cursor", Version: "2.1"},
	}
}

func TestDecide(t *testing.T) {
	s := office(t)
	for name, tc := range map[string]struct {
		change  func(r *Request)
		allow   bool
		reasons []string
	}{
		"at work":             {func(*Request) {}, true, []string{"tracker.work"}},
		"in the evening":      {func(r *Request) { r.Now = r.Now.Add(10 * time.Hour) }, false, nil},
		"on Sunday":           {func(r *Request) { r.Now = r.Now.AddDate(0, 0, -1) }, false, nil},
		"from elsewhere":      {func(r *Request) { r.Source = netip.MustParseAddr("192.0.2.1") }, false, nil},
		"from nowhere known":  {func(r *Request) { r.Source = netip.Addr{} }, false, nil},
		"IPv4 within IPv6":    {func(r *Request) { r.Source = netip.MustParseAddr("::ffff:10.20.3.4") }, true, []string{"tracker.work"}},
		"with another client": {func(r *Request) { r.Client.Name = "cursor" }, false, nil},
		"without a name":      {func(r *Request) { r.Client = nil }, false, nil},
		"in another group":    {func(r *Request) { r.Principal.Attributes["groups"] = "engineers-emeritus" }, false, nil},
		"a role of that name": {func(r *Request) { r.Principal.Attributes = nil; r.Principal.Roles = []string{"engineers"} }, false, nil},
		"reading at night":    {func(r *Request) { r.Entry.ReadOnly = true; r.Now = r.Now.Add(12 * time.Hour) }, true, []string{"tracker.read"}},
		"a resource at night": {func(r *Request) {
			r.Action, r.Entry.Kind, r.Now = ActionRead, "resource", r.Now.Add(12*time.Hour)
		}, true, []string{"tracker.read"}},
		"a list":           {func(r *Request) { r.Action, r.Entry = ActionUse, nil }, true, []string{"tracker.use"}},
		"of another":       {func(r *Request) { r.Server.Name = "io.github.acme/tracker2" }, false, nil},
		"a service":        {func(r *Request) { r.Principal.Kind = "service" }, false, []string{"no-robots"}},
		"one that asks":    {func(r *Request) { r.Principal.Kind = "service"; r.Entry.Destructive = false }, true, []string{"tracker.work"}},
		"with an account":  {func(r *Request) { r.Findings = []string{"exfil.iban"} }, false, []string{"no-accounts"}},
		"with a card":      {func(r *Request) { r.Findings = []string{"exfil.card-number"} }, true, []string{"tracker.work"}},
		"without clearing": {func(r *Request) { r.Server.Name = "io.github.acme/ledger" }, false, []string{"cleared"}},
		"cleared": {func(r *Request) {
			r.Server.Name, r.Principal.Attributes["clearance"] = "io.github.acme/ledger", "secret"
		}, true, []string{"ledger"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := monday()
			tc.change(r)
			d := s.Decide(r)
			if d.Allow != tc.allow || !slices.Equal(d.Reasons, tc.reasons) || len(d.Broken) > 0 {
				t.Errorf("%+v, want %v by %v", d, tc.allow, tc.reasons)
			}
		})
	}
	if !s.Findings() || s.Len() != 7 {
		t.Errorf("%d policies, on findings %v", s.Len(), s.Findings())
	}
}

// TestNothingPermitsByItself: no policies, no permission.
func TestNothingPermitsByItself(t *testing.T) {
	s, err := Parse()
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Decide(monday()); d.Allow || d.Reasons != nil {
		t.Errorf("%+v", d)
	}
}

// TestWhatCannotBeEvaluatedDenies: a forbid that fails might have been meant.
func TestWhatCannotBeEvaluatedDenies(t *testing.T) {
	s, err := Parse(Document{"x.cedar", []byte(`permit (principal, action, resource);
@id("broken") forbid (principal, action, resource) when { context.hour + 9223372036854775807 > 3 };`)})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Decide(monday()); d.Allow || !slices.Equal(d.Broken, []string{"broken"}) {
		t.Errorf("%+v", d)
	}
}

func TestInvalid(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"no Cedar":          {"allow everything", "x.cedar:"},
		"an attribute":      {`permit (principal, action, resource) when { principal.salary > 3 };`, "x.cedar:1: "},
		"an optional one":   {`permit (principal, action, resource) when { context.client.name == "x" };`, "x.cedar:1: "},
		"an action":         {`permit (principal, action == Bartizan::Action::"fly", resource);`, "x.cedar:1: "},
		"an entity":         {`permit (principal == User::"ann", action, resource);`, "x.cedar:1: "},
		"a type":            {`permit (principal, action, resource) when { context.hour == "nine" };`, "x.cedar:1: "},
		"a second id":       {`@id("a") permit (principal, action, resource); @id("a") forbid (principal, action, resource);`, `second policy "a"`},
		"an id for escapes": {"@id(\"\\u{1b}[2J\") permit (principal, action, resource);", "@id is letters"},
		"too long":          {strings.Repeat(" ", MaxDocument+1), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(Document{"x.cedar", []byte(tc.text)})
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}

// TestNamesAreNoPolicies: nothing that a caller or server is called changes what
// it is.
func TestNamesAreNoPolicies(t *testing.T) {
	s, err := Parse(Document{"x.cedar", []byte(`@id("p") permit (principal == Bartizan::Principal::"acme/ann", action, resource == Bartizan::Entry::"a/b#tool/x");`)})
	if err != nil {
		t.Fatal(err)
	}
	r := monday()
	r.Server.Name, r.Entry.Name = "a/b", "x"
	if !s.Decide(r).Allow {
		t.Fatal("the one that is permitted")
	}
	for name, change := range map[string]func(r *Request){
		"a tenant within a name": func(r *Request) { r.Principal.Tenant, r.Principal.Name = "acme/", "ann" },
		"another tenant":         func(r *Request) { r.Principal.Tenant = "rival" },
		"a kind within a name":   func(r *Request) { r.Entry.Kind, r.Entry.Name = "prompt", "x" },
		"an escape":              func(r *Request) { r.Principal.Name = `ann" || true || "` },
	} {
		r := monday()
		r.Server.Name, r.Entry.Name = "a/b", "x"
		change(r)
		if d := s.Decide(r); d.Allow {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestIndexAsksEveryPolicyThatMatters: whatever the scopes, the answer is that of
// all policies asked one by one.
func TestIndexAsksEveryPolicyThatMatters(t *testing.T) {
	var text strings.Builder
	principals := []string{"principal", `principal == Bartizan::Principal::"acme/ann"`, `principal in Bartizan::Role::"agent"`, `principal is Bartizan::Principal`, `principal is Bartizan::Principal in Bartizan::Role::"group:all"`}
	resources := []string{"resource", `resource == Bartizan::Entry::"io.github.acme/tracker#tool/close_issue"`, `resource in Bartizan::Server::"io.github.acme/tracker"`, `resource is Bartizan::Entry`, `resource is Bartizan::Entry in Bartizan::Server::"io.github.acme/tracker"`}
	want := []string{}
	for i, p := range principals {
		for j, r := range resources {
			fmt.Fprintf(&text, "@id(\"p%d%d\") permit (%s, action == Bartizan::Action::\"call\", %s);\n", i, j, p, r)
			want = append(want, fmt.Sprintf("p%d%d", i, j))
		}
	}
	s, err := Parse(Document{"all.cedar", []byte(text.String())})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, s.Decide(monday()).Reasons); d != "" {
		t.Error(d)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/office.cedar")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`permit(principal,action,resource)when{if true then [1,{"a":ip("::1")}].contains(1) else resource.name like "*"};`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := Parse(Document{"f.cedar", b}); err == nil {
			s.Decide(monday())
		}
	})
}

// BenchmarkDecide: a thousand policies, of as many servers or of none, beside one.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name  string
		count int
		scope string
	}{
		{"one", 1, `resource in Bartizan::Server::"io.github.acme/tracker"`},
		{"thousand servers", 1000, `resource in Bartizan::Server::"io.github.acme/%d"`},
		{"thousand conditions", 1000, `resource`},
	} {
		var text strings.Builder
		for i := range c.count {
			scope := strings.ReplaceAll(c.scope, "%d", fmt.Sprint(i))
			fmt.Fprintf(&text, "permit (principal in Bartizan::Role::\"group:engineers\", action == Bartizan::Action::\"call\", %s) when { resource.readOnly && context.hour >= 8 };\n", scope)
		}
		s, err := Parse(Document{"bench.cedar", []byte(text.String())})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			r := monday()
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(r)
			}
		})
	}
}
