package textmodel

// MaxTokens bounds the words of one text that are read.
const MaxTokens = 100_000

// Score is what the model says of the worst window of a text.
type Score struct {
	Value int32
	Span  Span
	Read  *Reading // of that window; nil for a text without words
}

// Worst scores every window of a text and returns the highest.
func (m *Model) Worst(tokens []Token, f *Features) Score {
	worst := Score{Value: -1 << 31}
	Windows(tokens, func(w []Token) bool {
		r := Read(w)
		f.Extract(w, r)
		if v := m.Score(f); v > worst.Value {
			worst = Score{v, Span{w[0].Start, w[len(w)-1].End}, r}
		}
		return true
	})
	return worst
}
