package cases_test

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
)

// TestEngineAgrees holds the compiled scanners to the cases that their native
// tests pass: decoding, windows and the ABI in between change no verdict.
func TestEngineAgrees(t *testing.T) {
	modules, err := plugins.Modules()
	if errors.Is(err, plugins.ErrNotBuilt) {
		t.Skip("the scanners are not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	for file, wasm := range modules {
		name := strings.TrimSuffix(path.Base(file), ".wasm")
		all, _, err := cases.Load("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Load(t.Context(), wasm, engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			t.Fatal(err)
		}
		set := engine.NewSet(s)
		for _, c := range all {
			if c.Decoded() {
				continue // the engine decodes for itself
			}
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				v := set.Scan(t.Context(), messageOf(c))
				if len(v.Failures) > 0 || v.Unexamined {
					t.Fatalf("failures %v, unexamined %v", v.Failures, v.Unexamined)
				}
				var found [][2]string
				for _, f := range v.Findings {
					found = append(found, [2]string{f.Rule, string(f.Severity)})
				}
				if problem := c.Judge(found); problem != "" {
					t.Error(problem)
				}
			})
		}
	}
}

func messageOf(c cases.Case) *message.Message {
	m := &message.Message{Phase: message.Phase(c.Phase), Server: c.Server}
	for i, s := range c.Segments {
		m.Segments = append(m.Segments, message.Segment{Kind: s.Kind, Item: s.Item, Pointer: s.Pointer, Text: s.Text(), Source: i})
		for len(m.Items) <= s.Item {
			m.Items = append(m.Items, message.Item{Kind: "tool"})
		}
	}
	for _, o := range c.Context {
		m.Context = append(m.Context, message.ContextEntry{Server: o.Server, Kind: o.Kind, Name: o.Name, Title: o.Title, Description: o.Description, Parameters: o.Parameters})
	}
	return m
}
