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
