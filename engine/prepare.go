package engine

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/engine/normalise"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// prepared is a message made ready once for all scanners: decoded views added,
// cut into batches.
type prepared struct {
	message    *message.Message       // with views
	sent       *message.Message       // without
	nearest    []message.ContextEntry // once a scanner is called
	context    []byte                 // nearest in JSON, once a scanner wants it so
	batches    [][]window
	flow       [][]flowHit    // by batch; nil where nothing marked occurs
	leaves     map[int]string // digests of segments with findings
	incomplete bool           // views were left out for lack of room
}

func prepare(m *message.Message) *prepared {
	views := *m // the caller's message stays as it is
	views.Segments = slices.Clone(m.Segments)
	p := &prepared{message: &views, sent: m}
	for i, s := range m.Segments {
		if s.Provenance != "" {
			continue // decoded by whoever built the message
		}
		views.Segments[i].Source = i
		decoded, complete := normalise.Views(s.Text, normalise.DefaultLimits)
		p.incomplete = p.incomplete || !complete
		for _, v := range decoded {
			view := s
			view.Text, view.Provenance, view.Source = v.Text, v.Provenance, i
			views.Segments = append(views.Segments, view)
		}
	}
	p.batches = batches(m.Phase, views.Segments)
	return p
}

// selectContext chooses the entries of other servers that scanners get.
func (p *prepared) selectContext() {
	if p.nearest == nil && len(p.sent.Context) > 0 {
		p.nearest = message.Nearest(p.sent, p.sent.Context)
	}
}

// contextJSON returns the entries of other servers as the json encoding has them.
func (p *prepared) contextJSON() []byte {
	if p.context == nil {
		p.context = encodeContext(p.nearest)
	}
	return p.context
}

// leaf returns the leaf digest (docs/spec/fingerprint.md) of a segment: its
// pointer and its text as a JSON string. Findings crowd in few segments.
func (p *prepared) leaf(segment int) string {
	if leaf, ok := p.leaves[segment]; ok {
		return leaf
	}
	s := &p.message.Segments[segment]
	leaf := ""
	if quoted, err := jsontext.AppendQuote(make([]byte, 0, len(s.Text)+len(s.Text)/8+2), s.Text); err == nil { // as RFC 8785 has it
		leaf = "sha256:" + fingerprint.LeafDigest(s.Pointer, quoted).String()
	}
	if p.leaves == nil {
		p.leaves = make(map[int]string)
	}
	p.leaves[segment] = leaf
	return leaf
}
