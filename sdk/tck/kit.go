package tck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// Options help the kit to bring more to light. The zero value will do.
type Options struct {
	// Config is a configuration that the scanner takes. Without one the kit tries
	// an empty object of JSON, which a scanner may refuse.
	Config []byte
	// Texts are such as the scanner finds something in, or nearly.
	Texts []string
	// CacheDir keeps the compiled module, as engine.Config has it.
	CacheDir string
}

// Run looks at every point. The error says that the kit itself could not run, or
// that ctx ended; whatever is wrong with the module is in the report.
func Run(ctx context.Context, wasm []byte) (Report, error) { return RunWith(ctx, wasm, Options{}) }

// RunWith is Run with options.
func RunWith(ctx context.Context, wasm []byte, opts Options) (Report, error) {
	e, err := engine.New(ctx, engine.Config{CacheDir: opts.CacheDir})
	if err != nil {
		return Report{}, err
	}
	defer e.Close(context.WithoutCancel(ctx))
	k := newKit(ctx, e, wasm, opts)
	k.run()
	if k.err == nil && ctx.Err() != nil {
		k.err = context.Cause(ctx)
	}
	return k.report, k.err
}

// kit is one run over one module.
type kit struct {
	ctx    context.Context
	engine *engine.Engine
	wasm   []byte
	opts   Options
	report Report
	index  map[string]int // of the points
	err    error          // of the kit

	manifest engine.Manifest
	scanner  *engine.Scanner
	patterns *match.Automaton // nil without any
	// probe runs one input; a test puts a guest that remembers in its place.
	probe func(context.Context, engine.Probe) (engine.Answer, int64, error)
	fuel  int64 // of the dearest clean message
}

func newKit(ctx context.Context, e *engine.Engine, wasm []byte, opts Options) *kit {
	k := &kit{ctx: ctx, engine: e, wasm: wasm, opts: opts, index: make(map[string]int)}
	k.report = Report{Digest: engine.Digest(wasm), Points: slices.Clone(points)}
	for i := range k.report.Points {
		k.index[points[i].ID] = i
		k.report.Points[i].Outcome, k.report.Points[i].Detail = Skipped, "nothing that was tried touches it"
	}
	return k
}

func (k *kit) run() {
	if !k.static() || !k.load() {
		return
	}
	if !k.initial() {
		k.skipRest("the scanner does not start")
		return
	}
	if !k.clean() {
		k.skipRest("a clean message gets no answer")
		return
	}
	for _, step := range []func(){
		k.allocation, k.configurations, k.inputs, k.layouts, k.later, k.answers, k.isolation, k.streams, k.malformed, k.triggers,
	} {
		step()
		if k.ctx.Err() != nil || k.err != nil {
			return
		}
	}
}

// load admits the module as an operator's engine does.
func (k *kit) load() bool {
	s, err := k.engine.Load(k.ctx, k.wasm, engine.Options{})
	if err != nil {
		k.fail("module.admitted", "%s", err)
		k.skipRest("the module is not admitted")
		return false
	}
	k.scanner, k.probe = s, s.Probe
	k.patterns, k.err = compile(k.manifest.Patterns)
	return k.err == nil
}

func (k *kit) flat() bool             { return k.manifest.Encoding == engine.EncodingFlat }
func (k *kit) command() bool          { return k.manifest.Form == engine.FormCommand }
func (k *kit) point(id string) *Point { return &k.report.Points[k.index[id]] }

// pass says that a point was touched. What failed once stays failed.
func (k *kit) pass(id string) {
	if p := k.point(id); p.Outcome != Fail {
		p.Outcome, p.Detail = Pass, ""
	}
}

// fail keeps the first reason.
func (k *kit) fail(id, format string, args ...any) {
	if p := k.point(id); p.Outcome != Fail {
		p.Outcome, p.Detail = Fail, fmt.Sprintf(format, args...)
	}
}

func (k *kit) skip(id, why string) {
	if p := k.point(id); p.Outcome == Skipped {
		p.Detail = why
	}
}

func (k *kit) skipAll(why string, ids ...string) {
	for _, id := range ids {
		k.skip(id, why)
	}
}

// skipRest says why the points that were not reached were not.
func (k *kit) skipRest(why string) {
	for i := range k.report.Points {
		k.skip(k.report.Points[i].ID, why)
	}
}

// try hands over one input that the ABI allows. What goes wrong is held against
// the point that it breaks, which is the given one unless it is clear from what
// happened.
func (k *kit) try(id, what string, in *input, encoded []byte) (engine.Answer, bool) {
	a, fuel, err := k.probe(k.ctx, engine.Probe{
		Input: encoded, Texts: in.texts(), Findings: in.Limits.Findings, OutputBytes: in.Limits.OutputBytes,
	})
	if k.ctx.Err() != nil {
		return a, false
	}
	k.pass(id)
	if err != nil {
		k.blame(id, what, err)
		return a, false
	}
	k.fuel = max(k.fuel, fuel)
	for _, id := range []string{"limits.fuel", "limits.memory", "limits.depth", "answer.encoding", "answer.status", "answer.size"} {
		k.pass(id)
	}
	if !k.command() {
		k.pass("answer.inside")
	} else {
		k.pass("command.exit")
		k.pass("command.stdout")
	}
	if len(a.Findings) > 0 {
		for _, id := range []string{"answer.rule", "answer.severity", "answer.confidence", "answer.span", "answer.text"} {
			k.pass(id)
		}
	}
	return a, true
}

// blame finds the point that an error is about.
func (k *kit) blame(id, what string, err error) {
	var fault *sandbox.Fault
	var broken *engine.AnswerError
	switch {
	case errors.As(err, &broken):
		id = k.fieldPoint(broken.Field)
	case !errors.As(err, &fault): // the machine's
		k.err = err
		return
	case fault.Breach == sandbox.AnswerLong && id == "limits.bytes":
	case fault.Kind == sandbox.Trap && id == "scan.clean" && k.command():
		id = "command.exit"
	case kindPoints[fault.Kind] != "":
		id = kindPoints[fault.Kind]
	case breachPoints[fault.Breach] != "":
		id = breachPoints[fault.Breach]
	}
	k.fail(id, "%s: %s", what, err)
}

var kindPoints = map[sandbox.Kind]string{
	sandbox.Fuel: "limits.fuel", sandbox.Deadline: "limits.fuel", sandbox.Memory: "limits.memory", sandbox.Depth: "limits.depth",
}

var breachPoints = map[sandbox.Breach]string{
	sandbox.NoRoom: "alloc.room", sandbox.Misaligned: "alloc.aligned", sandbox.RoomOutside: "alloc.inside",
	sandbox.AnswerLong: "answer.size", sandbox.AnswerOutside: "answer.inside",
}

// fieldPoint is the point that a field of an answer is about.
func (k *kit) fieldPoint(field string) string {
	switch field[strings.LastIndexByte(field, '/')+1:] {
	case "rule":
		return "answer.rule"
	case "severity":
		return "answer.severity"
	case "confidence":
		return "answer.confidence"
	case "segment", "start", "end":
		return "answer.span"
	case "message", "replacement", "mark":
		return "answer.text"
	case "status":
		return "answer.status"
	case "findings":
		return "limits.findings"
	}
	if k.command() {
		return "command.stdout"
	}
	return "answer.encoding"
}
