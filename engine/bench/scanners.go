package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// manifest declares the C scanner under a name, called always when it has no
// patterns and where they match otherwise.
func manifest(name string, patterns []string) []byte {
	type pattern struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	m := map[string]any{
		"abi": 1, "name": name, "version": "0.1.0", "encoding": "flat", "form": "reactor", "call": "always",
		"phases": []string{"listing", "request", "result", "prompt", "resource"},
		"rules":  []map[string]any{{"id": "bench.phrase", "family": "injection", "severity": "low", "taxonomy": []string{}, "description": "a phrase of the benchmark"}},
	}
	if len(patterns) > 0 {
		var list []pattern
		for i, p := range patterns {
			list = append(list, pattern{fmt.Sprintf("p%d", i), p})
		}
		m["call"], m["patterns"] = "triggered", list
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // a map of strings and numbers
	}
	return b
}

// scanner loads the C scanner into an engine.
func scanner(ctx context.Context, e *engine.Engine, name string, patterns []string) (*engine.Scanner, error) {
	wasm, err := guest("c-scanner")
	if err != nil {
		return nil, err
	}
	wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, manifest(name, patterns))
	if err != nil {
		return nil, err
	}
	return e.Load(ctx, wasm, engine.Options{})
}

// oneScanner returns a set of the C scanner alone, called always.
func oneScanner(ctx context.Context) (*engine.Set, func(), error) {
	e, err := newEngine(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := scanner(ctx, e, "bench", nil)
	if err != nil {
		return nil, nil, errors.Join(err, e.Close(ctx))
	}
	return engine.NewSet(s), func() { e.Close(ctx) }, nil
}

// newEngine returns an engine as the gateway has it.
func newEngine(ctx context.Context) (*engine.Engine, error) {
	return engine.New(ctx, engine.Config{})
}

// result is a tool's answer with the given texts.
func result(texts ...string) *message.Message {
	m := &message.Message{Phase: message.PhaseResult, Server: "bench", Entry: "tool"}
	for i, text := range texts {
		m.Segments = append(m.Segments, message.Segment{
			Kind: message.KindText, Pointer: fmt.Sprintf("/result/content/%d/text", i), Text: text, Source: i,
		})
	}
	return m
}

// clean is an error for a verdict that a benchmark does not expect.
func clean(v engine.Verdict) error { return found(v, 0) }

// found holds a verdict to a number of findings and to no failures.
func found(v engine.Verdict, n int) error {
	if len(v.Failures) > 0 || v.Unexamined || len(v.Findings) != n {
		return fmt.Errorf("want %d findings: %+v", n, v)
	}
	return nil
}
