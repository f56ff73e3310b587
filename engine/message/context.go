package message

import (
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// Bounds of the context that a scanner gets.
const (
	MaxContext            = 64
	maxContextText        = 4 << 10 // bytes of one title or description
	maxContextParameters  = 64
	maxContextNameCompare = 128 // bytes of a name that are compared
)

// Nearest selects the at most MaxContext candidates whose names are closest to
// those in the message, and cuts their texts to size: an entry that imitates
// another is close to it. The order of candidates decides between equals.
func Nearest(m *Message, candidates []ContextEntry) []ContextEntry {
	var near []ContextEntry
	if len(candidates) <= MaxContext {
		near = slices.Clone(candidates)
	} else {
		near = make([]ContextEntry, 0, MaxContext)
		for _, i := range nearest(m, candidates) {
			near = append(near, candidates[i])
		}
	}
	for i := range near {
		near[i].Title = cut(near[i].Title)
		near[i].Description = cut(near[i].Description)
		near[i].Parameters = near[i].Parameters[:min(len(near[i].Parameters), maxContextParameters)]
	}
	return near
}

func cut(s string) string {
	if len(s) <= maxContextText {
		return s
	}
	end := maxContextText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// ContextOf returns an entry as the scanners of other servers see it.
func ContextOf(server string, kind fingerprint.Kind, raw jsontext.Value) (ContextEntry, error) {
	m, err := FromEntry(server, kind, raw)
	if err != nil {
		return ContextEntry{}, err
	}
	c := ContextEntry{Server: server, Kind: kind.String(), Name: m.Entry, Parameters: []string{}}
	for _, s := range m.Segments {
		switch {
		case s.Pointer == "/title":
			c.Title = s.Text
		case s.Pointer == "/description":
			c.Description = s.Text
		case s.Kind == KindParameter:
			c.Parameters = append(c.Parameters, s.Text)
		}
	}
	return c, nil
}
