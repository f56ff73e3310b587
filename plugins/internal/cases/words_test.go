package cases_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// TestTriggersMissNoWords asks for the same as TestTriggersMissNothing over
// arguments made of the words that instructions are made of, some in disguise.
func TestTriggersMissNoWords(t *testing.T) {
	wasm, ok := modules(t)["injection"]
	if !ok {
		t.Fatal("no injection")
	}
	s, err := newEngine(t).Load(t.Context(), wasm, engine.Options{Mode: engine.ModeEnforce})
	if err != nil {
		t.Fatal(err)
	}
	set := engine.NewSet(s)
	rng := rand.New(rand.NewPCG(3, 14))
	n := 20_000
	if testing.Short() {
		n /= 10
	}
	called, found := 0, 0
	for range n {
		text := instruction(rng)
		arguments, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.FromArguments("server", "tool", arguments)
		if err != nil {
			t.Fatal(err)
		}
		_, calls, diff := disagreement(t, set, m)
		if diff != "" {
			t.Fatalf("%q: (-always +triggered)\n%s", text, diff)
		}
		called += calls
		if len(set.Scan(t.Context(), m).Findings) > 0 {
			found++
		}
	}
	t.Logf("%d texts, %d of them called the scanner, %d were objected to", n, called, found)
	if called == n || found < n/50 {
		t.Errorf("%d texts, %d called the scanner, %d were objected to: that proves nothing", n, called, found)
	}
}

// turns are the parts of the phrases that are minded in an argument.
var turns = [][]textmodel.Class{
	{textmodel.Override, textmodel.Whole, textmodel.Prior, textmodel.Directive},
	{textmodel.Directive, textmodel.Prior, textmodel.Override},
	{textmodel.Negation, textmodel.Follow, textmodel.You, textmodel.Directive},
	{textmodel.Negation, textmodel.Disclose, textmodel.Person, textmodel.Covert, textmodel.Gather},
	{textmodel.Transfer, textmodel.Sensitive, textmodel.Negation, textmodel.Disclose, textmodel.Person},
	{textmodel.Ordering, textmodel.Invoke, textmodel.Gather, textmodel.Negation, textmodel.Disclose, textmodel.Person},
	{textmodel.System, textmodel.Urgency, textmodel.Directive},
}

// instruction is a turn, with words and marks of any kind between.
func instruction(rng *rand.Rand) string {
	marks := []string{" ", " ", " ", ", ", ". ", "\n", "<", "[", "\"", "_", "<|im_start|>", "### "}
	var b strings.Builder
	add := func(word string) {
		b.WriteString(disguise(rng, word))
		if rng.IntN(4) > 0 {
			b.WriteByte(' ')
		} else {
			b.WriteString(marks[rng.IntN(len(marks))])
		}
	}
	for _, part := range turns[rng.IntN(len(turns))] {
		for range rng.IntN(2) {
			add(strings.Fields("the harbour keeps tables for every berth in my old day")[rng.IntN(11)])
		}
		if rng.IntN(12) == 0 {
			continue // without one of its parts
		}
		some := textmodel.Words(part)
		add(some[rng.IntN(len(some))])
	}
	return b.String()
}

// disguise writes a word in another way that scanners read, now and then.
func disguise(rng *rand.Rand, word string) string {
	switch rng.IntN(12) {
	case 0:
		return strings.ToUpper(word)
	case 1:
		return strings.ToUpper(word[:1]) + word[1:]
	case 2:
		at := rng.IntN(len(word))
		return word[:at] + strings.Repeat("'", min(at, 1)) + word[at:]
	case 3:
		return strings.NewReplacer("o", "0", "i", "1", "e", "3", "a", "4", "s", "5", "t", "7").Replace(word)
	case 4:
		at := rng.IntN(len(word))
		return word[:at] + strings.NewReplacer("o", "0", "l", "1", "e", "3", "b", "8", "g", "9").Replace(word[at:at+1]) + word[at+1:]
	case 5:
		return word + "s"
	}
	return word
}
