package engine

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bartizan-mcp/bartizan/engine/message"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// flatVectors are inputs and answers in both encodings.
type flatVectors struct {
	Inputs []struct {
		Name string         `json:"name"`
		JSON jsontext.Value `json:"json"`
		Flat string         `json:"flat"` // hexadecimal
	} `json:"inputs"`
	Manifest jsontext.Value `json:"manifest"`
	Segments []string       `json:"segments"`
	Answers  []struct {
		Name string         `json:"name"`
		JSON jsontext.Value `json:"json,omitzero"`
		Flat string         `json:"flat"`
	} `json:"answers"`
	Invalid []struct {
		Name string `json:"name"`
		Flat string `json:"flat"`
	} `json:"invalid"`
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// batchOf reads an input in json back into what it was encoded from.
func batchOf(t *testing.T, src []byte) (*prepared, []window, particulars) {
	t.Helper()
	var in struct {
		Phase    message.Phase
		Server   string
		Entry    string
		Caller   string
		Segments []message.Segment
		Hits     []struct{ Pattern, Segment, Start, End int }
		Flow     []struct {
			Mark                string
			Segment, Start, End int
			Origin              struct{ Server, Entry string }
			Age                 int
		}
		Context []message.ContextEntry
		Limits  struct{ Findings, OutputBytes int }
	}
	if err := json.Unmarshal(src, &in, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	p := &prepared{nearest: in.Context, message: &message.Message{
		Phase: in.Phase, Server: in.Server, Entry: in.Entry, Caller: in.Caller, Segments: in.Segments,
	}}
	with := particulars{limits: Limits{Findings: in.Limits.Findings, OutputBytes: in.Limits.OutputBytes}}
	var batch []window
	for i, s := range in.Segments {
		batch = append(batch, window{segment: i, text: s.Text})
	}
	for _, h := range in.Hits {
		with.hits = append(with.hits, hit{h.Pattern, h.Segment, h.Start, h.End})
	}
	for _, f := range in.Flow {
		with.flow = append(with.flow, flowHit{f.Mark, f.Segment, f.Start, f.End, f.Origin.Server, f.Origin.Entry, f.Age})
	}
	return p, batch, with
}

// TestFlatInputVectors holds both encoders to the published bytes.
func TestFlatInputVectors(t *testing.T) {
	var v flatVectors
	readVectors(t, "flat.json", &v)
	for _, c := range v.Inputs {
		p, batch, with := batchOf(t, c.JSON)
		if diff := cmp.Diff(string(c.JSON), string(appendJSON(nil, p, batch, with))); diff != "" {
			t.Errorf("%s: json: %s", c.Name, diff)
		}
		dirty := []byte(strings.Repeat("\xff", 4096)) // the buffer of an earlier call
		const before = 3
		got := appendFlat(dirty[:before], p, batch, with)
		if diff := cmp.Diff(c.Flat, hex.EncodeToString(got[before:])); diff != "" {
			t.Errorf("%s: flat: %s", c.Name, diff)
		}
	}
}

func flatScanner(t testing.TB, manifest []byte, encoding string) *Scanner {
	t.Helper()
	m, err := ParseManifest(manifest)
	if err != nil {
		t.Fatal(err)
	}
	m.Encoding = encoding
	s := &Scanner{manifest: m, rules: map[string]Rule{}, opts: Options{Limits: DefaultLimits}}
	for _, r := range m.Rules {
		s.rules[r.ID] = r
	}
	return s
}

// TestFlatAnswerVectors holds that an answer means the same in both encodings.
func TestFlatAnswerVectors(t *testing.T) {
	var v flatVectors
	readVectors(t, "flat.json", &v)
	flat, plain := flatScanner(t, v.Manifest, EncodingFlat), flatScanner(t, v.Manifest, EncodingJSON)
	var windows []window
	for i, text := range v.Segments {
		windows = append(windows, window{segment: i, text: text})
	}
	for _, c := range v.Answers {
		want, err := plain.parseAnswer(c.JSON, windows)
		if err != nil {
			t.Errorf("%s: json: %v", c.Name, err)
		}
		got, err := flat.parseAnswer(unhex(t, c.Flat), windows)
		if err != nil {
			t.Errorf("%s: flat: %v", c.Name, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
	for _, c := range v.Invalid {
		if got, err := flat.parseAnswer(unhex(t, c.Flat), windows); err == nil {
			t.Errorf("%s: accepted as %+v", c.Name, got)
		}
	}
}

// Places in an answer of one finding and, behind it, one unexamined range.
const (
	atFinding = flatOutHeader
	atRange   = atFinding + flatFinding
)

// TestInvalidFlatAnswers breaks a valid answer in one place at a time. Nothing
// of what remains may be believed.
func TestInvalidFlatAnswers(t *testing.T) {
	s := flatScanner(t, []byte(testManifest), EncodingFlat)
	windows := []window{{text: "aéz!x"}}
	valid := func() []byte {
		replacement := "gone"
		return execFlat(t, &scanner.Output{
			Findings:   []scanner.Finding{{Rule: "test.high", Severity: "low", Confidence: .5, End: 1, Message: "why", Replacement: &replacement, Mark: "m"}},
			Unexamined: []scanner.Range{{Segment: 0, Start: 0, End: 1}},
		})
	}
	if a, err := s.parseAnswer(valid(), windows); err != nil || len(a.Findings) != 1 || len(a.Unexamined) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	set := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[at:], v); return b }
	}
	setByte := func(at int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	confidence := func(v float64) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[atFinding+flatFindConfidence:], math.Float64bits(v))
			return b
		}
	}
	invalidText := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[binary.LittleEndian.Uint32(b[atFinding+at:])] = 0xff; return b }
	}
	for name, tc := range map[string]struct {
		edit   func([]byte) []byte
		detail string
	}{
		"empty":                  {func([]byte) []byte { return nil }, "flat header"},
		"cut in the header":      {func(b []byte) []byte { return b[:flatOutHeader-1] }, "flat header"},
		"cut in a finding":       {func(b []byte) []byte { return b[:atRange-1] }, "outside"},
		"cut in a range":         {func(b []byte) []byte { return b[:atRange+flatRange-1] }, "outside"},
		"cut in a string":        {func(b []byte) []byte { return b[:len(b)-1] }, "outside"},
		"json":                   {func([]byte) []byte { return []byte(cleanAnswer) }, "flat header"},
		"an input":               {set(0, flatInputMagic), "flat header"},
		"zero":                   {func(b []byte) []byte { clear(b); return b }, "flat header"},
		"short header":           {set(flatOutHeaderSize, flatOutHeader-8), "header of 32"},
		"header of a later time": {set(flatOutHeaderSize, flatOutHeader+8), "header of 48"},
		"header not zero":        {set(flatOutZero, 1), "header"},
		"no status":              {set(flatOutStatus, 0), "status"},
		"unknown status":         {set(flatOutStatus, 3), "status"},
		"complete with ranges":   {set(flatOutStatus, 1), "status"},
		"partial without ranges": {set(flatOutUnexamined+flatTableCount, 0), "status"},
		"4 G findings":           {set(flatOutFindings+flatTableCount, math.MaxUint32), "outside"},
		"count that wraps in 32": {set(flatOutFindings+flatTableCount, 1<<32/flatFinding+1), "outside"},
		"findings at 4 GiB":      {set(flatOutFindings+flatTableAt, math.MaxUint32), "outside"},
		"findings that wrap":     {set(flatOutFindings+flatTableAt, math.MaxUint32-flatFinding+1), "outside"},
		"short findings":         {set(flatOutFindings+flatTableRecord, flatFinding-8), "48 bytes each"},
		"findings of later":      {set(flatOutFindings+flatTableRecord, flatFinding+8), "64 bytes each"},
		"findings of no size":    {set(flatOutFindings+flatTableRecord, 0), "0 bytes each"},
		"4 G ranges":             {set(flatOutUnexamined+flatTableCount, math.MaxUint32), "outside"},
		"ranges at 4 GiB":        {set(flatOutUnexamined+flatTableAt, math.MaxUint32), "outside"},
		"ranges of later":        {set(flatOutUnexamined+flatTableRecord, flatRange+8), "24 bytes each"},
		"range not zero":         {set(atRange+flatRangeZero, 1), "end in zero"},
		"range outside":          {set(atRange+flatRangeEnd, 99), "range 0 to 99"},
		"range backwards":        {set(atRange+flatRangeStart, 3), "range 3 to 1"},
		"range of no segment":    {set(atRange+flatRangeSegment, 1), "/unexamined/0/segment: 1"},
		"no rule":                {set(atFinding+flatFindRule+4, 0), "not in the manifest"},
		"other rule":             {set(atFinding+flatFindRule+4, 4), "not in the manifest"},
		"rule at 4 GiB":          {set(atFinding+flatFindRule, math.MaxUint32), "/findings/0/rule: 9 bytes at 4294967295"},
		"rule of 4 GiB":          {set(atFinding+flatFindRule+4, math.MaxUint32), "at most 64"},
		"rule that is no UTF-8":  {invalidText(flatFindRule), "UTF-8"},
		"message outside":        {set(atFinding+flatFindMessage, math.MaxUint32-2), "/findings/0/message: 3 bytes"},
		"message too long":       {set(atFinding+flatFindMessage+4, maxMessage+1), "at most 512"},
		"message no UTF-8":       {invalidText(flatFindMessage), "UTF-8"},
		"replacement too long":   {set(atFinding+flatFindReplacement+4, maxReplacement+1), "at most 1024"},
		"replacement no UTF-8":   {invalidText(flatFindReplacement), "UTF-8"},
		"replacement denied":     {setByte(atFinding+flatFindReplaces, 0), "flag"},
		"replacement perhaps":    {setByte(atFinding+flatFindReplaces, 2), "does not know"},
		"finding not zero":       {setByte(atFinding+flatFindReplaces+2, 1), "does not know"},
		"mark too long":          {set(atFinding+flatFindMark+4, maxMark+1), "at most 64"},
		"mark no UTF-8":          {invalidText(flatFindMark), "UTF-8"},
		"severity unknown":       {setByte(atFinding+flatFindSeverity, 6), "severity"},
		"severity above":         {setByte(atFinding+flatFindSeverity, 5), "severity"},
		"confidence over 1":      {confidence(1.5), "confidence"},
		"confidence negative":    {confidence(-.5), "confidence"},
		"confidence infinite":    {confidence(math.Inf(1)), "confidence"},
		"confidence no number":   {confidence(math.NaN()), "confidence"},
		"segment outside":        {set(atFinding+flatFindSegment, 1), "/findings/0/segment: 1, of an input with 1"},
		"segment of 4 G":         {set(atFinding+flatFindSegment, math.MaxUint32), "segment"},
		"end outside":            {set(atFinding+flatFindEnd, 7), "range 0 to 7"},
		"end before start":       {set(atFinding+flatFindStart, 2), "range 2 to 1"},
		"end in a character":     {set(atFinding+flatFindEnd, 2), "UTF-8"},
	} {
		a, err := s.parseAnswer(tc.edit(valid()), windows)
		if err == nil || !strings.Contains(err.Error(), tc.detail) {
			t.Errorf("%s: %v; want %s", name, err, tc.detail)
		}
		if a.Findings != nil || a.Unexamined != nil {
			t.Errorf("%s: something is left: %+v", name, a)
		}
	}
	many := &scanner.Output{Findings: make([]scanner.Finding, DefaultLimits.Findings+1)}
	if _, err := s.parseAnswer(execFlat(t, many), windows); err == nil || !strings.Contains(err.Error(), "at most 256") {
		t.Errorf("a finding too many: %v", err)
	}
}

