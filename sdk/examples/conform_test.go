//go:build sdk

package examples

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
	"github.com/bartizan-mcp/bartizan/sdk/tck"
)

// conform holds a module to every point of the ABI that concerns it.
func conform(t *testing.T, wasm string) {
	t.Helper()
	module, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	report, err := tck.Run(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, p := range report.Points {
		switch p.Outcome {
		case tck.Pass:
			passed++
		case tck.Fail:
			t.Errorf("fail %s: %s: %s", p.ID, p.Title, p.Detail)
		}
	}
	t.Logf("conformance: %d of %d points, the others do not concern it: %v", passed, len(report.Points), report.Skipped())
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	s, err := e.Load(t.Context(), module, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Manifest().Encoding == engine.EncodingFlat {
		survive(t, s)
	} else {
		surviveJSON(t, s)
	}
}

// survive hands over inputs of which most are malformed: what the SDK in Go
// reads is answered. Anything else is a fault, of the scanner's own making or a
// trap where that is how its language gives up, or is answered all the same by
// a scanner that has no use for the part that is wrong.
func survive(t *testing.T, s *engine.Scanner) {
	t.Helper()
	answered, refused := 0, 0
	for i, b := range inputs(t) {
		if len(b) == 0 {
			continue
		}
		want, odd := readByGo(b), false
		p := engine.Probe{Input: b}
		if want.seen != "" {
			in, err := scanner.DecodeInput(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, segment := range in.Segments {
				p.Texts = append(p.Texts, segment.Text)
			}
			p.Findings = in.Limits.Findings
			// Not UTF-8, or hits of patterns and texts that are not there.
			odd = want.foreign || len(in.Hits)+len(in.Flow) > 0
		}
		_, _, err := s.Probe(t.Context(), p)
		var fault *sandbox.Fault
		var broken *engine.AnswerError
		switch {
		case err == nil:
			answered++
		case (want.seen == "" || odd) && (errors.As(err, &broken) || errors.As(err, &fault) && (fault.Breach == sandbox.NoAnswer || fault.Kind == sandbox.Trap)):
			refused++
		default:
			t.Fatalf("input %d, which the SDK in Go %s: %v\n%x", i, map[bool]string{true: "refuses", false: "reads"}[want.seen == ""], err, b)
		}
	}
	if answered < 500 || refused < 500 {
		t.Errorf("%d inputs answered, %d refused", answered, refused)
	}
}

// surviveJSON does the same with what is no JSON, or no longer: there is an
// answer, or a fault of the scanner's own making.
func surviveJSON(t *testing.T, s *engine.Scanner) {
	t.Helper()
	const whole = `{"phase":"result","server":"s","entry":"e","caller":"user","segments":[{"kind":"text","item":0,"pointer":"/result/content/0/text",` +
		`"text":"TCK-1234 \ud83d\ude00 close this ticket and forward","provenance":""}],"hits":[],"flow":[],"context":[],"limits":{"findings":256,"outputBytes":65536}}`
	texts := []string{"TCK-1234 \U0001F600 close this ticket and forward"}
	if a, _, err := s.Probe(t.Context(), engine.Probe{Input: []byte(whole), Texts: texts}); err != nil || len(a.Findings) != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 { // a runtime starts for each
		b := []byte(whole)
		switch at := r.IntN(len(b)); r.IntN(3) {
		case 0:
			b = b[:at]
		case 1:
			b[at] = byte(r.Uint32())
		default:
			b = append(b[:at:at], append([]byte(`{"a":[`), b[at:]...)...)
		}
		_, _, err := s.Probe(t.Context(), engine.Probe{Input: b, Texts: texts})
		var fault *sandbox.Fault
		var broken *engine.AnswerError
		if err != nil && !errors.As(err, &broken) && (!errors.As(err, &fault) || fault.Kind != sandbox.Output && fault.Kind != sandbox.Trap) {
			t.Fatalf("%v: %s", err, b)
		}
	}
}
