package normalise

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// trait says what the decoders have to know of a character.
type trait uint8

const (
	traitInvisible trait = 1 << iota
	traitUnsettled       // compatibility normalisation may change it or what it follows
	traitLookalike       // drawn like a Latin letter
	traitLetter
	traitLatin  // of the Latin script
	traitMark   // combines with what it follows
	traitAccent // a Latin letter and a mark in one
	traitEnclosed
)

// pages are the traits of blocks of 256 characters, worked out when a text
// first has a character of the block: few texts have any of most scripts.
var pages [unicode.MaxRune>>8 + 1]atomic.Pointer[[256]trait]

func traitsOf(r rune) trait {
	page := pages[r>>8].Load()
	if page == nil {
		page = newPage(r &^ 0xff)
		pages[r>>8].Store(page)
	}
	return page[r&0xff]
}

func newPage(first rune) *[256]trait {
	page := new([256]trait)
	for i := range page {
		r := first + rune(i)
		is := func(t trait, yes bool) {
			if yes {
				page[i] |= t
			}
		}
		alone := string(r)
		is(traitInvisible, invisible(r))
		is(traitUnsettled, !norm.NFKC.PropertiesString(alone).BoundaryBefore() || !norm.NFKC.IsNormalString(alone))
		is(traitLookalike, toLatin(r) != 0 || toLatinLoosely(r) != 0)
		is(traitLetter, unicode.IsLetter(r))
		is(traitLatin, unicode.Is(unicode.Latin, r))
		is(traitMark, unicode.In(r, unicode.Mn, unicode.Me))
		is(traitAccent, bare(r) != 0)
		is(traitEnclosed, enclosed(r) != 0)
	}
	return page
}

// foreignTraits are the traits of all characters of s that are not of ASCII.
func foreignTraits(s string) (traits trait) {
	for i := 0; ; {
		i += asciiPrefix(s[i:])
		for i < len(s) && s[i] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			traits |= traitsOf(r)
			i += size
		}
		if i == len(s) {
			return traits
		}
	}
}

// indexTrait returns the first character from at, outside of ASCII, that has a
// trait, and len(s) where there is none.
func indexTrait(s string, at int, t trait) int {
	for {
		at += asciiPrefix(s[at:])
		if at == len(s) {
			return at
		}
		r, size := utf8.DecodeRuneInString(s[at:])
		if traitsOf(r)&t != 0 {
			return at
		}
		at += size
	}
}
