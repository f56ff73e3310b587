// Package benchtime takes the times of things that are compared: in turns, so
// that a busy neighbour slows all of them and not one. It must not know what it
// times, nor targets and tables.
package benchtime

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Arm is one of the things that are compared; Run is one operation.
type Arm struct {
	Name string
	Run  func() error
}

// Samples holds nanoseconds per operation: one line for each arm, one column
// for each round.
type Samples [][]float64

// batch is how long the operations are that are timed together: shorter than
// what the kernel gives a process at a time, so that most batches are not
// interrupted, and long beside the clock.
const batch = 100 * time.Microsecond

// Interleave measures the arms in turns. Every round gives each arm about slice
// of time, in an order that turns with the rounds; what counts is the median of
// its batches. A slice of 0 is one batch, for arms that leave no garbage.
func Interleave(rounds int, slice time.Duration, arms ...Arm) (Samples, error) {
	s := make(Samples, len(arms))
	reps := make([]int, len(arms))
	for i, a := range arms {
		ns, err := warm(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		reps[i] = max(1, int(float64(batch)/ns))
	}
	for round := range rounds {
		for k := range arms {
			i := (k + round) % len(arms)
			if slice > 0 {
				runtime.GC() // no arm pays for another's garbage
			}
			var batches []float64
			for began := time.Now(); len(batches) == 0 || time.Since(began) < slice; {
				ns, err := timed(arms[i], reps[i])
				if err != nil {
					return nil, fmt.Errorf("%s: %w", arms[i].Name, err)
				}
				batches = append(batches, ns)
			}
			s[i] = append(s[i], Median(batches))
		}
	}
	return s, nil
}

// warm runs an arm until its time can be told, and returns that.
func warm(a Arm) (float64, error) {
	for n := 1; ; n *= 2 {
		ns, err := timed(a, n)
		if err != nil || ns*float64(n) >= float64(2*time.Millisecond) {
			return ns, err
		}
	}
}

func timed(a Arm, n int) (float64, error) {
	began := time.Now()
	for range n {
		if err := a.Run(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(began)) / float64(n), nil
}

// Median is that of an arm's rounds.
func (s Samples) Median(arm int) float64 { return Median(s[arm]) }

// Least is an arm's best round.
func (s Samples) Least(arm int) float64 { return slices.Min(s[arm]) }

// Ratio is the median over the rounds of a's time in b's.
func (s Samples) Ratio(a, b int) float64 {
	each := make([]float64, len(s[a]))
	for i := range each {
		each[i] = s[a][i] / s[b][i]
	}
	return Median(each)
}

// Median of figures in any order; NaN of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Geomean is the geometric mean.
func Geomean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(v)))
}

// Each times n single operations and returns their nanoseconds in order of
// size, for Percentile.
func Each(n int, run func() error) ([]float64, error) {
	out := make([]float64, n)
	for i := range out {
		began := time.Now()
		if err := run(); err != nil {
			return nil, err
		}
		out[i] = float64(time.Since(began))
	}
	slices.Sort(out)
	return out, nil
}

// Percentile is the figure at the part p of the sorted ones; at least p of them
// do not exceed it.
func Percentile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