// execAs has sdk/go encode an answer, and returns it as the host would get it.
func execAs(t testing.TB, out *scanner.Output, encode func([]byte, *prepared, []window, particulars) []byte) []byte {
	t.Helper()
	scanner.Handle(nil, func(*scanner.Input) *scanner.Output { return out })
	b, err := scanner.Exec(encode(nil, &prepared{message: &message.Message{Phase: message.PhaseResult}}, nil, particulars{}))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func execFlat(t testing.TB, out *scanner.Output) []byte { return execAs(t, out, appendFlat) }

// TestEncodingsAgree gives the same random answers, mostly valid ones, in both
// encodings: both are believed, with the same result, or neither is.
func TestEncodingsAgree(t *testing.T) {
	flat, plain := flatScanner(t, []byte(testManifest), EncodingFlat), flatScanner(t, []byte(testManifest), EncodingJSON)
	windows := []window{{text: "aéz!x"}, {text: ""}, {text: "second"}}
	rnd := rand.New(rand.NewPCG(1, 2))
	believed := 0
	for i := range 3000 {
		out := randomAnswer(rnd)
		want, wantErr := plain.parseAnswer(execAs(t, out, appendJSON), windows)
		got, err := flat.parseAnswer(execFlat(t, out), windows)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("answer %d: json %v, flat %v\n%+v", i, wantErr, err, out)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("answer %d: %s", i, diff)
		}
		if err == nil {
			believed++
		}
	}
	if believed < 500 || believed > 2500 {
		t.Errorf("%d of 3000 answers are valid: the test compares too little", believed)
	}
}

