package tck

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
)

// input is an input as sdk/abi/input.schema.json has it.
type input struct {
	Phase    string    `json:"phase"`
	Server   string    `json:"server"`
	Entry    string    `json:"entry"`
	Caller   string    `json:"caller"`
	Segments []segment `json:"segments"`
	Hits     []hit     `json:"hits"`
	Flow     []flowHit `json:"flow"`
	Context  []entry   `json:"context"`
	Limits   limits    `json:"limits"`
}

type segment struct {
	Kind       string `json:"kind"`
	Item       int    `json:"item"`
	Pointer    string `json:"pointer"`
	Text       string `json:"text"`
	Provenance string `json:"provenance"`
}

type hit struct {
	Pattern int `json:"pattern"`
	Segment int `json:"segment"`
	Start   int `json:"start"`
	End     int `json:"end"`
}

type flowHit struct {
	Mark    string `json:"mark"`
	Segment int    `json:"segment"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Origin  origin `json:"origin"`
	Age     int    `json:"age"`
}

type origin struct {
	Server string `json:"server"`
	Entry  string `json:"entry"`
}

type entry struct {
	Server      string   `json:"server"`
	Kind        string   `json:"kind"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Parameters  []string `json:"parameters"`
}

type limits struct {
	Findings    int `json:"findings"`
	OutputBytes int `json:"outputBytes"`
}

// usual returns an input of a phase with the given texts, each where a message
// of that phase has its texts.
func usual(phase string, texts ...string) *input {
	in := &input{
		Phase: phase, Server: "io.example/weather", Entry: "forecast", Caller: "agent",
		Limits: limits{engine.DefaultLimits.Findings, engine.DefaultLimits.OutputBytes},
	}
	for i, text := range texts {
		s := segment{Kind: "text", Pointer: "/result/content/" + strconv.Itoa(i) + "/text", Text: text}
		switch phase {
		case "listing":
			s = segment{Kind: "description", Item: i, Pointer: "/tools/" + strconv.Itoa(i) + "/description", Text: text}
		case "request":
			s = segment{Kind: "argument", Pointer: "/params/arguments/a" + strconv.Itoa(i), Text: text}
		}
		in.Segments = append(in.Segments, s)
	}
	return in
}

func (in *input) texts() []string {
	var all []string
	for _, s := range in.Segments {
		all = append(all, s.Text)
	}
	return all
}

// encode writes an input as the engine does.
func (k *kit) encode(in *input) []byte {
	k.find(in)
	if k.flat() {
		return in.flat(layout{})
	}
	return in.json()
}

func (in *input) json() []byte {
	b, err := json.Marshal(in) // nil slices are empty arrays
	if err != nil {
		panic(fmt.Sprintf("tck: %v", err)) // only what is no UTF-8, which the kit does not make
	}
	return b
}

// reordered writes the members in another order, each object's by its name from
// the last to the first.
func reordered(b []byte) []byte { return rewritten(b, "") }

// extended does so too, and adds members that this version does not have to
// every object.
func extended(b []byte) []byte {
	return rewritten(b, `"later":{"a":[1,-2.5e3,null,true,"é\\\"\u0000",[[]],{}],"text":"later","segments":[{"text":"x"}]},`)
}

func rewritten(b []byte, more string) []byte {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return b
	}
	return appendRewritten(nil, v, more)
}

func appendRewritten(b []byte, v any, more string) []byte {
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		slices.Reverse(names)
		b = append(append(b, '{'), more...)
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, name)
			b = appendRewritten(append(b, ':'), v[name], more)
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendRewritten(b, element, more)
		}
		return append(b, ']')
	case float64:
		return strconv.AppendInt(b, int64(v), 10) // the kit writes whole numbers alone
	}
	rest, _ := json.Marshal(v)
	return append(b, rest...)
}

// escaped writes every character that is not of ASCII, and every slash, as an
// escape, and white space wherever it may stand.
func escaped(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '/':
			out = append(out, `\/`...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04X`, high, low)
		case r >= 0x80:
			out = fmt.Appendf(out, `\u%04X`, r)
		default:
			out = append(out, byte(r))
		}
		b = b[n:]
	}
	v := jsontext.Value(out)
	if v.Indent(jsontext.WithIndent("\t"), jsontext.PreserveRawStrings(true)) != nil {
		return out
	}
	return append([]byte("\n "), append(v, " \r\n"...)...)
}
