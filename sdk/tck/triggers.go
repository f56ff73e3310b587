package tck

import (
	"reflect"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// triggers holds the verdicts of a scanner that is called where its trigger
// holds against those of one that is always called.
func (k *kit) triggers() {
	const id = "trigger.necessary"
	if k.manifest.Call != engine.CallTriggered {
		k.skip(id, "it is always called")
		return
	}
	set := engine.NewSet(k.scanner)
	for _, p := range k.manifest.Phases {
		for _, text := range slices.Concat(k.seeds(), dull) {
			m := sent(usual(string(p), dull[0], text))
			triggered := set.ScanWith(k.ctx, m, engine.ScanOptions{})
			always := set.ScanWith(k.ctx, m, engine.ScanOptions{Always: true})
			if k.ctx.Err() != nil {
				return
			}
			k.pass(id)
			if !reflect.DeepEqual(triggered.Findings, always.Findings) || len(triggered.Failures) != len(always.Failures) {
				k.fail(id, "a %s with the text %s: %d findings if it is called, %d by its trigger",
					p, quoted(text[:min(len(text), 80)]), len(always.Findings), len(triggered.Findings))
			}
		}
	}
}

// sent is the message that an input was made of.
func sent(in *input) *message.Message {
	m := &message.Message{Phase: message.Phase(in.Phase), Server: in.Server, Entry: in.Entry, Caller: in.Caller}
	for i, s := range in.Segments {
		m.Segments = append(m.Segments, message.Segment{Kind: s.Kind, Item: s.Item, Pointer: s.Pointer, Text: s.Text, Source: i})
		if m.Phase == message.PhaseListing {
			m.Items = append(m.Items, message.Item{Kind: "tool", Key: "tool" + decimal(i)})
		}
	}
	return m
}
