package main

import (
	"fmt"
	"math"
	"slices"
)

// quantile of sorted figures.
func quantile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// over is the median over the rounds of f.
func over(rounds int, f func(round int) float64) float64 {
	each := make([]float64, rounds)
	for i := range each {
		each[i] = f(i)
	}
	return median(each)
}

func (a *arm) quantile(p float64) float64 {
	return over(len(a.turns), func(i int) float64 { return quantile(a.turns[i].latency, p) })
}

func (a *arm) cpu() float64 { return over(len(a.turns), func(i int) float64 { return a.turns[i].cpu }) }
func (a *arm) rate() float64 {
	return over(len(a.turns), func(i int) float64 { return a.turns[i].rate })
}

// added is what an arm's latency has more than another's, round by round.
func (a *arm) added(than *arm, p float64) float64 {
	return over(len(a.turns), func(i int) float64 {
		return quantile(a.turns[i].latency, p) - quantile(than.turns[i].latency, p)
	})
}

// share is an arm's throughput as a part of another's, round by round.
func (a *arm) share(of *arm) float64 {
	return over(len(a.turns), func(i int) float64 { return a.turns[i].rate / of.turns[i].rate })
}

func ms(v float64) string { return fmt.Sprintf("%.2f ms", v) }
func us(v float64) string { return fmt.Sprintf("%.0f µs", v) }
func mb(v float64) string { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
