package gateway

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// redact replaces what the verdict's findings ask to replace, by splicing. What
// cannot be replaced (member names, numbers) or would leave structured content
// that breaks the tool's declared schema is a refusal.
func redact(x *exchange, in *inbound, v engine.Verdict) *refusal {
	impossible := refuse(ReasonRedaction)
	impossible.rules, impossible.pointers = cited(v, engine.ActionRedact)

	spans := map[string][]jsonrpc.Span{}
	replacement := map[string]string{}
	for _, f := range v.Findings {
		if f.Action != engine.ActionRedact {
			continue
		}
		if f.Replacement == nil {
			return impossible
		}
		spans[f.Pointer] = append(spans[f.Pointer], jsonrpc.Span{Start: f.Start, End: f.End})
		if _, ok := replacement[f.Pointer]; !ok {
			replacement[f.Pointer] = *f.Replacement // one text per string: the first finding's
		}
	}
	raw := []byte(in.msg.Raw)
	for pointer, at := range spans {
		var err error
		raw, err = jsonrpc.RedactString(raw, jsontext.Pointer(pointer), merged(at), replacement[pointer])
		if err != nil {
			return impossible.because(err)
		}
	}
	if err := in.replace(raw); err != nil {
		return impossible.because(err)
	}
	for pointer := range spans {
		if strings.HasPrefix(pointer, "/result/result/structuredContent") || strings.HasPrefix(pointer, "/params/result/structuredContent") {
			return impossible // the result of a task inside its state: no schema is held against it
		}
		if strings.HasPrefix(pointer, "/result/structuredContent") {
			if err := validOutput(x.entry.Raw, in.msg); err != nil {
				return impossible.because(err)
			}
			break
		}
	}
	return nil
}

// merged sorts spans and joins those that overlap.
func merged(spans []jsonrpc.Span) []jsonrpc.Span {
	slices.SortFunc(spans, func(a, b jsonrpc.Span) int { return a.Start - b.Start })
	out := spans[:1]
	for _, s := range spans[1:] {
		if last := &out[len(out)-1]; s.Start <= last.End {
			last.End = max(last.End, s.End)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// validOutput validates structured content against the tool's outputSchema.
func validOutput(tool jsontext.Value, m *jsonrpc.Message) error {
	if tool == nil {
		return errors.New("the tool's schema is not at hand") // a replayed answer
	}
	schema, _, _, err := jsonrpc.Get(tool, "/outputSchema")
	if err != nil {
		return nil // none declared
	}
	content, _, _, err := jsonrpc.Get(m.Raw, "/result/structuredContent")
	if err != nil {
		return err
	}
	var document, instance any
	if err := json.Unmarshal(schema, &document); err != nil {
		return err
	}
	if err := json.Unmarshal(content, &instance); err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing: no file, no network
	if err := compiler.AddResource("tool:/output", document); err != nil {
		return err
	}
	compiled, err := compiler.Compile("tool:/output")
	if err != nil {
		return err
	}
	return compiled.Validate(instance)
}
