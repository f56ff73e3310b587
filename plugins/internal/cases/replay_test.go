package cases_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// TestReplay scans messages of the public corpora twice, in engines of their
// own, the second time backwards and several at once: verdict and fuel are
// functions of the message.
func TestReplay(t *testing.T) {
	var messages []*message.Message
	for _, c := range readCorpora(t) {
		for i := 0; i < len(c.messages); i += 97 {
			messages = append(messages, c.messages[i])
		}
	}
	if len(messages) < 100 {
		t.Fatalf("only %d messages", len(messages))
	}
	firstParty := func() *engine.Set {
		e := newEngine(t)
		var all []*engine.Scanner
		for _, name := range slices.Sorted(maps.Keys(modules(t))) {
			s, err := e.Load(t.Context(), modules(t)[name], engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		return engine.NewSet(all...)
	}
	recorded := make([]engine.Verdict, len(messages))
	first, second := firstParty(), firstParty()
	for i, m := range messages {
		recorded[i] = first.Scan(t.Context(), m)
		recorded[i].Elapsed = 0
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range 4 {
		wg.Go(func() {
			for i := range next {
				v := second.Scan(t.Context(), messages[i])
				v.Elapsed = 0
				if diff := cmp.Diff(recorded[i], v); diff != "" {
					t.Errorf("message %d (-recorded +replayed)\n%s", i, diff)
				}
			}
		})
	}
	for i := len(messages) - 1; i >= 0; i-- {
		next <- i
	}
	close(next)
	wg.Wait()
	var fuel int64
	for _, v := range recorded {
		fuel += v.Fuel
	}
	t.Logf("%d messages, %d units of fuel", len(messages), fuel)
	if fuel == 0 {
		t.Error("no fuel was used: that proves nothing")
	}
}
