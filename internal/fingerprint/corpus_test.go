package fingerprint

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// drift is one case of testdata/drift.json: an edit of the listing's text and
// what has to follow from it.
type drift struct {
	Class    string   `json:"class"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Kind     string   `json:"kind"`
	Key      string   `json:"key"`
	Pointers []string `json:"pointers"` // that differ inside the entry, and no others
	Added    bool     `json:"added"`    // the entry is not among those approved
	Gone     string   `json:"gone"`     // key of an approved entry that may no longer be used
	Held     string   `json:"held"`
	Refused  string   `json:"refused"`
	Same     bool     `json:"same"`
}

type driftCorpus struct {
	Listing jsontext.Value `json:"listing"`
	Cases   []drift        `json:"cases"`
}

func readListing(t *testing.T, raw string) *listing.Listing {
	t.Helper()
	var v struct {
		Instructions *string          `json:"instructions"`
		Capabilities jsontext.Value   `json:"capabilities"`
		Tools        []jsontext.Value `json:"tools"`
		Prompts      []jsontext.Value `json:"prompts"`
		Templates    []jsontext.Value `json:"resourceTemplates"`
		Resources    []jsontext.Value `json:"resources"`
	}
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return &listing.Listing{Instructions: v.Instructions, Capabilities: v.Capabilities, Tools: v.Tools, Prompts: v.Prompts, Templates: v.Templates, Resources: v.Resources}
}

// TestDriftCorpus catches every class with its exact pointer, raises no alarm
// about other entries, and none at all where only the spelling differs.
func TestDriftCorpus(t *testing.T) {
	b, err := os.ReadFile("testdata/drift.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus driftCorpus
	if err := json.Unmarshal(b, &corpus, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	base := string(corpus.Listing)
	approved, err := OfListing(readListing(t, base), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(corpus.Cases) < 30 {
		t.Fatalf("%d cases", len(corpus.Cases))
	}
	for _, c := range corpus.Cases {
		t.Run(c.Class, func(t *testing.T) {
			if !strings.Contains(base, c.From) {
				t.Fatalf("the listing has no %q", c.From)
			}
			now, err := Observe(readListing(t, strings.Replace(base, c.From, c.To, 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, approved, now)
		})
	}
}

func (c *drift) check(t *testing.T, approved, now *Set) {
	var alarms []string
	for _, e := range now.Entries {
		old, ok := approved.Lookup(e.Kind, e.Key)
		if ok && old.Behavioural == e.Behavioural {
			continue
		}
		alarms = append(alarms, e.Kind.String()+" "+e.Key)
		if !ok {
			continue
		}
		changes, err := Diff(old.Canonical, e.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		var pointers []string
		for _, change := range changes {
			pointers = append(pointers, change.Pointer)
		}
		if d := cmp.Diff(c.Pointers, pointers); d != "" {
			t.Error(d)
		}
	}
	var want []string
	if c.Added || c.Pointers != nil {
		want = []string{c.Kind + " " + c.Key}
	}
	if d := cmp.Diff(want, alarms); d != "" {
		t.Errorf("alarms: %s", d)
	}
	if c.Gone != "" {
		kind, err := ParseKind(c.Kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, still := now.Lookup(kind, c.Gone); still {
			t.Errorf("%s can still be used", c.Gone)
		}
	}
	if held := slices.ContainsFunc(now.Held, func(h Held) bool { return h.Key == c.Held }); held != (c.Held != "") {
		t.Errorf("held: %v", now.Held)
	}
	if refused := slices.ContainsFunc(now.Refused, func(r Refused) bool { return r.Key == c.Refused }); refused != (c.Refused != "") {
		t.Errorf("refused: %v", now.Refused)
	}
	if c.Same && now.Root != approved.Root {
		t.Error("the root differs")
	}
}

// TestOrderIsNoDrift puts entries on other pages and in other orders.
func TestOrderIsNoDrift(t *testing.T) {
	b, err := os.ReadFile("testdata/drift.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus driftCorpus
	if err := json.Unmarshal(b, &corpus); err != nil {
		t.Fatal(err)
	}
	l := readListing(t, string(corpus.Listing))
	for _, extra := range []string{"a", "z", "B", "é"} {
		l.Tools = append(l.Tools, jsontext.Value(`{"name":"`+extra+`","inputSchema":{}}`))
	}
	approved, err := OfListing(l, nil)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		random.Shuffle(len(l.Tools), func(i, j int) { l.Tools[i], l.Tools[j] = l.Tools[j], l.Tools[i] })
		if now, err := OfListing(l, nil); err != nil || now.Root != approved.Root {
			t.Fatalf("%v: another root for another order", err)
		}
	}
}
