package message

import (
	"cmp"
	"slices"
)

// tooFar is more than the distance of any two skeletons.
const tooFar = maxContextNameCompare + 2

// nearest returns the indices of the MaxContext candidates whose names are
// closest to those in the message, the closest first. A tenant has thousands of
// them, so a distance is measured only where a lower bound of it would do.
func nearest(m *Message, candidates []ContextEntry) []int {
	type measured struct{ index, distance int }
	var near []measured
	var counts [tooFar]int // of near, by distance
	far, closer := tooFar, 0
	names := newShelf(m)
	var own pattern
	for i := range candidates {
		own.set(candidates[i].Name)
		distance := own.nearest(names, far)
		if distance >= far {
			continue
		}
		near = append(near, measured{i, distance})
		counts[distance]++
		// Once enough are closer than far, the last of them is as far as any
		// that follows may not be.
		for closer++; closer >= MaxContext; closer -= counts[far] {
			far--
		}
	}
	slices.SortStableFunc(near, func(a, b measured) int { return cmp.Compare(a.distance, b.distance) })
	indices := make([]int, 0, MaxContext)
	for _, c := range near[:min(len(near), MaxContext)] {
		indices = append(indices, c.index)
	}
	return indices
}
