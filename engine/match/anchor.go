package match

import (
	"fmt"
	"math"
)

// anchor is the part of a pattern that the automaton knows: seq[from:to]. The
// rest of a shape is compared where its anchor was found, since an automaton of
// whole shapes would have a state for each set of places where one may have
// begun: "AKIA<w16>" alone would need thousands.
type anchor struct{ from, to int }

const (
	anchorPaths = 256  // literals that an anchor may stand for
	anchorWide  = 2048 // the same for a shape that has none so narrow
	anchorBytes = 32
)

// anchorOf chooses the rarest run of a shape. What a class adds in rarity must
// outweigh half of what it adds in literals.
func anchorOf(seq []class) (anchor, error) {
	ways := make([]int, len(seq)) // once folded, and how rare that is
	rare := make([]float64, len(seq))
	for i := range seq {
		ways[i] = len(seq[i].lower())
		rare[i] = math.Log2(95/float64(seq[i].size())) - math.Log2(float64(ways[i]))/2
	}
	for _, room := range []int{anchorPaths, anchorWide} {
		if best, ok := rarest(ways, rare, room); ok {
			return best, nil
		}
	}
	return anchor{}, fmt.Errorf("%w: shape: no two neighbouring bytes are among %d pairs or fewer", ErrPattern, anchorWide)
}

func rarest(ways []int, rare []float64, room int) (best anchor, ok bool) {
	top := math.Inf(-1)
	for from := range ways {
		paths, score := 1, 0.0
		for to := from; to < min(len(ways), from+anchorBytes); to++ {
			if paths *= ways[to]; paths > room {
				break
			}
			score += rare[to]
			if to > from && score > top {
				top, best, ok = score, anchor{from, to + 1}, true
			}
		}
	}
	return best, ok
}
