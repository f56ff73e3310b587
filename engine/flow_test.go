package engine

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

const carried = "Zx81-Kq7w-Pl0m-Vb3n-Ty6u"

var flowStart = time.Unix(1_800_000_000, 0)

// scene is one owner's messages over a memory of his own.
type scene struct {
	*testing.T
	set   *Set
	scope flow.Scope
	now   time.Time
}

func newScene(t *testing.T, opts Options) *scene {
	return &scene{t, NewSet(guestScanner(t, opts)), flow.New(flow.Config{}).Of(flow.Owner{Tenant: "default", Principal: "alice"}), flowStart}
}

func (s *scene) scan(m *message.Message) Verdict {
	s.Helper()
	v := s.set.ScanWith(s.Context(), m, ScanOptions{Now: s.now, Flow: s.scope})
	if len(v.Failures) > 0 {
		s.Fatalf("%+v", v.Failures)
	}
	return v
}

func arguments(server, entry string, texts ...string) *message.Message {
	m := result(texts...)
	m.Phase, m.Server, m.Entry = message.PhaseRequest, server, entry
	return m
}

// TestMarksReachLaterCalls holds that a scanner is told what it marked, where
// that came from and when, behind every encoding that views undo.
func TestMarksReachLaterCalls(t *testing.T) {
	s := newScene(t, Options{})
	from := result("remember secret " + carried)
	from.Server, from.Entry = "io.example/vault", "read"
	s.scan(from)
	s.now = s.now.Add(90 * time.Second)
	for name, text := range map[string]string{
		"plain": carried, "capitals": strings.ToUpper(carried), "wrapped": "a\n" + carried[:9] + "\n  " + carried[9:],
		"base64": base64.StdEncoding.EncodeToString([]byte("it is " + carried + ", said he")), "hex": hex.EncodeToString([]byte("it is " + carried)),
		"percent": "x%20" + strings.ReplaceAll(url.QueryEscape(carried), "-", "%2D"), "inside": "https://example.org/?q=" + carried,
	} {
		v := s.scan(arguments("io.example/mail", "send", "fine", text))
		if len(v.Flow) == 0 || len(v.Findings) == 0 {
			t.Errorf("%s: %+v", name, v)
			continue
		}
		if want := "secret {io.example/vault read} 90"; v.Findings[0].Message != want {
			t.Errorf("%s: the scanner was told %q", name, v.Findings[0].Message)
		}
		if h := v.Flow[0]; h.Mark != "secret" || h.Server != "io.example/vault" || h.Entry != "read" || h.Age != 90 {
			t.Errorf("%s: recorded %+v", name, h)
		}
	}
	if v := s.scan(arguments("io.example/vault", "read", carried)); len(v.Flow) > 0 {
		t.Errorf("back to where it came from: %+v", v.Flow)
	}
	back := result(carried)
	back.Server = "io.example/other"
	if v := s.scan(back); len(v.Flow) > 0 {
		t.Errorf("in a result: %+v", v.Flow)
	}
	s.now = s.now.Add(time.Hour)
	if v := s.scan(arguments("io.example/mail", "send", carried)); len(v.Flow) > 0 {
		t.Errorf("after its time: %+v", v.Flow)
	}
}

// TestQuietMarks holds that a mark of severity info is remembered and no
// finding, so that no record is made of it.
func TestQuietMarks(t *testing.T) {
	s := newScene(t, Options{})
	if v := s.scan(result("remember whisper " + carried)); len(v.Findings) != 0 || v.Action != ActionAllow {
		t.Errorf("reported: %+v", v.Findings)
	}
	if v := s.scan(arguments("b", "send", carried)); len(v.Flow) != 1 || v.Flow[0].Mark != "whisper" {
		t.Errorf("not remembered: %+v", v.Flow)
	}
}

// TestMarksInViewsAndLongTexts holds that the place of a hit is right in the
// parts that a long message is cut into.
func TestMarksInViewsAndLongTexts(t *testing.T) {
	s := newScene(t, Options{})
	from := result(base64.StdEncoding.EncodeToString([]byte("you remember secret " + carried)))
	from.Server = "io.example/vault"
	s.scan(from)
	for _, at := range []int{0, windowBytes - 7, 3*batchBytes + 11} {
		text := strings.Repeat("ö ", at/3) + carried + strings.Repeat(" ö", 1<<17)
		v := s.scan(arguments("io.example/mail", "send", "first", text))
		if len(v.Flow) == 0 {
			t.Errorf("at %d: nothing", at)
			continue
		}
		if h := v.Flow[0]; !strings.HasPrefix(text[h.Start:h.End], "Zx81") {
			t.Errorf("at %d: %q", at, text[h.Start:h.End])
		}
	}
}