func randomAnswer(r *rand.Rand) *scanner.Output {
	pick := func(common int, rare ...int) int {
		if r.IntN(60) == 0 {
			return rare[r.IntN(len(rare))]
		}
		return common
	}
	text := func(limit int) string {
		odd := []string{"", "m", "é\"\\\x00", strings.Repeat("y", limit)}
		if r.IntN(60) == 0 {
			return []string{strings.Repeat("z", limit+1), "\xff\xfe"}[r.IntN(2)]
		}
		return odd[r.IntN(len(odd))]
	}
	ranges := [][3]int{{0, 0, 1}, {0, 1, 3}, {0, 0, 6}, {1, 0, 0}, {2, 6, 6}}
	out := scanner.NewOutput()
	for range r.IntN(5) {
		at := ranges[r.IntN(len(ranges))]
		f := scanner.Finding{
			Rule: "test.high", Severity: []string{"", "info", "low", "medium", "high"}[r.IntN(5)],
			Confidence: r.Float64(), Message: text(maxMessage), Mark: text(maxMark),
			Segment: pick(at[0], -1, 3, 1<<32, math.MaxInt64), Start: pick(at[1], -1, 2, 1<<32), End: pick(at[2], 2, 7, 1<<32+1),
		}
		switch r.IntN(60) {
		case 0:
			f.Rule = "test.other"
		case 1:
			f.Severity = "awful"
		case 2:
			f.Confidence = []float64{math.NaN(), math.Inf(1), -1, 2}[r.IntN(4)]
		case 3, 4, 5:
			f.Rule, f.Severity = "test.low", ""
		}
		if r.IntN(3) == 0 {
			replacement := text(maxReplacement)
			f.Replacement = &replacement
		}
		out.Add(f)
	}
	for range max(0, r.IntN(6)-3) {
		at := ranges[r.IntN(len(ranges))]
		out.Skip(pick(at[0], -1, 1<<40), at[1], pick(at[2], 2))
	}
	return out
}

