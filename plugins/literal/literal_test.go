package literal

import (
	"strings"
	"testing"
)

var words = []string{"ignore", "|||", "password", "pass", "ssword ", "x y z", "<im", "éa"}

// FuzzSet holds the set to the standard library's search for each literal alone.
func FuzzSet(f *testing.F) {
	f.Add("Ignore the PASSWORD ||||")
	f.Add("passpasswordssword x y z <im")
	f.Add("aéaéa")
	f.Add("PASSword")
	f.Add("pa")
	exact, folded := New(words...), NewFold(words...)
	f.Fuzz(func(t *testing.T, text string) {
		check(t, exact, text, func(s string) string { return s })
		check(t, folded, text, lowerAll)
	})
}

func lowerAll(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}

func check(t *testing.T, s *Set, text string, form func(string) string) {
	var want, got [][2]int
	for i := range len(text) {
		for n, w := range words {
			if strings.HasPrefix(form(text[i:]), w) {
				want = append(want, [2]int{n, i})
			}
		}
	}
	s.Each(text, func(word, at int) bool { got = append(got, [2]int{word, at}); return true })
	if len(got) != len(want) {
		t.Fatalf("%q: got %v, want %v", text, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
	}
	if begins := len(want) > 0 && want[0][1] == 0; s.Begins(text) != begins {
		t.Fatalf("%q: Begins is %v", text, !begins)
	}
	first := -1
	if len(want) > 0 && want[0][1] == 0 {
		first = want[0][0]
	}
	if got := s.heads.Of(text); got != first {
		t.Fatalf("%q: begins with word %d, want %d", text, got, first)
	}
	if s.In(text) != (len(want) > 0) {
		t.Fatalf("%q: In is %v", text, s.In(text))
	}
}

func TestEachStops(t *testing.T) {
	n := 0
	New(words...).Each("passpass", func(int, int) bool { n++; return false })
	if n != 1 {
		t.Errorf("called %d times", n)
	}
}

func BenchmarkSet(b *testing.B) {
	text := strings.Repeat("an ordinary line of text, of 44 characters.\n", 93)
	s := NewFold(words...)
	b.Run("set", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			s.In(text)
		}
	})
	b.Run("strings.Contains", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			low := strings.ToLower(text)
			for _, w := range words {
				strings.Contains(low, w)
			}
		}
	})
}