// TestWhatPasses holds that only what may reach a model is remembered.
func TestWhatPasses(t *testing.T) {
	for name, c := range map[string]struct {
		opts  Options
		phase message.Phase
		texts []string
		want  bool
	}{
		"a result":          {Options{}, message.PhaseResult, []string{"remember secret " + carried}, true},
		"a prompt":          {Options{}, message.PhasePrompt, []string{"remember secret " + carried}, true},
		"a resource":        {Options{}, message.PhaseResource, []string{"remember secret " + carried}, true},
		"a request":         {Options{}, message.PhaseRequest, []string{"remember secret " + carried}, false},
		"a listing":         {Options{}, message.PhaseListing, []string{"remember secret " + carried}, false},
		"beside redactions": {Options{}, message.PhaseResult, []string{"remember secret " + carried, "attack"}, false},
		"a blocked result":  {Options{Tiers: Tiers{SeverityLow: ActionBlock}}, message.PhaseResult, []string{"remember secret " + carried}, false},
		"partly examined":   {Options{}, message.PhaseResult, []string{"remember secret " + carried, "skip"}, false},
		"only monitored":    {Options{Mode: ModeMonitor, Tiers: Tiers{SeverityLow: ActionBlock}}, message.PhaseResult, []string{"remember secret " + carried}, true},
		"no span":           {Options{}, message.PhaseResult, []string{"remember secret"}, false},
	} {
		s := newScene(t, c.opts)
		m := result(c.texts...)
		m.Phase = c.phase
		s.scan(m)
		if s.scope.Quiet(flowStart) == c.want {
			t.Errorf("%s: remembered %v", name, !c.want)
		}
	}
	s := newScene(t, Options{})
	m := result("remember secret " + carried)
	v := s.set.Scan(t.Context(), m)
	f := v.Findings[0]
	s.set.ScanWith(t.Context(), m, ScanOptions{Now: s.now, Flow: s.scope, Waivers: []Waiver{{Rule: f.Rule, Pointer: f.Pointer, Leaf: f.Leaf, Expires: s.now.Add(time.Hour)}}})
	if !s.scope.Quiet(s.now) {
		t.Error("a waived finding is remembered")
	}
}

// TestFlowTriggers holds that a scanner which asks for nothing else is called
// where something marked occurs, and only there.
func TestFlowTriggers(t *testing.T) {
	triggered := &Scanner{manifest: mustManifest(t, triggeredManifest("", `{"flow":true}`)), opts: Options{Limits: DefaultLimits}}
	matcher := newMatcher([]*Scanner{triggered})
	opts := ScanOptions{Now: flowStart, Flow: flow.New(flow.Config{}).Of(flow.Owner{})}
	opts.Flow.Remember(flowStart, flow.Mark{Kind: "secret", Origin: flow.Origin{Server: "a"}, Text: carried})
	for text, want := range map[string]int{"an ordinary text": 0, "the " + carried: 1} {
		p := matcher.newPass(prepare(arguments("b", "send", text)))
		p.lookUp(opts)
		if calls := p.summon(0, false); len(calls) != want {
			t.Errorf("%q: %d calls", text, len(calls))
		}
		p.release()
	}
}

func mustManifest(t testing.TB, b string) Manifest {
	t.Helper()
	m, err := ParseManifest([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSameVerdictInEveryProcess holds that what scanners are told depends on
// the messages, not on the keys of the memory.
func TestSameVerdictInEveryProcess(t *testing.T) {
	var texts []string
	for i := range 60 {
		texts = append(texts, strings.Repeat(string(rune('a'+i%26)), i%5)+"word"+string(rune('a'+i*7%26)))
	}
	long := strings.Join(texts, " ")
	var first []FlowHit
	for i := range 4 {
		s := newScene(t, Options{})
		s.scan(result("remember instruction " + long))
		v := s.scan(arguments("b", "send", long[37:180], "x"+long[200:300]))
		if i == 0 {
			first = slices.Clone(v.Flow)
		}
		if diff := cmp.Diff(first, v.Flow); diff != "" || len(v.Flow) < 2 {
			t.Error(diff, len(v.Flow))
		}
	}
}

// BenchmarkFlow compares a call with nothing remembered to one without a memory.
func BenchmarkFlow(b *testing.B) {
	m := arguments("b", "send", strings.Repeat("an ordinary argument, ", 40))
	full := flow.New(flow.Config{})
	full.Of(flow.Owner{Principal: "bob"}).Remember(flowStart, flow.Mark{Kind: "secret", Text: carried})
	for _, c := range []struct {
		name string
		opts ScanOptions
	}{
		{"none", ScanOptions{Now: flowStart}},
		{"quiet", ScanOptions{Now: flowStart, Flow: full.Of(flow.Owner{Principal: "alice"})}},
		{"marks", ScanOptions{Now: flowStart, Flow: full.Of(flow.Owner{Principal: "bob"})}},
	} {
		p := prepare(m)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.lookUp(c.opts)
			}
		})
	}
}
