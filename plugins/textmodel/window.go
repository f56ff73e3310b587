package textmodel

// A window is ninety words, so that ordinary text around an instruction cannot
// dilute it; windows overlap by half.
const (
	WindowWords = 90
	windowStep  = WindowWords / 2
)

// Windows calls yield with every window of tokens until it returns false. A
// text of at most ninety words is one window.
func Windows(tokens []Token, yield func(window []Token) bool) {
	for start := 0; ; start += windowStep {
		end := min(start+WindowWords, len(tokens))
		if start < end && !yield(tokens[start:end]) {
			return
		}
		if end == len(tokens) {
			return
		}
	}
}

// ReadAll reads a whole text: every phrase of every window, each where it
// occurs first.
func ReadAll(tokens []Token) *Reading {
	all := new(Reading)
	Windows(tokens, func(w []Token) bool {
		all.merge(Read(w))
		return true
	})
	return all
}

func (r *Reading) merge(other *Reading) {
	r.Classes |= other.Classes
	for p := range Phrases {
		if other.Phrases>>p&1 != 0 && r.Phrases>>p&1 == 0 {
			r.Phrases |= 1 << p
			r.Where[p] = other.Where[p]
		}
	}
}

// MaxTokens bounds the words of one text that are read.
const MaxTokens = 100_000
