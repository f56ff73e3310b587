package engine

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// mixed is what mixedWord looks for, by the letter of the ABI.
var mixed = regexp.MustCompile(`[A-Za-z][0-9]|[0-9][A-Za-z]|[A-Za-z0-9]'[A-Za-z]`)

func TestMixedWord(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	const near = "aAzZ@[`{09/:' \xe9\x00"
	held := 0
	for range 200_000 {
		text := make([]byte, rng.IntN(20))
		for i := range text {
			text[i] = ' '
			if rng.IntN(3) == 0 {
				text[i] = near[rng.IntN(len(near))]
			}
		}
		want := mixed.Match(text)
		if want {
			held++
		}
		if got := mixedWord(string(text)); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	}
	if held < 10_000 || held > 190_000 {
		t.Errorf("%d texts have such words: that proves little", held)
	}
}
