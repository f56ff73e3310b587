package train

import (
	"math"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// sample is one window to learn from.
type sample struct {
	grams  []uint32
	dense  []uint16
	attack bool
	weight float64
}

// denseValue is the value of a dense feature that is present; an n-gram counts
// 1/√n. It sets how far the grammar outweighs the words.
const denseValue = 0.35

// linear is a logistic model in floating point.
type linear struct {
	bias         float64
	dense, grams []float64

	biasSum         float64 // AdaGrad: sums of squared gradients
	denseSum, gramS []float64
}

func newLinear() *linear {
	return &linear{
		dense: make([]float64, textmodel.Dense), denseSum: make([]float64, textmodel.Dense),
		grams: make([]float64, textmodel.Grams), gramS: make([]float64, textmodel.Grams),
	}
}

func (l *linear) score(s *sample) float64 {
	sum := l.bias
	for _, i := range s.dense {
		sum += float64(denseValue * l.dense[i])
	}
	x := gramValue(s)
	for _, g := range s.grams {
		sum += float64(x * l.grams[g])
	}
	return sum
}

func gramValue(s *sample) float64 {
	if len(s.grams) == 0 {
		return 0
	}
	return 1 / math.Sqrt(float64(len(s.grams)))
}

// Settings of the descent: usual values, not searched for.
const (
	epochs  = 12
	rate    = 0.25
	ridgeN  = 1e-4 // pull of n-gram weights to zero
	ridgeD  = 3e-4 // pull of dense weights to zero
	epsilon = 1e-2
)

// learn fits a model by AdaGrad over the samples in a fixed shuffled order.
// Products are rounded before they are added (the conversions forbid fused
// multiplication), so every processor computes the same bits.
func learn(samples []sample) *linear {
	l := newLinear()
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	rng := random(0x9E3779B97F4A7C15)
	for range epochs {
		for i := len(order) - 1; i > 0; i-- {
			j := rng.below(i + 1)
			order[i], order[j] = order[j], order[i]
		}
		for _, i := range order {
			l.step(&samples[i])
		}
	}
	return l
}

func (l *linear) step(s *sample) {
	target := 0.0
	if s.attack {
		target = 1
	}
	g := float64(s.weight * (logistic(l.score(s)) - target))
	adjust(&l.bias, &l.biasSum, g)
	for _, i := range s.dense {
		adjust(&l.dense[i], &l.denseSum[i], float64(g*denseValue)+float64(ridgeD*l.dense[i]))
	}
	x := gramValue(s)
	for _, i := range s.grams {
		adjust(&l.grams[i], &l.gramS[i], float64(g*x)+float64(ridgeN*l.grams[i]))
	}
}

func adjust(w, sum *float64, g float64) {
	*sum += float64(g * g)
	*w -= float64(rate*g) / (math.Sqrt(*sum) + epsilon)
}

// logistic is 1/(1+e^-x) by repeated squaring: (1 - x/1024)^1024 is e^-x to
// within what learning needs, and is exact in the same way everywhere.
func logistic(x float64) float64 {
	x = max(-30, min(30, x))
	e := 1 - x/1024
	for range 10 {
		e = float64(e * e)
	}
	return 1 / (1 + e)
}

// quantise rounds a model to a byte a weight.
func (l *linear) quantise() (textmodel.Model, []int8, []int8) {
	dense, denseScale := round(l.dense)
	grams, gramScale := round(l.grams)
	return textmodel.Model{
		GramScale: int32(math.Round(gramScale * unit)), DenseScale: int32(math.Round(float64(denseScale*denseValue) * unit)),
		Bias: int32(math.Round(l.bias * unit)), Flag: math.MaxInt32, Block: math.MaxInt32,
	}, dense, grams
}

// unit is the denominator of a score.
const unit = 65536

func round(w []float64) ([]int8, float64) {
	top := 0.0
	for _, v := range w {
		top = max(top, math.Abs(v))
	}
	scale := top / 127
	if scale == 0 {
		scale = 1
	}
	out := make([]int8, len(w))
	for i, v := range w {
		out[i] = int8(math.Round(v / scale))
	}
	return out, scale
}

// random is a splitmix64 generator: small, seeded, the same everywhere.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (r *random) below(n int) int { return int(r.next() % uint64(n)) }
