package textmodel

import "testing"

// TestPhrasesEndAsSaid tries every triple of classes with every mark: what the
// functions find, the gates before them let through.
func TestPhrasesEndAsSaid(t *testing.T) {
	for a := range Classes {
		for b := range Classes {
			for c := range Classes {
				for _, mark := range []Mark{0, MarkStart, MarkLine | MarkUpper, MarkOpen, MarkHeading} {
					w := []Token{{End: 1, Class: 1 << a}, {Start: 2, End: 3, Class: 1 << b}, {Start: 4, End: 5, Class: 1 << c}}
					var before Class
					for i := range w {
						alone, needs := endings(w[i].Class)
						w[i].Mark, w[i].Before = mark, before
						w[i].Ends = alone || before&needs != 0 || opens(mark, w[i].Class)
						before |= w[i].Class
					}
					got, want := Read(w), new(Reading)
					for i := range w {
						want.Classes |= w[i].Class
						want.opening(w, i)
						want.language(w, i)
						want.data(w, i)
						want.tools(w, i)
						want.orders(w, i)
					}
					if *got != *want {
						t.Fatalf("classes %d %d %d, mark %b: phrases %b, want %b", a, b, c, mark, got.Phrases, want.Phrases)
					}
				}
			}
		}
	}
}
