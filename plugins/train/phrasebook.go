package train

import (
	"maps"
	"strings"
)

// The phrasebook makes attack and ordinary sentences of our own, so that the
// weights know the grammar of instructions in general and not only the wording
// of a few collections. {x} stands for one line of the slot x.

var slots = map[string][]string{
	"day": {"Friday", "May 3", "tomorrow", "the end of the month", "2024-06-01"},
	"who": {"Anna", "the team", "Dr. Meyer", "Tom Jones", "everyone"},
}

func init() {
	for _, book := range []map[string][]string{attackSlots, orderSlots, documentSlots, languageSlots, peopleSlots} {
		maps.Copy(slots, book)
	}
}

// compose fills the slots of a form. A slot with a capital stands for a line
// that begins with one; braces around anything else are left as they are.
func compose(form string, rng *random) string {
	for range 6 { // slots hold slots
		var b strings.Builder
		for {
			open := strings.IndexByte(form, '{')
			size := strings.IndexByte(form[open+1:], '}')
			if open < 0 || size < 0 {
				break
			}
			name := form[open+1 : open+1+size]
			b.WriteString(form[:open])
			if lines := slots[name]; lines != nil {
				b.WriteString(lines[rng.below(len(lines))])
			} else if lines := slots[strings.ToLower(name)]; lines != nil {
				line := lines[rng.below(len(lines))]
				b.WriteString(strings.ToUpper(line[:1]) + line[1:])
			} else {
				b.WriteString("{" + name + "}")
			}
			form = form[open+size+2:]
		}
		b.WriteString(form)
		form = b.String()
	}
	return form
}

// phrases returns n composed sentences.
func phrases(forms []string, n int, seed random) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = compose(forms[i%len(forms)], &seed)
	}
	return out
}
