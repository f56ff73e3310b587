package engine

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Answer is what a scanner returns: sdk/abi/output.schema.json, in either
// encoding.
type Answer struct {
	Status     string          `json:"status"`
	Findings   []AnswerFinding `json:"findings"`
	Unexamined []AnswerRange   `json:"unexamined,omitzero"`
}

// AnswerFinding is a finding as a scanner returns it.
type AnswerFinding struct {
	Rule        string   `json:"rule"`
	Severity    Severity `json:"severity,omitzero"` // absent: the rule's own
	Confidence  float64  `json:"confidence"`
	Segment     int      `json:"segment"`
	Start       int      `json:"start"`
	End         int      `json:"end"`
	Message     string   `json:"message"`
	Replacement *string  `json:"replacement,omitzero"`
	Mark        string   `json:"mark,omitzero"` // what kind of thing to remember the range as
}

// AnswerRange is a range that a scanner did not examine.
type AnswerRange struct {
	Segment int `json:"segment"`
	Start   int `json:"start"`
	End     int `json:"end"`
}

// required are the members that an answer has: what a guest left out must not
// read as zero, which is a clean answer or the first segment. A severity may be
// left out, but is not empty.
type required struct {
	Findings *[]struct {
		Severity   *Severity      `json:"severity"`
		Confidence jsontext.Value `json:"confidence"`
		Message    jsontext.Value `json:"message"`
		requiredRange
	} `json:"findings"`
	Unexamined []requiredRange `json:"unexamined"`
}

type requiredRange struct {
	Segment jsontext.Value `json:"segment"`
	Start   jsontext.Value `json:"start"`
	End     jsontext.Value `json:"end"`
}

// missing names the first member that should be there.
func (r required) missing() (field string, missing bool) {
	if r.Findings == nil {
		return "/findings", true
	}
	for i, f := range *r.Findings {
		at := fmt.Sprintf("/findings/%d/", i)
		switch {
		case f.Severity != nil && *f.Severity == "":
			return at + "severity", true
		case f.Confidence == nil:
			return at + "confidence", true
		case f.Message == nil:
			return at + "message", true
		}
		if name := f.requiredRange.missing(); name != "" {
			return at + name, true
		}
	}
	for i, u := range r.Unexamined {
		if name := u.missing(); name != "" {
			return fmt.Sprintf("/unexamined/%d/%s", i, name), true
		}
	}
	return "", false
}

func (r requiredRange) missing() string {
	switch {
	case r.Segment == nil:
		return "segment"
	case r.Start == nil:
		return "start"
	case r.End == nil:
		return "end"
	}
	return ""
}

// Bounds of the texts in an answer.
const (
	maxMessage     = 512
	maxReplacement = 1024
	maxMark        = 64
)

// parseAnswer reads an answer and holds it to the ABI: whatever is wrong in it
// makes the whole of it worthless, and is an [*AnswerError].
func (s *Scanner) parseAnswer(b []byte, windows []window) (Answer, error) {
	decode := decodeJSON
	if s.manifest.Encoding == EncodingFlat {
		decode = decodeFlat
	}
	a, broken := decode(b, s.opts.Limits)
	if broken == nil {
		broken = s.checkAnswer(&a, windows)
	}
	if broken != nil { // never as an interface that holds nil
		return Answer{}, broken
	}
	return a, nil
}

// decodeJSON reads an answer in the json encoding.
func decodeJSON(b []byte, _ Limits) (a Answer, err *AnswerError) {
	var r required
	if err := json.Unmarshal(b, &a, json.RejectUnknownMembers(true)); err != nil {
		return a, notOfSchema(err)
	}
	if at, null := nullAt(b); null {
		return a, wrong("", "the answer is not JSON of the output schema: %s is null", at)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return a, notOfSchema(err)
	}
	if field, ok := r.missing(); ok {
		return a, wrong("", "the answer lacks %s, which the output schema requires", field)
	}
	return a, nil
}

