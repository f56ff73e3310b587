package message

import (
	"cmp"
	"slices"
	"strings"
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
	near := slices.Clone(candidates)
	if len(near) > MaxContext {
		names := m.skeletons()
		distance := make(map[string]int, len(near))
		for _, c := range near {
			if _, ok := distance[c.Name]; !ok {
				distance[c.Name] = nearestName(c.Name, names)
			}
		}
		slices.SortStableFunc(near, func(a, b ContextEntry) int {
			return cmp.Compare(distance[a.Name], distance[b.Name])
		})
		near = near[:MaxContext]
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

// skeletons are those of the entries that a message shows or calls.
func (m *Message) skeletons() []string {
	var names []string
	for _, it := range m.Items {
		if it.Key != "" {
			names = append(names, skeleton(it.Key))
		}
	}
	if m.Entry != "" {
		names = append(names, skeleton(m.Entry))
	}
	return names
}

func nearestName(name string, names []string) int {
	own := skeleton(name)
	best := maxContextNameCompare + 1
	for _, n := range names {
		best = min(best, editDistance(own, n))
	}
	return best
}

// skeleton keeps what two names that look alike have in common.
func skeleton(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s))
	return s[:min(len(s), maxContextNameCompare)]
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
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
