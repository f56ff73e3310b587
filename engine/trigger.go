package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Trigger says for which texts a scanner is called. Exactly one member is set.
// It is evaluated for each call over what that call would be given.
type Trigger struct {
	Pattern  string    // one of the manifest's patterns matches
	Any      []Trigger // at least one holds
	All      []Trigger // each holds
	View     string    // a text was decoded by this decoder, or "*" by any
	Kind     []string  // a text of one of these kinds
	Member   *Member   // a text of such a member
	NonASCII bool      // a text with a byte of 0x80 or above
	Context  bool      // entries of other servers accompany the message
	Flow     bool      // a span that was marked in an earlier message

	Phase     []message.Phase // the message is of one of these phases
	MixedWord bool            // a text with a word of ASCII that is not all letters or all digits
}

// Member says of which members of the message a text has to be: its pointer ends
// with their name.
type Member struct {
	Names []string `json:"names"`           // the name contains one of these, in any case of ASCII
	Digit bool     `json:"digit,omitempty"` // and the text has a digit
}

// Bounds of a trigger.
const (
	maxTriggerDepth = 8
	maxTriggerNodes = 1024
	maxMembers      = 64 // names of one condition
)

// anyView is the View that every decoded text satisfies.
const anyView = "*"

// decoders are those that package normalise names in a provenance.
var decoders = []string{
	"quoted-printable", "percent", "escape", "json", "entity", "invisible", "nfkc", "marks", "enclosed", "confusables",
	"tag", "variation", "html-comment", "markdown", "base64", "base32", "hex", "codes",
	"spaced", "rot13", "caesar", "atbash", "reversed", message.ProvenanceJoin,
}

var errTriggerForm = errors.New("want a pattern's id or an object with one condition")

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *Trigger) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*t = Trigger{}
	switch dec.PeekKind() {
	case '"':
		return json.UnmarshalDecode(dec, &t.Pattern)
	case '{':
	default:
		return errTriggerForm
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if dec.PeekKind() != '"' {
		return errTriggerForm
	}
	name, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch name.String() {
	case "any":
		err = json.UnmarshalDecode(dec, &t.Any)
	case "all":
		err = json.UnmarshalDecode(dec, &t.All)
	case "view":
		err = json.UnmarshalDecode(dec, &t.View)
	case "kind":
		err = json.UnmarshalDecode(dec, &t.Kind)
	case "member":
		err = json.UnmarshalDecode(dec, &t.Member)
	case "nonASCII":
		err = json.UnmarshalDecode(dec, &t.NonASCII)
	case "context":
		err = json.UnmarshalDecode(dec, &t.Context)
	case "flow":
		err = json.UnmarshalDecode(dec, &t.Flow)
	case "phase":
		err = json.UnmarshalDecode(dec, &t.Phase)
	case "mixedWord":
		err = json.UnmarshalDecode(dec, &t.MixedWord)
	default:
		return errTriggerForm
	}
	if err != nil {
		return err
	}
	if dec.PeekKind() != '}' {
		return errTriggerForm
	}
	_, err = dec.ReadToken()
	return err
}

// MarshalJSONTo implements json.MarshalerTo.
func (t Trigger) MarshalJSONTo(enc *jsontext.Encoder) error {
	var one any
	switch {
	case t.Any != nil:
		one = map[string][]Trigger{"any": t.Any}
	case t.All != nil:
		one = map[string][]Trigger{"all": t.All}
	case t.View != "":
		one = map[string]string{"view": t.View}
	case t.Kind != nil:
		one = map[string][]string{"kind": t.Kind}
	case t.Member != nil:
		one = map[string]*Member{"member": t.Member}
	case t.NonASCII:
		one = map[string]bool{"nonASCII": true}
	case t.Context:
		one = map[string]bool{"context": true}
	case t.Flow:
		one = map[string]bool{"flow": true}
	case t.Phase != nil:
		one = map[string][]message.Phase{"phase": t.Phase}
	case t.MixedWord:
		one = map[string]bool{"mixedWord": true}
	default:
		one = t.Pattern
	}
	return json.MarshalEncode(enc, one)
}

// check holds a trigger to its bounds and to the patterns that are declared.
func (t *Trigger) check(patterns []Pattern) *ManifestError {
	c := triggerCheck{patterns: make(map[string]bool, len(patterns))}
	for _, p := range patterns {
		c.patterns[p.ID] = true
	}
	return c.node(t, "/trigger", 1)
}

type triggerCheck struct {
	patterns map[string]bool
	nodes    int
}

func (c *triggerCheck) node(t *Trigger, at jsontext.Pointer, depth int) *ManifestError {
	if c.nodes++; c.nodes > maxTriggerNodes {
		return unfit(at, "more than %d conditions", maxTriggerNodes)
	}
	if depth > maxTriggerDepth {
		return unfit(at, "nested more than %d deep", maxTriggerDepth)
	}
	switch {
	case len(t.Any) > 0:
		return c.all(t.Any, at+"/any", depth)
	case len(t.All) > 0:
		return c.all(t.All, at+"/all", depth)
	case t.View != "":
		if t.View != anyView && !slices.Contains(decoders, t.View) {
			return unfit(at+"/view", "found %s: want *, %s", quoted(t.View), oneOf(decoders...))
		}
	case len(t.Kind) > 0:
		for i, kind := range t.Kind {
			if !slices.Contains(flatKinds[:], kind) {
				return unfit(element(at+"/kind", i), "found %s: want %s", quoted(kind), oneOf(flatKinds[:]...))
			}
		}
	case t.Member != nil:
		if err := t.Member.check(); err != nil {
			return unfitPattern(at+"/member", err)
		}
	case len(t.Phase) > 0:
		for i, phase := range t.Phase {
			if !phase.Valid() {
				return unfit(element(at+"/phase", i), "found %s: want %s", quoted(string(phase)), oneOf(phases...))
			}
		}
	case t.NonASCII, t.Context, t.Flow, t.MixedWord:
	case t.Pattern == "":
		return unfit(at, "a condition is empty")
	case !c.patterns[t.Pattern]:
		return unfit(at, "found %s: want the id of one of the manifest's patterns", quoted(t.Pattern))
	}
	return nil
}

func (c *triggerCheck) all(of []Trigger, at jsontext.Pointer, depth int) *ManifestError {
	for i := range of {
		if err := c.node(&of[i], element(at, i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (m *Member) check() error {
	if n := len(m.Names); n == 0 || n > maxMembers {
		return fmt.Errorf("%d names: want 1 to %d", n, maxMembers)
	}
	if slices.ContainsFunc(m.Names, func(name string) bool { return strings.Contains(name, "/") }) {
		return errors.New("a slash is ~1 in the name of a member")
	}
	_, err := m.automaton()
	return err
}

// automaton finds the names.
func (m *Member) automaton() (*match.Automaton, error) {
	var all []match.Pattern
	for _, name := range m.Names {
		all = append(all, match.Pattern{Text: name})
	}
	return match.Compile(all)
}
