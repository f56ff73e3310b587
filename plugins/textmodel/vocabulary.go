package textmodel

import "strings"

// Words returns the words of ASCII that can play one of the parts, in lower
// case. Those that hold another one of them are left out: who looks for the words
// within a text finds it by the shorter.
func Words(parts Class) []string {
	var all []string
	for i := range known.parts {
		if known.parts[i].class&parts != 0 {
			all = append(all, known.parts[i].word)
		}
	}
	var out []string
	for _, w := range all {
		if !holdsAnother(w, all) {
			out = append(out, w)
		}
	}
	return out
}

func holdsAnother(word string, all []string) bool {
	for _, w := range all {
		if w != word && strings.Contains(word, w) {
			return true
		}
	}
	return false
}
