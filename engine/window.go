package engine

import (
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Sizes of what one call of a scanner gets, in bytes of text. Throughput does
// not ask for larger ones: a call costs microseconds, overlaps of 4 in 64 KiB
// cost 6 %, and from 256 KiB a call grows dearer again by the pages that have to
// be restored after it. Nor do small ones gain anything. What a batch must not
// be is long: a scanner in Go may read 1 MB a second, and its deadline is for
// one call on a loaded machine. A listing is compared with itself and is kept
// together for longer.
const (
	batchBytes        = 128 << 10
	listingBatchBytes = 1 << 20
	windowBytes       = 64 << 10 // one segment of a call; a longer text is cut
	windowOverlap     = 4 << 10  // shared by neighbours, so that nothing hides on a cut
	segmentCost       = 64       // what a segment weighs beside its text and pointer
)

// window is a segment, or a part of a long one, as a scanner gets it.
type window struct {
	segment int // index into the message's segments
	offset  int // of text in the segment
	text    string
}

// batches cuts a message into what single calls examine: together they hold
// every byte of every segment. A message without text is one empty batch, so
// that a scanner sees it too.
func batches(phase message.Phase, segments []message.Segment) [][]window {
	limit := batchBytes
	if phase == message.PhaseListing {
		limit = listingBatchBytes
	}
	all := make([]window, 0, len(segments))
	for i := range segments {
		all = appendWindows(all, i, segments[i].Text)
	}
	var done [][]window
	from, weight := 0, 0
	for i, w := range all {
		cost := len(w.text) + len(segments[w.segment].Pointer) + segmentCost
		if i > from && weight+cost > limit {
			done = append(done, all[from:i:i])
			from, weight = i, 0
		}
		weight += cost
	}
	return append(done, all[from:])
}

// appendWindows cuts a text on UTF-8 boundaries into overlapping parts.
func appendWindows(out []window, segment int, text string) []window {
	for from := 0; ; {
		if len(text)-from <= windowBytes {
			return append(out, window{segment, from, text[from:]})
		}
		to := runeStart(text, from+windowBytes)
		out = append(out, window{segment, from, text[from:to]})
		from = runeStart(text, to-windowOverlap)
	}
}

// runeStart returns the start of the character that byte i belongs to.
func runeStart(text string, i int) int {
	for i > 0 && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}
