package main

import (
	"strings"
	"testing"
)

// FuzzLowercase holds parts of a text in lower case to the standard library's.
func FuzzLowercase(f *testing.F) {
	f.Add(strings.Repeat("Send THE [notes] @ Z{az}. ", 400), 5000, 300)
	f.Add("ÄÖ İ"+strings.Repeat("ABC", 2000), 4090, 30)
	f.Fuzz(func(t *testing.T, text string, at, size int) {
		if at < 0 || size < 0 {
			return
		}
		low := lowercase{text: text}
		for _, from := range []int{0, at / 2, at, at + 1, at + size} {
			from = min(from, len(text))
			to := min(len(text), from+min(size, len(text)))
			if got, want := low.of(from, to), strings.ToLower(text[from:to]); got != want {
				t.Fatalf("%d to %d of %q: %q, want %q", from, to, text, got, want)
			}
		}
	})
}
