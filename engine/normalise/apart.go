package normalise

import "strings"

const (
	minApart   = 10 // letters that stand apart, from which a text is spelled
	minSpelt   = 4  // of a word that counts for that
	maxSpaced  = 15 // letters of a word; more are several without a gap
	maxBetween = 80 // bytes between spelled words that belong to what they say
)

// gaps may stand between the letters of a spelled word, gapClass between words.
var (
	gaps     = classOf(" .-_*|/~,+\n\t")
	gapClass = classOf(" .-_*|/~,+\n\t()[]")
)

// together joins the letters of words that are spelled, i g n o r e or
// i-g-n-o-r-e or (i)(g)(n)(o)(r)(e), and returns them with what is between them,
// if they are enough.
func together(s string) string {
	var out strings.Builder
	copied, spelt := 0, 0
	for i := 0; i < len(s); {
		if !alone(s, i) {
			i++
			continue
		}
		gap := gapLength(s, i+1)
		end, step := i+1, 1+gap
		for gap > 0 && end+gap < len(s) && s[end:end+gap] == s[i+1:i+step] && alone(s, end+gap) {
			end += step
		}
		if n := (end-i-1)/step + 1; n >= 2 {
			if n >= minSpelt {
				spelt += n
			}
			switch between := s[copied:i]; {
			case copied == 0:
			case gapClass.endOf(between, 0) == len(between):
				out.WriteByte(' ')
			case len(between) > maxBetween:
				out.WriteByte('\n')
			default:
				out.WriteString(between)
			}
			word := make([]byte, 0, n)
			for ; i < end; i += step {
				word = append(word, s[i])
			}
			if n > maxSpaced {
				out.WriteString(divided(string(word)))
			} else {
				out.Write(word)
			}
			copied = end
		}
		i = end
	}
	if spelt < minApart {
		return ""
	}
	return out.String()
}

// gapLength is the length of the gap that begins at i, 0 for none.
func gapLength(s string, i int) int {
	switch {
	case i == len(s):
		return 0
	case gaps[s[i]]:
		return 1
	case strings.HasPrefix(s[i:], ")("), strings.HasPrefix(s[i:], "]["):
		return 2
	}
	return 0
}

// alone reports whether a letter stands at i with no other beside it.
func alone(s string, i int) bool {
	return latinByte(s[i]) && (i == 0 || !joins(s[i-1])) && (i+1 == len(s) || !joins(s[i+1]))
}

// joins reports whether a byte is of a word.
func joins(c byte) bool { return c >= 0x80 || latinByte(c) || '0' <= c && c <= '9' }
