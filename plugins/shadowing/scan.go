package main

import (
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/overreach"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// The rules of manifest.json.
const (
	ruleHomoglyph = "shadowing.lookalike-name"
	ruleVariant   = "shadowing.variant-name"
	ruleCopy      = "shadowing.copied-entry"
	ruleSameName  = "shadowing.same-name"
	ruleReference = "shadowing.cross-reference"
	ruleOverride  = "shadowing.tool-override"
)

// entry is one entry of the listing.
type entry struct {
	name         string  // as sent
	said         passage // the description as sent
	nameAt       int     // its segment; -1 if absent
	nameSkeleton string
	odd          bool          // the name holds invisible or look-alike characters
	parameters   []string      // as sent
	texts        []description // windows and decoded views of the description, too
}

// description is a text that may speak of other tools.
type description struct {
	text string
	at   int // its segment
}

// names are those that are the entry's own, in lower case.
func (e *entry) names() map[string]bool {
	own := map[string]bool{lower(e.name): true}
	for _, p := range e.parameters {
		own[lower(p)] = true
	}
	return own
}

// Room that is made once: a call starts with it as it was made.
var (
	windows textmodel.Windower
	reader  overreach.Reader
)

func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	entries, order := collect(in)
	own := make(map[string]bool, len(entries))
	for _, e := range entries {
		own[e.nameSkeleton] = true
	}
	others := make([]neighbour, 0, len(in.Context))
	var named []string // names that a description cannot hold by chance
	for i := range in.Context {
		c := &in.Context[i]
		if c.Server == in.Server && in.Server != "" {
			continue
		}
		s, _ := skeleton(c.Name)
		if s == "" {
			continue
		}
		others = append(others, neighbour{c, passage{text: c.Description}, s, digitless(s), parts(c.Name), parts(c.Server + "/" + in.Server)})
		if !own[s] && len(c.Name) >= 5 && compound(c.Name) {
			named = append(named, c.Name)
		}
	}
	for _, item := range order {
		e := entries[item]
		compare(out, e, others)
		for _, d := range e.texts {
			references(out, d, named, e.names())
		}
	}
	return out
}

// neighbour is an entry of another server with its name reduced.
type neighbour struct {
	*scanner.ContextEntry
	said                passage // the description
	skeleton, digitless string
	parts               []string
	servers             []string // the words of both servers' names
}

// collect gathers name and description of every entry.
func collect(in *scanner.Input) (map[int]*entry, []int) {
	entries := make(map[int]*entry)
	var order []int
	for i, s := range in.Segments {
		if s.Kind != "name" && s.Kind != "description" && s.Kind != "parameter" {
			continue
		}
		e := entries[s.Item]
		if e == nil {
			e = &entry{nameAt: -1}
			entries[s.Item] = e
			order = append(order, s.Item)
		}
		switch {
		case s.Kind == "parameter":
			if s.Provenance == "" {
				e.parameters = append(e.parameters, s.Text)
			}
		case s.Kind == "description":
			if len(e.texts) == 0 && s.Provenance == "" {
				e.said.text = s.Text
			}
			e.texts = append(e.texts, description{s.Text, i})
		case e.nameAt < 0 && s.Provenance == "":
			e.name, e.nameAt = s.Text, i
			e.nameSkeleton, e.odd = skeleton(s.Text)
		}
	}
	return entries, order
}

// compare looks for the entry that e imitates, and names the worst imitation
// alone: a name may be as common as there are servers.
func compare(out *scanner.Output, e *entry, others []neighbour) {
	if e.nameAt < 0 || e.nameSkeleton == "" {
		return
	}
	mine := digitless(e.nameSkeleton)
	worst := scanner.Finding{Segment: e.nameAt, End: len(e.name)}
	for i := range others {
		rule, severity, confidence := relation(e, mine, &others[i])
		if rule != "" && (rank(severity) > rank(worst.Severity) || severity == worst.Severity && confidence > worst.Confidence) {
			worst.Rule, worst.Severity, worst.Confidence = rule, severity, confidence
		}
	}
	if worst.Rule != "" {
		out.Add(worst)
	}
}

// rank orders the severities that relation gives.
func rank(severity string) int { return slices.Index([]string{"", "low", "medium", "high"}, severity) }

// Thresholds of description similarity. Two honest servers for one kind of
// system describe one tool in half the same words; copies share nearly all.
const (
	alike  = 0.55
	akin   = 0.75
	copied = 0.85
)

func relation(e *entry, mine string, o *neighbour) (rule, severity string, confidence float64) {
	if e.odd && (e.nameSkeleton == o.skeleton || mine == o.digitless) && e.name != o.Name {
		return ruleHomoglyph, "high", 0.97
	}
	kin := kinship(e, mine, o)
	if kin == unrelated && !comparable(&e.said, &o.said) {
		return "", "", 0
	}
	like := likeness(e, o)
	switch {
	case like >= alike && kin == variant:
		return ruleVariant, "medium", 0.8
	case like >= akin && kin == extended:
		return ruleVariant, "medium", 0.7
	case like >= copied && (kin == sameName || comparable(&e.said, &o.said)):
		return ruleCopy, "medium", 0.7
	case kin == sameName || kin == variant && e.nameSkeleton == o.skeleton:
		return ruleSameName, "low", 0.3
	}
	return "", "", 0
}

// likeness is how alike two entries are described, 0..1. Where the descriptions
// are too short to be compared, the same parameters in both speak for a copy.
func likeness(e *entry, o *neighbour) float64 {
	if like := similarity(&e.said, &o.said); like > 0 {
		return like
	}
	if e.said.text != "" && strings.EqualFold(strings.TrimSpace(e.said.text), strings.TrimSpace(o.Description)) {
		return 1
	}
	if len(e.parameters) >= fewParameters && len(e.said.words()) < 3 && slices.Equal(e.parameters, o.Parameters) {
		return alike
	}
	return 0
}

