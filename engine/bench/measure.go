package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// arm is one of the things that a row compares; run is one operation.
type arm struct {
	name string
	run  func() error
}

// samples holds nanoseconds per operation: one line for each arm, one column
// for each round.
type samples [][]float64

// batch is how long the operations are that are timed together: shorter than
// what the kernel gives a process at a time, so that most batches are not
// interrupted, and long beside the clock.
const batch = 100 * time.Microsecond

// interleave measures the arms in turns, so that a busy neighbour slows all of
// them and not one. Every round gives each arm about slice of time, in an order
// that turns with the rounds; what counts is the median of its batches.
// A slice of 0 is one batch, for arms that leave no garbage.
func interleave(rounds int, slice time.Duration, arms ...arm) (samples, error) {
	s := make(samples, len(arms))
	reps := make([]int, len(arms))
	for i, a := range arms {
		ns, err := warm(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
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
					return nil, fmt.Errorf("%s: %w", arms[i].name, err)
				}
				batches = append(batches, ns)
			}
			s[i] = append(s[i], median(batches))
		}
	}
	return s, nil
}

// warm runs an arm until its time can be told, and returns that.
func warm(a arm) (float64, error) {
	for n := 1; ; n *= 2 {
		ns, err := timed(a, n)
		if err != nil || ns*float64(n) >= float64(2*time.Millisecond) {
			return ns, err
		}
	}
}

func timed(a arm, n int) (float64, error) {
	began := time.Now()
	for range n {
		if err := a.run(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(began)) / float64(n), nil
}

func (s samples) median(arm int) float64 { return median(s[arm]) }
func (s samples) least(arm int) float64  { return slices.Min(s[arm]) }

// ratio is the median over the rounds of a's time in b's.
func (s samples) ratio(a, b int) float64 {
	each := make([]float64, len(s[a]))
	for i := range each {
		each[i] = s[a][i] / s[b][i]
	}
	return median(each)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func geomean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(v)))
}

// each times n single operations, for percentiles.
func each(n int, run func() error) ([]float64, error) {
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

func percentile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
