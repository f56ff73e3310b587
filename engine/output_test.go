package engine

import (
	"strings"
	"testing"
)

// finding is an answer of one finding; members replace or add to the usual ones.
func finding(members string) string {
	return `{"status":"complete","findings":[{"rule":"test.high","confidence":0.5,"segment":0,"start":0,"end":1,"message":""` + members + `}]}`
}

// TestInvalidAnswers holds that an answer with anything wrong in it is a
// failure, and that none of it is believed.
func TestInvalidAnswers(t *testing.T) {
	one := `{"rule":"test.low","confidence":1,"segment":0,"start":0,"end":0,"message":""}`
	replace := func(old, new string) string { return strings.Replace(finding(""), old, new, 1) }
	for name, answer := range map[string]string{
		"rubbish":                 "rubbish",
		"not UTF-8":               replace(`"message":""`, "\"message\":\"\xff\""),
		"trailing data":           cleanAnswer + "{}",
		"array":                   "[]",
		"no status":               `{"findings":[]}`,
		"unknown status":          `{"status":"fine","findings":[]}`,
		"no findings":             `{"status":"complete"}`,
		"findings null":           `{"status":"complete","findings":null}`,
		"finding null":            `{"status":"complete","findings":[null]}`,
		"no confidence":           replace(`"confidence":0.5,`, ``),
		"confidence null":         replace(`"confidence":0.5`, `"confidence":null`),
		"no segment":              replace(`"segment":0,`, ``),
		"no start":                replace(`"start":0,`, ``),
		"no end":                  replace(`"end":1,`, ``),
		"no message":              replace(`,"message":""`, ``),
		"range without a start":   `{"status":"partial","findings":[],"unexamined":[{"segment":0,"end":1}]}`,
		"partial without ranges":  `{"status":"partial","findings":[]}`,
		"complete with ranges":    `{"status":"complete","findings":[],"unexamined":[{"segment":0,"start":0,"end":1}]}`,
		"range outside":           `{"status":"partial","findings":[],"unexamined":[{"segment":0,"start":0,"end":99}]}`,
		"unknown member":          `{"status":"complete","findings":[],"action":"allow"}`,
		"duplicate member":        `{"status":"complete","status":"complete","findings":[]}`,
		"unknown rule":            replace("test.high", "test.other"),
		"unknown severity":        finding(`,"severity":"awful"`),
		"severity above the rule": finding(`,"severity":"critical"`),
		"confidence over 1":       replace("0.5", "1.5"),
		"negative confidence":     replace("0.5", "-0.5"),
		"infinite confidence":     replace("0.5", "1e999"),
		"confidence no number":    replace("0.5", "NaN"),
		"segment outside":         replace(`"segment":0`, `"segment":1`),
		"negative segment":        replace(`"segment":0`, `"segment":-1`),
		"huge segment":            replace(`"segment":0`, `"segment":99999999999999999999`),
		"negative start":          replace(`"start":0`, `"start":-1`),
		"end before start":        replace(`"start":0`, `"start":2`),
		"end outside":             replace(`"end":1`, `"end":7`),
		"start inside a rune":     replace(`"start":0,"end":1`, `"start":2,"end":3`),
		"end inside a rune":       replace(`"end":1`, `"end":2`),
		"long message":            replace(`"message":""`, `"message":"`+strings.Repeat("m", maxMessage+1)+`"`),
		"long replacement":        finding(`,"replacement":"` + strings.Repeat("m", maxReplacement+1) + `"`),
		"long mark":               finding(`,"mark":"` + strings.Repeat("m", maxMark+1) + `"`),
		"too many findings":       `{"status":"complete","findings":[` + strings.Repeat(one+",", DefaultLimits.Findings) + one + `]}`,
		"too many bytes":          cleanAnswer + strings.Repeat(" ", DefaultLimits.OutputBytes),
		"deep":                    strings.Repeat("[", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, newEngine(t), module(answer, nil), Options{})
			v := NewSet(s).Scan(t.Context(), result("aéz!x")) // 6 bytes, é at 1 and 2
			if v.Action != ActionBlock || len(v.Findings) != 0 || len(v.Failures) != 1 || v.Failures[0].Kind != FailureOutput {
				t.Errorf("%+v", v)
			}
			for _, f := range v.Failures {
				if strings.Contains(f.Detail, "mmm") || strings.Contains(f.Detail, "test.other") || strings.Contains(f.Detail, "awful") {
					t.Errorf("the detail repeats what the guest wrote: %s", f.Detail)
				}
			}
		})
	}
}