// TestInputsAgree holds that a scanner is told the same in both encodings.
func TestInputsAgree(t *testing.T) {
	var v flatVectors
	readVectors(t, "flat.json", &v)
	for _, c := range v.Inputs {
		p, batch, with := batchOf(t, c.JSON)
		want, err := scanner.DecodeInput(appendJSON(nil, p, batch, with))
		if err != nil {
			t.Fatal(err)
		}
		got, err := scanner.DecodeInput(appendFlat(nil, p, batch, with))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
}

func TestFlatRepairsText(t *testing.T) {
	p := &prepared{message: &message.Message{Phase: message.PhaseResult, Server: "\xff", Segments: []message.Segment{{Text: "a\xffb"}}}}
	in, err := scanner.DecodeInput(appendFlat(nil, p, []window{{text: "a\xffb"}}, particulars{}))
	if err != nil || in.Server != "\ufffd" || in.Segments[0].Text != "a\ufffdb" {
		t.Errorf("%+v, %v", in, err)
	}
}

func FuzzDecodeFlat(f *testing.F) {
	replacement := ""
	f.Add(execFlat(f, scanner.NewOutput()))
	f.Add(execFlat(f, &scanner.Output{
		Findings:   []scanner.Finding{{Rule: "test.high", Confidence: 1, End: 1, Message: "m", Replacement: &replacement}, {Rule: "test.high"}},
		Unexamined: []scanner.Range{{Segment: 0, Start: 0, End: 1}},
	}))
	s := flatScanner(f, []byte(testManifest), EncodingFlat)
	windows := []window{{text: "aéz!x"}}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		a, err := s.parseAnswer(b, windows)
		if err != nil {
			return
		}
		clear(b) // the guest's memory, which is not kept
		again, err := s.parseAnswer([]byte(before), windows)
		if diff := cmp.Diff(again, a); err != nil || diff != "" {
			t.Errorf("changes with the guest's memory: %v, %s", err, diff)
		}
		if len(a.Findings) > DefaultLimits.Findings || (a.Status == "complete") != (len(a.Unexamined) == 0) {
			t.Errorf("accepted %+v", a)
		}
		for _, x := range a.Findings {
			_ = windows[x.Segment].text[x.Start:x.End] // panics if a span was let through
			if s.rules[x.Rule].ID != x.Rule || !x.Severity.Valid() || !(x.Confidence >= 0 && x.Confidence <= 1) || !utf8.ValidString(x.Message+x.Mark) {
				t.Errorf("accepted %+v", x)
			}
		}
	})
}

