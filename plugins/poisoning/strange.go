package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/overreach"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// subject counts the words of an entry by their stems, so that a sentence can be
// known that has nothing to do with the rest.
type subject struct {
	stems map[uint32]int
	words int
}

// What an entry must say before a sentence can be strange in it, and what the
// sentence must.
const (
	fewestSaid    = 40 // words
	fewestStrange = 3  // stems
)

// stemLength is how many bytes of a word are its stem.
const stemLength = 5

// add counts the words of a text.
func (s *subject) add(text string) {
	if s.stems == nil {
		s.stems = make(map[uint32]int)
	}
	eachStem(text, func(stem uint32) {
		s.stems[stem]++
		s.words++
	})
}

// strange reports an order of which no word but the verb occurs in the rest of
// the entry.
func (s *subject) strange(sentence string, signs overreach.Signs) bool {
	if !signs.Has(overreach.Bidding) || s.words < fewestSaid || strings.ContainsAny(sentence, "\"`':|(*") {
		return false
	}
	own := make(map[uint32]int)
	verb, first := uint32(0), true
	eachStem(sentence, func(stem uint32) {
		if first {
			verb, first = stem, false
			return
		}
		own[stem]++
	})
	delete(own, verb)
	for stem, n := range own {
		if s.stems[stem] > n {
			return false
		}
	}
	return len(own) >= fewestStrange
}

// eachStem yields the stems of the words that may carry a meaning.
func eachStem(text string, yield func(stem uint32)) {
	tokens, _ := textmodel.Tokenize(text, maxSubject)
	for _, t := range tokens {
		word := text[t.Start:t.End]
		if len(word) < 3 || idle[lower(word)] {
			continue
		}
		h := uint32(2166136261) // FNV-1a
		for _, c := range []byte(word[:min(len(word), stemLength)]) {
			h = (h ^ uint32(c|0x20)) * 16777619
		}
		yield(h)
	}
}

// maxSubject bounds the words of a text that are counted.
const maxSubject = 20_000

// idle are words that are in any text.
var idle = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields("the and for with from this that its all any our your you user users please then also are not into when who what which must should important") {
		words[w] = true
	}
	return words
}()
