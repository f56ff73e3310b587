package engine

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// TestMeasure holds that a measured call is the one that a scan makes: the same
// fuel each time, and the findings of the answer.
func TestMeasure(t *testing.T) {
	const answer = `{"status":"complete","findings":[{"rule":"test.low","confidence":1,"segment":0,"start":0,"end":1,"message":""}],"unexamined":[]}`
	s := load(t, newEngine(t), module(answer, nil), Options{})
	m := &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Text: "abc"}}}
	var costs []Cost
	failure, err := s.Measure(t.Context(), m, func(c Cost) bool {
		costs = append(costs, c)
		return len(costs) < 3
	})
	if failure != nil || err != nil || len(costs) != 3 {
		t.Fatalf("%v, %v, %d", failure, err, len(costs))
	}
	fuel := NewSet(s).Scan(t.Context(), m).Fuel
	for _, c := range costs {
		if !c.Due || c.Calls != 1 || c.Fuel != fuel || c.Findings != 1 || c.Memory != 48<<16 || c.Call <= 0 || c.Reset <= 0 {
			t.Errorf("%+v, a scan takes %d units", c, fuel)
		}
	}
}

func TestMeasureFails(t *testing.T) {
	s := load(t, newEngine(t), module(`{}`, nil), Options{})
	m := &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Text: "abc"}}}
	failure, err := s.Measure(t.Context(), m, func(Cost) bool { t.Error("goes on"); return false })
	if err != nil || failure == nil || failure.Kind != FailureOutput || failure.Scanner != "test" {
		t.Errorf("%+v, %v", failure, err)
	}
}
