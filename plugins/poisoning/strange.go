package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/overreach"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// subject counts the words of an entry by their stems, so that a sentence can be
// known that has nothing to do with the rest.
type subject struct {
	stems tally
	words int
}

// What an entry must say before a sentence can be strange in it, and what the
// sentence must.
const (
	fewestSaid    = 40 // words
	fewestStrange = 3  // stems
)

// subject returns what an entry is about.
func (l *listing) subject(e *entry) *subject {
	if e.about == nil {
		e.about = new(subject)
		l.texts(e, func(s *scanner.Segment) bool {
			if s.Kind != "uri" && s.Kind != "mime" {
				count := func(stem uint32) {
					e.about.stems.add(stem)
					e.about.words++
				}
				if s == l.held {
					stems(s.Text, l.words, count)
				} else {
					eachStem(s.Text, count)
				}
			}
			return true
		})
	}
	return e.about
}

// ofSentence counts the stems of one sentence.
var ofSentence tally

// strange reports an order of which no word but the verb occurs in the rest of
// the entry.
func (l *listing) strange(e *entry, sentence string, signs overreach.Signs) bool {
	if !signs.Has(overreach.Bidding) || strings.ContainsAny(sentence, "\"`':|(*") {
		return false
	}
	s := l.subject(e)
	if s.words < fewestSaid {
		return false
	}
	ofSentence.reset()
	verb, first := uint32(0), true
	eachStem(sentence, func(stem uint32) {
		if first {
			verb, first = stem, false
			return
		}
		ofSentence.add(stem)
	})
	others := 0
	for _, c := range ofSentence.slots {
		if c.n == 0 || c.stem == verb {
			continue
		}
		if s.stems.of(c.stem) > c.n {
			return false
		}
		others++
	}
	return others >= fewestStrange
}

// eachStem yields the stems of the words that may carry a meaning.
func eachStem(text string, yield func(stem uint32)) {
	windows.Words(text, maxSubject, func(words []textmodel.Token) { stems(text, words, yield) })
}

func stems(text string, words []textmodel.Token, yield func(stem uint32)) {
	for i := range words {
		t := &words[i]
		word := text[t.Start:t.End]
		if len(word) < 3 || idle.has(t.Hash, word) {
			continue
		}
		yield(stemOf(word))
	}
}

// stemOf returns the beginning of a word, whatever its case, as a number.
func stemOf(word string) uint32 {
	stem := uint64(word[0]|0x20) | uint64(word[1]|0x20)<<8 | uint64(word[2]|0x20)<<16
	if len(word) > 3 {
		stem |= uint64(word[3]|0x20) << 24
	}
	if len(word) > 4 {
		stem |= uint64(word[4]|0x20) << 32
	}
	return uint32(stem * 0x9E3779B97F4A7C15 >> 32)
}

// maxSubject bounds the words of a text that are counted.
const maxSubject = 20_000

// idle are words that are in any text.
var idle = func() *wordSet {
	w := &wordSet{words: map[string]bool{}}
	for _, word := range strings.Fields("the and for with from this that its all any our your you user users please then also are not into when who what which must should important") {
		w.add(word)
	}
	return w
}()

// wordSet is a few words of lower-case letters, with a bit for each of their
// hashes that is asked first.
type wordSet struct {
	words  map[string]bool
	hashes [16]uint64
}

func (w *wordSet) add(word string) {
	tokens, _ := textmodel.Tokenize(word, 1)
	w.words[word] = true
	w.hashes[tokens[0].Hash/64%16] |= 1 << (tokens[0].Hash % 64)
}

func (w *wordSet) has(hash uint32, word string) bool {
	return w.hashes[hash/64%16]>>(hash%64)&1 != 0 && w.words[word]
}
