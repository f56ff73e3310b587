package engine

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answer is what a scanner returns: sdk/abi/output.schema.json, in either
// encoding.
type answer struct {
	Status     string          `json:"status"`
	Findings   []answerFinding `json:"findings"`
	Unexamined []answerRange   `json:"unexamined,omitzero"`
}

type answerFinding struct {
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

type answerRange struct {
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

func (r requiredRange) present() bool { return r.Segment != nil && r.Start != nil && r.End != nil }

func (r required) present() bool {
	if r.Findings == nil {
		return false
	}
	for _, f := range *r.Findings {
		if f.Severity != nil && *f.Severity == "" || f.Confidence == nil || f.Message == nil || !f.present() {
			return false
		}
	}
	return !slices.ContainsFunc(r.Unexamined, func(u requiredRange) bool { return !u.present() })
}

// Bounds of the texts in an answer.
const (
	maxMessage     = 512
	maxReplacement = 1024
	maxMark        = 64
)

// parseAnswer reads an answer and holds it to the ABI: whatever is wrong in it
// makes the whole of it worthless. The error's text is the host's own.
func (s *Scanner) parseAnswer(b []byte, windows []window) (answer, error) {
	decode := decodeJSON
	if s.manifest.Encoding == EncodingFlat {
		decode = decodeFlat
	}
	a, err := decode(b, s.opts.Limits)
	if err == nil {
		err = s.checkAnswer(&a, windows)
	}
	if err != nil {
		return answer{}, err
	}
	return a, nil
}

// decodeJSON reads an answer in the json encoding.
func decodeJSON(b []byte, _ Limits) (a answer, err error) {
	var r required
	if json.Unmarshal(b, &a, json.RejectUnknownMembers(true)) != nil || json.Unmarshal(b, &r) != nil || holdsNull(b) {
		return a, fmt.Errorf("%w: the answer is not JSON of the output schema", errGuest)
	}
	if !r.present() {
		return a, fmt.Errorf("%w: the answer lacks a member that the output schema requires", errGuest)
	}
	return a, nil
}

// checkAnswer holds a decoded answer to what either encoding can break.
func (s *Scanner) checkAnswer(a *answer, windows []window) error {
	if len(a.Findings) > s.opts.Limits.Findings {
		return fmt.Errorf("%w: %d findings, at most %d", errGuest, len(a.Findings), s.opts.Limits.Findings)
	}
	switch {
	case a.Status == "complete" && len(a.Unexamined) == 0:
	case a.Status == "partial" && len(a.Unexamined) > 0:
	default:
		return fmt.Errorf("%w: status must be complete, or partial with unexamined ranges", errGuest)
	}
	for i := range a.Findings {
		if err := s.checkFinding(&a.Findings[i], windows); err != nil {
			return fmt.Errorf("%w: finding %d: %s", errGuest, i, err)
		}
	}
	for i, r := range a.Unexamined {
		if err := checkSpan(r.Segment, r.Start, r.End, windows); err != nil {
			return fmt.Errorf("%w: unexamined range %d: %s", errGuest, i, err)
		}
	}
	return nil
}

// checkFinding validates f and fills in what it left to its rule.
func (s *Scanner) checkFinding(f *answerFinding, windows []window) error {
	if err := s.checkRule(f); err != nil {
		return err
	}
	switch {
	case math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1:
		return fmt.Errorf("confidence is not within 0 and 1")
	case len(f.Message) > maxMessage:
		return fmt.Errorf("message of %d bytes, at most %d", len(f.Message), maxMessage)
	case f.Replacement != nil && len(*f.Replacement) > maxReplacement:
		return fmt.Errorf("replacement of %d bytes, at most %d", len(*f.Replacement), maxReplacement)
	case len(f.Mark) > maxMark:
		return fmt.Errorf("mark of %d bytes, at most %d", len(f.Mark), maxMark)
	}
	return checkSpan(f.Segment, f.Start, f.End, windows)
}

// checkRule holds a finding to the manifest, which is what was reviewed and
// signed: a finding may be milder than its rule, never more severe.
func (s *Scanner) checkRule(f *answerFinding) error {
	if s.rules == nil {
		if !ruleForm.MatchString(f.Rule) || len(f.Rule) > maxName || !f.Severity.Valid() {
			return fmt.Errorf("without a manifest a finding needs a rule id and a severity")
		}
		return nil
	}
	rule, ok := s.rules[f.Rule]
	if !ok {
		return fmt.Errorf("rule is not in the manifest")
	}
	if f.Severity == "" {
		f.Severity = rule.Severity
	}
	if !f.Severity.Valid() || f.Severity.rank() > rule.Severity.rank() {
		return fmt.Errorf("severity is unknown or above that of rule %s", rule.ID)
	}
	if f.Message == "" {
		f.Message = rule.Description
	}
	return nil
}

func checkSpan(segment, start, end int, windows []window) error {
	if segment < 0 || segment >= len(windows) {
		return fmt.Errorf("segment %d of %d", segment, len(windows))
	}
	text := windows[segment].text
	if start < 0 || end < start || end > len(text) {
		return fmt.Errorf("range %d to %d in a text of %d bytes", start, end, len(text))
	}
	if !onRune(text, start) || !onRune(text, end) {
		return fmt.Errorf("range %d to %d cuts a UTF-8 character", start, end)
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
