package main

import "unicode/utf8"

// maxCompared bounds the names whose edits are counted.
const maxCompared = 128

// within reports whether b is at most limit edits from a, an edit being one
// byte inserted, deleted or replaced or two neighbours exchanged (optimal
// string alignment).
func within(a, b string, limit int) bool {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return false
	}
	if len(b) >= maxCompared {
		return false
	}
	var rows [3][maxCompared]uint8 // small and on the stack: this runs for every pair of names
	before, last, row := rows[0][:], rows[1][:], rows[2][:]
	for j := range len(b) + 1 {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = uint8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := uint8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if int(least) > limit {
			return false
		}
		before, last, row = last, row, before
	}
	return int(last[len(b)]) <= limit
}

// passage is a description, taken apart when that is first asked for: each is
// compared with those of all neighbours.
type passage struct {
	text     string
	distinct map[string]bool
	triples  map[[3]string]bool
}

// words are the distinct words of the passage.
func (p *passage) words() map[string]bool {
	if p.distinct == nil {
		p.distinct = words(p.text)
	}
	return p.distinct
}

// runs are its runs of three words.
func (p *passage) runs() map[[3]string]bool {
	if p.triples == nil {
		p.triples = runs(p.text)
	}
	return p.triples
}

// similarity says how much of two descriptions is the same, 0..1: the share of
// distinct words that they have in common (Jaccard) or, where one of them was cut
// short or had something put around it, the share of the shorter one's runs of
// three words that the longer one has, too. Texts of fewer than three words are
// not comparable.
func similarity(a, b *passage) float64 {
	if len(a.text) > len(b.text) {
		a, b = b, a
	}
	x, y := a.words(), b.words()
	share := jaccard(x, y)
	if len(a.text) >= longText && float64(common(x, y)) >= alike*float64(len(x)) { // or it cannot be alike
		share = max(share, jaccard(x, words(b.text[:len(a.text)])))
	}
	return max(share, contained(a.runs(), b))
}

// comparable reports descriptions that are not alike by chance, whatever the
// names: servers do not describe two tools in the same many words.
func comparable(a, b *passage) bool {
	return min(len(a.text), len(b.text)) >= longText && len(a.words()) >= manyWords && len(b.words()) >= manyWords
}

func jaccard(x, y map[string]bool) float64 {
	if len(x) < 3 || len(y) < 3 {
		return 0
	}
	both := common(x, y)
	return float64(both) / float64(len(x)+len(y)-both)
}

// contained is the share of some runs of three words that a passage has.
func contained(x map[[3]string]bool, b *passage) float64 {
	if len(x) < fewRuns {
		return 0
	}
	return float64(common(x, b.runs())) / float64(len(x))
}

func common[K string | [3]string](x, y map[K]bool) (n int) {
	for k := range x {
		if y[k] {
			n++
		}
	}
	return n
}

const (
	longText  = 60   // bytes from which a text may be one that was cut short
	manyWords = 10   // distinct words that two entries do not share by chance
	fewRuns   = 8    // runs of words below which they occur elsewhere by chance
	maxWords  = 1500 // distinct words that are compared
)

// runs are the runs of three words of a text.
func runs(s string) map[[3]string]bool {
	out := make(map[[3]string]bool)
	var last [3]string
	n := 0
	eachWord(s, func(w string) bool {
		last[0], last[1], last[2] = last[1], last[2], w
		if n++; n >= 3 {
			out[last] = true
		}
		return len(out) < maxWords
	})
	return out
}

// words are the distinct words of a text.
func words(s string) map[string]bool {
	out := make(map[string]bool)
	eachWord(s, func(w string) bool {
		out[w] = true
		return len(out) < maxWords
	})
	return out
}

// eachWord yields the words of a text in lower case until yield returns false;
// outside ASCII each character is one.
func eachWord(s string, yield func(string) bool) {
	start := -1
	for i := 0; i <= len(s); i++ {
		if i < len(s) && ('a' <= s[i]|0x20 && s[i]|0x20 <= 'z' || '0' <= s[i] && s[i] <= '9') {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			if !yield(lower(s[start:i])) {
				return
			}
			start = -1
		}
		if i < len(s) && s[i] >= utf8.RuneSelf {
			_, size := utf8.DecodeRuneInString(s[i:])
			if !yield(s[i : i+size]) {
				return
			}
			i += size - 1
		}
	}
}

func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// affixes are what impostors put around a trusted name, reduced as skeletons are.
var affixes = [...]string{"official", "verified", "trusted", "enhanced", "improved", "updated", "secure", "premium", "latest", "better",
	"proxy", "async", "plus", "fast", "safe", "real", "next", "new", "pro", "ext", "alt", "tool", "mcp", "api", "lite", "beta", "fixed",
	"the", "my", "v1", "v2", "v3", "v4", "ng", "ai", "ex", "x", "2", "1", "3"}

// affixed reports that long is short with one of the affixes before or behind it.
func affixed(long, short string) bool {
	if len(short) < 4 || len(long) <= len(short) {
		return false
	}
	for _, a := range affixes {
		if len(long) == len(short)+len(a) && (long[:len(short)] == short && long[len(short):] == a || long[:len(a)] == a && long[len(a):] == short) {
			return true
		}
	}
	return false
}