// fewParameters is how many parameters two tools do not share by chance.
const fewParameters = 2

// references reads a description for orders about other tools.
func references(out *scanner.Output, d description, named []string, own map[string]bool) {
	all := windows.ReadAll(d.text, textmodel.MaxTokens)
	foreign, at := mention(d.text, named)
	turn := meddling(d.text)
	meddles := all.Any(textmodel.AlterTool, textmodel.ToolOrder, textmodel.OrderedAct) || turn >= 0
	hides := all.Any(textmodel.Conceal, textmodel.SetAside, textmodel.CovertAct)
	carries := all.Any(textmodel.SendSensitive, textmodel.SendAway, textmodel.SendDialogue)
	switch {
	case foreign && meddles && (hides || carries && all.Any(textmodel.FakeEnvelope)):
		out.Add(scanner.Finding{Rule: ruleReference, Severity: "high", Confidence: 0.9, Segment: d.at, Start: at.Start, End: at.End})
	case foreign && meddles && (all.Any(textmodel.FakeEnvelope) || turn >= 0 && all.Classes&textmodel.Obligation != 0):
		out.Add(scanner.Finding{Rule: ruleReference, Severity: "medium", Confidence: 0.6, Segment: d.at, Start: at.Start, End: at.End})
	case meddles && all.Any(textmodel.Conceal) || turn >= 0 && (hides || all.Any(textmodel.FakeEnvelope, textmodel.ConcealLoose)):
		span := all.Span(textmodel.AlterTool, textmodel.ToolOrder, textmodel.OrderedAct, textmodel.Conceal)
		if span.Start < 0 {
			span = textmodel.Span{Start: int32(turn), End: int32(turn)}
		}
		severity := "medium"
		if all.Any(textmodel.Conceal) && (carries || all.Any(textmodel.AlterTool)) {
			severity = "high"
		}
		out.Add(scanner.Finding{Rule: ruleOverride, Severity: severity, Confidence: 0.7, Segment: d.at, Start: int(span.Start), End: int(span.End)})
	default:
		interferes(out, d, own)
	}
}

// interferes looks for a sentence that has another tool used otherwise.
func interferes(out *scanner.Output, d description, own map[string]bool) {
	reader.Read(d.text, own, func(s overreach.Sentence) bool {
		if s.Signs.Any(overreach.Foreign, overreach.AnyTool) && s.Signs.Any(overreach.Tamper, overreach.Conceal, overreach.Disregard, overreach.Quiet) && s.Signs.Weight() >= odd {
			out.Add(scanner.Finding{Rule: ruleOverride, Severity: "medium", Confidence: 0.6, Segment: d.at, Start: s.Start, End: s.End})
			return false
		}
		return true
	})
}

// odd is the weight of a sentence from which it is no documentation.
const odd = 4

// place is the byte range of a mention.
type place struct{ Start, End int }

// mention finds the name of another server's entry as a word of the text.
func mention(text string, named []string) (bool, place) {
	if len(named) == 0 {
		return false, place{}
	}
	held := trigrams(text)
	for _, name := range named {
		if !held.mayHold(name) {
			continue
		}
		for from := 0; ; {
			i := strings.Index(text[from:], name)
			if i < 0 {
				break
			}
			i += from
			end := i + len(name)
			if (i == 0 || !nameByte(text[i-1])) && (end == len(text) || !nameByte(text[end])) {
				return true, place{i, end}
			}
			from = end
		}
	}
	return false, place{}
}

// trigramSet is the trigrams of a text by a hash, for a first look.
type trigramSet [64]uint64

func trigrams(text string) (t trigramSet) {
	for i := 2; i < len(text); i++ {
		h := trigram(text, i)
		t[h/64] |= 1 << (h % 64)
	}
	return t
}

func trigram(text string, i int) uint32 {
	return (uint32(text[i-2])<<16 | uint32(text[i-1])<<8 | uint32(text[i])) * 0x9E3779B1 >> 20
}

// mayHold reports that the beginning, middle and end of a name are in the text.
func (t *trigramSet) mayHold(name string) bool {
	for _, i := range [...]int{2, len(name) / 2, len(name) - 1} {
		if h := trigram(name, i); t[h/64]>>(h%64)&1 == 0 {
			return false
		}
	}
	return true
}

// compound reports a name of several parts: send_email, sendEmail, send-email.
func compound(name string) bool {
	for i := 1; i < len(name); i++ {
		if name[i] == '_' || name[i] == '-' || name[i] == '.' || 'A' <= name[i] && name[i] <= 'Z' && 'a' <= name[i-1] && name[i-1] <= 'z' {
			return true
		}
	}
	return false
}

func nameByte(c byte) bool {
	return c == '_' || c == '-' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// meddling finds the turns by which a description speaks of the use of other
// tools, and returns where; -1 if there are none.
func meddling(text string) int {
	best, where := len(turnsOfUse), -1
	turns.Each(text, func(word, at int) bool {
		if word < best { // the first turn of the list that occurs, where it occurs first
			best, where = word, at
		}
		return best > 0
	})
	return where
}

var turnsOfUse = [...]string{"when calling", "when using", "before using", "before calling", "instead of using", "instead of calling", "after using",
	"after calling", "whenever you use", "whenever you call", "tool is present", "tool is available", "tools are available", "rather than others", "instead of other",
	"other tools", "all other", "behavior of", "behaviour of", "result of the", "side effect", "will override", "takes precedence over", "must be called before", "should be called before"}

var turns = literal.NewFold(turnsOfUse[:]...)