// TestAnswersAreExplained holds that a failure names the field and what is wrong
// with it, and repeats nothing that the guest wrote.
func TestAnswersAreExplained(t *testing.T) {
	for answer, want := range map[string]string{
		"rubbish": "the answer is not JSON of the output schema: broken at byte 0",
		`{"status":"complete","findings":[],"SECRET":1}`:              "the answer is not JSON of the output schema: / has a member that it does not know",
		finding(`,"SECRET":1`):                                        "the answer is not JSON of the output schema: /findings/0/ has a member that it does not know",
		finding(`,"mark":["SECRET"]`):                                 "the answer is not JSON of the output schema: /findings/0/mark is of another type",
		finding(`,"mark":null`):                                       "the answer is not JSON of the output schema: /findings/0/mark is null",
		`{"status":"complete"}`:                                       "the answer lacks /findings, which the output schema requires",
		`{"status":"SECRET","findings":[]}`:                           "/status: must be complete, or partial",
		strings.Replace(finding(""), "test.high", "SECRET", 1):        "/findings/0/rule: is not in the manifest",
		finding(`,"severity":"critical"`):                             "/findings/0/severity: critical, which is above high, that of rule test.high",
		finding(`,"severity":"SECRET"`):                               "/findings/0/severity: unknown",
		strings.Replace(finding(""), "0.5", "1.5", 1):                 "/findings/0/confidence: 1.5 is not within 0 and 1",
		strings.Replace(finding(""), `"segment":0`, `"segment":7`, 1): "/findings/0/segment: 7, of an input with 1",
		strings.Replace(finding(""), `"end":1`, `"end":99`, 1):        "/findings/0/end: range 0 to 99 in a text of 6 bytes",
		strings.Replace(finding(""), `"end":1`, `"end":2`, 1):         "/findings/0/end: range 0 to 2 cuts a UTF-8 character",
		strings.Replace(finding(""), `"message":""`, `"message":"`+strings.Repeat("SECRET", 100)+`"`, 1): "/findings/0/message: 600 bytes, at most 512",
	} {
		m, err := ParseManifest([]byte(testManifest))
		if err != nil {
			t.Fatal(err)
		}
		s := &Scanner{manifest: m, rules: map[string]Rule{}, opts: Options{Limits: DefaultLimits}}
		for _, r := range m.Rules {
			s.rules[r.ID] = r
		}
		_, err = s.parseAnswer([]byte(answer), []window{{text: "aéz!x"}})
		f := failureOf("test", err)
		if f == nil || f.Kind != FailureOutput || !strings.Contains(f.Detail, want) || strings.Contains(f.Detail, "SECRET") {
			t.Errorf("%.60s: %v, want %s", answer, f, want)
		}
	}
}

func TestValidAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer     string
		action     Action
		unexamined bool
	}{
		"clean":           {cleanAnswer, ActionAllow, false},
		"no ranges named": {`{"status":"complete","findings":[]}`, ActionAllow, false},
		"high":            {finding(""), ActionBlock, false},
		"milder":          {finding(`,"severity":"medium"`), ActionFlag, false},
		"low":             {strings.Replace(finding(""), "test.high", "test.low", 1), ActionAllow, false},
		"redaction":       {finding(`,"replacement":""`), ActionRedact, false},
		"mild redaction":  {finding(`,"severity":"low","replacement":"x"`), ActionAllow, false},
		"partial":         {`{"status":"partial","findings":[],"unexamined":[{"segment":0,"start":1,"end":3}]}`, ActionBlock, true},
		"to the end":      {strings.Replace(finding(""), `"end":1`, `"end":6`, 1), ActionBlock, false},
		"mark":            {finding(`,"mark":"secret"`), ActionBlock, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, newEngine(t), module(tc.answer, nil), Options{})
			v := NewSet(s).Scan(t.Context(), result("aéz!x"))
			if v.Action != tc.action || v.Unexamined != tc.unexamined || len(v.Failures) != 0 {
				t.Errorf("%+v", v)
			}
		})
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(finding(""))
	f.Add(cleanAnswer)
	m, err := ParseManifest([]byte(testManifest))
	if err != nil {
		f.Fatal(err)
	}
	s := &Scanner{manifest: m, rules: map[string]Rule{m.Rules[0].ID: m.Rules[0]}, opts: Options{Limits: DefaultLimits}}
	windows := []window{{text: "aéz!x"}}
	f.Fuzz(func(t *testing.T, src string) {
		a, err := s.parseAnswer([]byte(src), windows)
		if err != nil {
			return
		}
		for _, x := range a.Findings {
			_ = windows[x.Segment].text[x.Start:x.End] // panics if a span was let through
			if x.Rule != m.Rules[0].ID || !x.Severity.Valid() || !(x.Confidence >= 0 && x.Confidence <= 1) {
				t.Errorf("accepted %+v", x)
			}
		}
	})
}
