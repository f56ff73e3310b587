package benchtime

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFigures(t *testing.T) {
	s := Samples{{10, 30, 20}, {5, 10, 5}}
	for name, c := range map[string]struct{ got, want float64 }{
		"median of three":     {s.Median(0), 20},
		"median of two":       {Median([]float64{4, 2}), 3},
		"least":               {s.Least(0), 10},
		"ratio by the rounds": {s.Ratio(0, 1), 3},
		"geometric mean":      {Geomean([]float64{2, 8}), 4},
		"median percentile":   {Percentile([]float64{1, 2, 3}, 0.5), 2},
		"last percentile":     {Percentile([]float64{1, 2, 3}, 1), 3},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is a figure")
	}
}

// TestTurns: every round has all arms, and each begins in its turn.
func TestTurns(t *testing.T) {
	var order []string
	arm := func(name string) Arm {
		return Arm{name, func() error {
			if len(order) == 0 || order[len(order)-1] != name {
				order = append(order, name)
			}
			return nil
		}}
	}
	s, err := Interleave(2, 0, arm("a"), arm("b"), arm("c"))
	if err != nil || len(s) != 3 || len(s[0]) != 2 || len(s[2]) != 2 {
		t.Fatal(s, err)
	}
	// Warmed in order, then a b c and b c a.
	if diff := cmp.Diff([]string{"a", "b", "c", "a", "b", "c", "b", "c", "a"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestAFailureIsNoTime(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Interleave(1, 0, Arm{"a", func() error { return broken }}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := Each(1, func() error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}