// checkAnswer holds a decoded answer to what either encoding can break.
func (s *Scanner) checkAnswer(a *Answer, windows []window) *AnswerError {
	if len(a.Findings) > s.opts.Limits.Findings {
		return wrong("/findings", "%d findings, at most %d", len(a.Findings), s.opts.Limits.Findings)
	}
	switch {
	case a.Status == "complete" && len(a.Unexamined) == 0:
	case a.Status == "partial" && len(a.Unexamined) > 0:
	default:
		return wrong("/status", "must be complete, or partial with unexamined ranges")
	}
	for i := range a.Findings {
		if err := s.checkFinding(&a.Findings[i], windows); err != nil {
			return err.under("findings", i)
		}
	}
	for i, r := range a.Unexamined {
		if err := checkSpan(r.Segment, r.Start, r.End, windows); err != nil {
			return err.under("unexamined", i)
		}
	}
	return nil
}

// checkFinding validates f and fills in what it left to its rule.
func (s *Scanner) checkFinding(f *AnswerFinding, windows []window) *AnswerError {
	if err := s.checkRule(f); err != nil {
		return err
	}
	switch {
	case math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1:
		return wrong("/confidence", "%v is not within 0 and 1", f.Confidence)
	case len(f.Message) > maxMessage:
		return tooLong("/message", len(f.Message), maxMessage)
	case f.Replacement != nil && len(*f.Replacement) > maxReplacement:
		return tooLong("/replacement", len(*f.Replacement), maxReplacement)
	case len(f.Mark) > maxMark:
		return tooLong("/mark", len(f.Mark), maxMark)
	}
	return checkSpan(f.Segment, f.Start, f.End, windows)
}

func tooLong(field string, have, most int) *AnswerError {
	return wrong(field, "%d bytes, at most %d", have, most)
}

// checkRule holds a finding to the manifest, which is what was reviewed and
// signed: a finding may be milder than its rule, never more severe.
func (s *Scanner) checkRule(f *AnswerFinding) *AnswerError {
	if s.rules == nil {
		switch {
		case !ruleForm.MatchString(f.Rule) || len(f.Rule) > maxName:
			return wrong("/rule", "without a manifest a finding needs a rule id")
		case !f.Severity.Valid():
			return wrong("/severity", "without a manifest a finding needs a severity")
		}
		return nil
	}
	rule, ok := s.rules[f.Rule]
	if !ok {
		return wrong("/rule", "is not in the manifest")
	}
	if f.Severity == "" {
		f.Severity = rule.Severity
	}
	switch {
	case !f.Severity.Valid():
		return wrong("/severity", "unknown")
	case f.Severity.rank() > rule.Severity.rank():
		return wrong("/severity", "%s, which is above %s, that of rule %s", f.Severity, rule.Severity, rule.ID)
	}
	if f.Message == "" {
		f.Message = rule.Description
	}
	return nil
}

func checkSpan(segment, start, end int, windows []window) *AnswerError {
	if segment < 0 || segment >= len(windows) {
		return wrong("/segment", "%d, of an input with %d", segment, len(windows))
	}
	text := windows[segment].text
	switch {
	case end < 0 || end > len(text):
		return wrong("/end", "range %d to %d in a text of %d bytes", start, end, len(text))
	case start < 0 || start > end:
		return wrong("/start", "range %d to %d in a text of %d bytes", start, end, len(text))
	case !onRune(text, start):
		return wrong("/start", "range %d to %d cuts a UTF-8 character", start, end)
	case !onRune(text, end):
		return wrong("/end", "range %d to %d cuts a UTF-8 character", start, end)
	}
	return nil
}

func onRune(text string, at int) bool { return at == len(text) || utf8.RuneStart(text[at]) }

// rule returns the family and taxonomy that a finding's rule declares.
func (s *Scanner) rule(id string) Rule {
	if r, ok := s.rules[id]; ok {
		return r
	}
	// Without a manifest the id's first word is taken for the family.
	r := Rule{ID: id, Family: "integrity"}
	for _, family := range families {
		if len(id) > len(family) && id[:len(family)] == family && slices.Contains([]byte(".-_"), id[len(family)]) {
			r.Family = family
		}
	}
	return r
}
