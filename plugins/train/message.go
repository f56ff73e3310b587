package train

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/engine/normalise"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// messageOf is the MCP message that a row stands for.
func messageOf(r *row) (*message.Message, error) {
	var m *message.Message
	var err error
	switch r.Kind {
	case "listing":
		m, err = message.FromTool(r.Server, r.Tool)
	case "call":
		m, err = message.FromArguments(r.Server, "tool", r.Arguments)
	case "result":
		m, err = message.FromContent(r.Server, "tool", r.Content)
	default:
		return nil, fmt.Errorf("row %s: kind %q", r.ID, r.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("row %s: %w", r.ID, err)
	}
	for _, c := range r.Context {
		entry, err := message.ContextOf(c.Server, fingerprint.KindTool, c.Tool)
		if err != nil {
			return nil, fmt.Errorf("row %s: context: %w", r.ID, err)
		}
		m.Context = append(m.Context, entry)
	}
	return m, nil
}

// textsOf is what a scanner is given of a message: every text, and the decoded
// views that the engine adds.
func textsOf(m *message.Message) []message.Segment {
	out := m.Segments
	for i, s := range m.Segments {
		if s.Provenance != "" {
			continue
		}
		views, _ := normalise.Views(s.Text, normalise.DefaultLimits)
		for _, v := range views {
			view := s
			view.Text, view.Provenance, view.Source = v.Text, v.Provenance, i
			out = append(out, view)
		}
	}
	return out
}
