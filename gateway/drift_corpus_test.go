package gateway

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// corpusCase is a case of internal/fingerprint/testdata/drift.json.
type corpusCase struct {
	Class, From, To      string
	Kind, Key            string
	Pointers             []string
	Added, Same          bool
	Gone, Held, Refused  string
	alarm                *alarm // what the gateway has to tell of; nil for nothing
	unusable, unusableAs string // key of an approved entry, and why it is refused
}

// alarm is what a drift report says of an entry, without the texts.
type alarm struct {
	Kind, Key, State string
	Pointers         []string
}

// expect works out what follows from the case's words.
func (c *corpusCase) expect() {
	switch {
	case c.Held != "":
		c.alarm = &alarm{c.Kind, c.Held, "duplicate", nil}
		c.unusable, c.unusableAs = c.Held, string(ReasonEntryDuplicate)
	case c.Refused != "":
		c.alarm = &alarm{c.Kind, c.Refused, "unreadable", nil}
		c.unusable, c.unusableAs = c.Refused, string(ReasonEntryDrifted)
	case c.Pointers != nil:
		c.alarm = &alarm{c.Kind, c.Key, "changed", c.Pointers}
		c.unusable, c.unusableAs = c.Key, string(ReasonEntryDrifted)
	case c.Added:
		c.alarm = &alarm{c.Kind, c.Key, "new", nil}
		fallthrough
	default:
		c.unusable, c.unusableAs = c.Gone, string(ReasonEntryUnknown)
	}
}

// lists has the script answer as a listing of the corpus says, byte for byte.
func (s *script) lists(raw string) {
	s.t.Helper()
	var l map[string]jsontext.Value
	if err := json.Unmarshal([]byte(raw), &l); err != nil {
		s.t.Fatalf("%v in %s", err, raw)
	}
	s.set(protocol.MethodDiscover, fmt.Sprintf(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":%s,"instructions":%s}`, l["capabilities"], l["instructions"]))
	for method, member := range map[string]string{
		protocol.MethodToolsList: "tools", protocol.MethodPromptsList: "prompts",
		protocol.MethodResourcesList: "resources", protocol.MethodResourcesTemplatesList: "resourceTemplates",
	} {
		s.set(method, fmt.Sprintf(`{"resultType":"complete",%q:%s,"ttlMs":3600000,"cacheScope":"public"}`, member, l[member]))
	}
}

// TestDriftCorpus plays every case of the corpus to a gateway, as a server that
// changes its listing: it tells of the entry with its exact pointers and of no
// other, refuses calls of that entry alone, and tells of nothing where only order
// or spelling changed.
func TestDriftCorpus(t *testing.T) {
	b, err := os.ReadFile("../internal/fingerprint/testdata/drift.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus struct {
		Listing jsontext.Value
		Cases   []corpusCase
	}
	if err := json.Unmarshal(b, &corpus, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	base := string(corpus.Listing)
	s := newScript(t)
	s.lists(base)
	h := open(t, auto)
	a := h.approve("srv", s.start())
	uses := []struct{ kind, key, method, params string }{
		{"tool", "book", protocol.MethodToolsCall, `{"name":"book","arguments":{"harbour":"x"}}`},
		{"tool", "tides", protocol.MethodToolsCall, `{"name":"tides"}`},
		{"prompt", "plan", protocol.MethodPromptsGet, `{"name":"plan"}`},
		{"resource", "harbour://chart", protocol.MethodResourcesRead, `{"uri":"harbour://chart"}`},
		{"template", "harbour://{name}", protocol.MethodResourcesRead, `{"uri":"harbour://north"}`},
	}
	told, silent, records := 0, 0, 0
	// use makes a call of every approved entry, of which the case allows all but one.
	use := func(t *testing.T, c *corpusCase) {
		for n, u := range uses {
			r := h.call("srv", n, u.method, u.params)
			switch {
			case u.kind != c.Kind || u.key != c.unusable:
				if r.status != 200 {
					t.Errorf("%s %s, which is as approved: %d %s", u.kind, u.key, r.status, r.body)
				}
			case u.kind == "resource" && c.Gone == u.key:
				// The approved template covers the address as well.
			default:
				data := r.refused(t, 403, Reason(c.unusableAs))
				if d := cmp.Diff(c.Pointers, data.Pointers); c.Pointers != nil && d != "" {
					t.Errorf("pointers in the refusal (-want +got):\n%s", d)
				}
			}
		}
	}
	use(t, &corpusCase{})
	for i := range corpus.Cases {
		c := &corpus.Cases[i]
		c.expect()
		t.Run(c.Class, func(t *testing.T) {
			s.lists(strings.Replace(base, c.From, c.To, 1))
			h.changed(a, protocol.Modern)
			use(t, c)
			before := records
			records = len(h.events(audit.Query{Code: "drift_found"}))
			var want, got []alarm
			if c.alarm != nil {
				want = append(want, *c.alarm)
				told++
			}
			if c.Same {
				silent++
			}
			for range records - before { // each record is followed by one report
				d := <-h.drifts
				if c.Pointers == nil {
					d.Pointers = nil
				}
				got = append(got, alarm{d.Kind.String(), d.Key, d.State, d.Pointers})
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("reports (-want +got):\n%s", d)
			}
		})
	}
	if told < 30 || silent < 6 {
		t.Errorf("%d cases told of, %d silent", told, silent)
	}
}
