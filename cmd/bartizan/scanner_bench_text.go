package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// benchWords make up what `scanner bench` writes: ordinary prose about work, in
// which nothing is to be found.
var benchWords = strings.Fields(`the of and to in a is that for it as was with be by on not at are this have from or an they
	which one you were all there would their we been has when who will no more if out so up said what its about than into them
	can only other time new some could these two may first then do any like now over such most made after also did many
	report weather forecast invoice customer branch commit release deploy server client request response field table column
	index record order shipment station river harbour window morning evening budget meeting paper engine bridge city road`)

// prose returns n bytes of sentences, the same for the same seed.
func prose(n int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < n {
		for i := range 7 + r.IntN(10) {
			word := benchWords[r.IntN(len(benchWords))]
			if i == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(word)
		}
		b.WriteString([]string{". ", ", see page 47. ", " (12.5 %). ", ".\n"}[r.IntN(4)])
	}
	return b.String()[:n]
}

// benchMessages are clean messages of each size in the given phases, or in only
// that one.
func benchMessages(phases []message.Phase, only message.Phase) (all []*message.Message) {
	for _, phase := range phases {
		if only != "" && phase != only {
			continue
		}
		for _, size := range benchSizes {
			all = append(all, cleanMessage(phase, size))
		}
	}
	return all
}

// benchTexts is how many texts a message of one size has: few and long, but for
// a listing, which has many entries.
func benchTexts(phase message.Phase, size int) int {
	if phase == message.PhaseListing {
		return max(1, size/512)
	}
	return 1
}

func cleanMessage(phase message.Phase, size int) *message.Message {
	m := &message.Message{Phase: phase, Server: "io.example/bench", Entry: "read"}
	kind, pointer := message.KindText, "/result/content/%d/text"
	switch phase {
	case message.PhaseListing:
		m.Entry, kind, pointer = "", message.KindDescription, "/tools/%d/description"
	case message.PhaseRequest:
		kind, pointer = message.KindArgument, "/params/arguments/text%d"
	}
	n := benchTexts(phase, size)
	for i := range n {
		s := message.Segment{Kind: kind, Pointer: fmt.Sprintf(pointer, i), Text: prose(size/n, uint64(i)), Source: i}
		if phase == message.PhaseListing {
			s.Item = i
			m.Items = append(m.Items, message.Item{Kind: "tool", Key: fmt.Sprintf("read%d", i)})
		}
		m.Segments = append(m.Segments, s)
	}
	return m
}
