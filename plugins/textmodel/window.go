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

// Windower reads texts window by window. It holds one window at a time,
// however long a text is.
type Windower struct {
	tokens [WindowWords]Token
	z      tokenizer
	silent bool
}

// Read calls yield with every window of the first limit words of a text, as
// Tokenize and Windows together do, until it returns false. A window is valid
// until yield returns. The result is the byte offset up to which the text was
// read.
func (w *Windower) Read(text string, limit int, yield func(window []Token) bool) int {
	w.z = newTokenizer(text, limit)
	ends := 0 // words before the window with which a phrase may end
	n := w.z.fill(w.tokens[:windowStep])
	for first := true; n > 0; first = false {
		middle, more := w.z.ends, 0
		if n == windowStep {
			more = w.z.fill(w.tokens[windowStep:])
		}
		if more == 0 && !first { // nothing but what the last window showed
			break
		}
		w.silent = w.z.ends == ends
		if !yield(w.tokens[:n+more]) || more < windowStep {
			break
		}
		ends = middle
		n = copy(w.tokens[:windowStep], w.tokens[windowStep:])
	}
	return w.z.at
}

// ReadInto reads the tokens of a whole text into room. It reports whether they
// fit.
func (w *Windower) ReadInto(room []Token, text string) (tokens []Token, all bool) {
	w.z = newTokenizer(text, len(room))
	n := w.z.fill(room)
	return room[:n], n < len(room)
}

// Words calls yield with the first limit words of a text, some at a time, as
// Tokenize has them. They are valid until yield returns.
func (w *Windower) Words(text string, limit int, yield func(some []Token)) {
	w.z = newTokenizer(text, limit)
	for {
		n := w.z.fill(w.tokens[:])
		if n > 0 {
			yield(w.tokens[:n])
		}
		if n < len(w.tokens) {
			return
		}
	}
}

// Silent reports, before it is read, that the window which Read shows at present
// is silent. Some silent windows it does not know.
func (w *Windower) Silent() bool { return w.silent }

// ReadAll reads a whole text: every phrase of every window, each where it
// occurs first.
func (w *Windower) ReadAll(text string, limit int) *Reading {
	all, r := new(Reading), new(Reading)
	w.Read(text, limit, func(window []Token) bool {
		r.Read(window)
		all.merge(r)
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
