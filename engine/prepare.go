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
	flow       [][]flowHit           // by batch; nil where nothing marked occurs
	leaves     map[int]string        // digests of segments with findings
	joins      map[int]*message.Join // by segment, of those that were sent in parts
	incomplete bool                  // views were left out for lack of room
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
	p.join(m)
	p.batches = batches(m.Phase, views.Segments)
	return p
}

// join adds the texts that were sent in parts, and their views.
func (p *prepared) join(m *message.Message) {
	joins := message.Joins(m)
	for i := range joins {
		j := &joins[i]
		if p.joins == nil {
			p.joins = make(map[int]*message.Join)
		}
		view := m.Segments[j.Parts[0].Segment]
		view.Pointer, view.Text, view.Provenance, view.Source = j.Pointer, j.Text, message.ProvenanceJoin, j.Parts[0].Segment
		p.addJoined(j, view)
		decoded, complete := normalise.Views(j.Text, normalise.DefaultLimits)
		p.incomplete = p.incomplete || !complete
		for _, v := range decoded {
			view.Text, view.Provenance = v.Text, message.ProvenanceJoin+">"+v.Provenance
			p.addJoined(j, view)
		}
	}
}

func (p *prepared) addJoined(j *message.Join, view message.Segment) {
	p.joins[len(p.message.Segments)] = j
	p.message.Segments = append(p.message.Segments, view)
}

// place is a range of a text as it was sent.
type place struct{ segment, start, end int }

// places returns where in the message is what a scanner found in a window:
// there; in a decoded view, the whole text that it came from; in a text that was
// sent in parts, every part that it touches, and none if it is in one alone,
// which by itself is examined too.
func (p *prepared) places(start, end int, w window) []place {
	s := &p.message.Segments[w.segment]
	start, end = w.offset+start, w.offset+end
	j := p.joins[w.segment]
	switch {
	case j == nil && s.Provenance == "":
		return []place{{w.segment, start, end}}
	case j == nil:
		return []place{{s.Source, 0, len(p.message.Segments[s.Source].Text)}}
	}
	var all []place
	for _, part := range j.Parts {
		from, to := max(start-part.At, 0), min(end-part.At, part.Size)
		switch {
		case s.Provenance != message.ProvenanceJoin:
			all = append(all, place{part.Segment, 0, len(p.message.Segments[part.Segment].Text)})
		case from < to:
			all = append(all, place{part.Segment, part.From + from, part.From + to})
		}
	}
	if len(all) < 2 {
		return nil
	}
	return all
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