// TestFlatAllocatesNothing holds what a call without findings costs: an input
// into a buffer that is used again, and the answer that nothing was found.
func TestFlatAllocatesNothing(t *testing.T) {
	s := flatScanner(t, []byte(testManifest), EncodingFlat)
	p := prepare(result(strings.Repeat("a line of text\n", 300)))
	with := particulars{limits: DefaultLimits, hits: []hit{{0, 0, 1, 2}}}
	clean := execFlat(t, scanner.NewOutput())
	var buf []byte
	if n := testing.AllocsPerRun(100, func() { buf = s.appendInput(buf[:0], p, p.batches[0], with) }); n != 0 {
		t.Errorf("encoding allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.parseAnswer(clean, p.batches[0]); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("decoding allocates %v times", n)
	}
}

func BenchmarkInput(b *testing.B) {
	for name, size := range map[string]int{"0.5KB": 512, "4KB": 4 << 10} {
		p := prepare(result(strings.Repeat("a line of \"text\"\n", size/17)))
		for encoding, encode := range map[string]func([]byte, *prepared, []window, particulars) []byte{"flat": appendFlat, "json": appendJSON} {
			b.Run(name+"/"+encoding, func(b *testing.B) {
				var buf []byte
				for b.Loop() {
					buf = encode(buf[:0], p, p.batches[0], particulars{limits: DefaultLimits})
				}
			})
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	windows := []window{{text: "aéz!x"}}
	for name, out := range map[string]*scanner.Output{"clean": {}, "finding": {Findings: []scanner.Finding{{Rule: "test.high", Confidence: .5, End: 1, Message: "why"}}}} {
		for encoding, encode := range map[string]func([]byte, *prepared, []window, particulars) []byte{EncodingFlat: appendFlat, EncodingJSON: appendJSON} {
			s := flatScanner(b, []byte(testManifest), encoding)
			src := execAs(b, out, encode)
			b.Run(name+"/"+encoding, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.parseAnswer(src, windows); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
