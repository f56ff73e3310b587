package merge

import (
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestLedgerKeepsServersApart(t *testing.T) {
	var l Ledger
	a := l.Ask(Asked{Alias: "a", ID: jsontext.Value("1"), Key: "1"})
	b := l.Ask(Asked{Alias: "b", ID: jsontext.Value("1"), Key: "1", Token: jsontext.Value(`"t"`)})
	if a == b {
		t.Fatal("two requests, one number")
	}
	if again := l.Ask(Asked{Alias: "a", ID: jsontext.Value("1"), Key: "1"}); again != a {
		t.Errorf("a request that came again is %d, was %d", again, a)
	}
	if n, ok := l.NumberOf("b", "1"); !ok || n != b {
		t.Errorf("b's 1 is %d, %v", n, ok)
	}
	if _, ok := l.NumberOf("c", "1"); ok {
		t.Error("c asked nothing")
	}
	id := jsontext.Value(fmt.Sprint(b))
	if got, ok := l.Waiting(id); !ok || got.Alias != "b" || string(got.Token) != `"t"` {
		t.Errorf("waiting %+v, %v", got, ok)
	}
	for _, forged := range []string{`"2"`, "02", "2.0", "2e0", "-1", "0", "null", "99"} {
		if got, ok := l.Replied(jsontext.Value(forged)); ok {
			t.Errorf("%s answered %+v", forged, got)
		}
	}
	if got, ok := l.Replied(id); !ok || got.Alias != "b" || string(got.ID) != "1" {
		t.Errorf("replied %+v, %v", got, ok)
	}
	if _, ok := l.Replied(id); ok {
		t.Error("one request, two replies")
	}
	l.Forget("a")
	if _, ok := l.Replied(jsontext.Value(fmt.Sprint(a))); ok {
		t.Error("a's conversation has ended")
	}

	l.Called("1", "a", "tok")
	if !l.MayReport("a", "tok") || l.MayReport("b", "tok") || l.MayReport("a", "") || l.MayReport("a", "other") {
		t.Error("progress is the called server's to report")
	}
	if alias, ok := l.CalledAt("1"); !ok || alias != "a" {
		t.Errorf("called at %q, %v", alias, ok)
	}
	l.Answered("1")
	if l.MayReport("a", "tok") {
		t.Error("progress after the answer")
	}
	for i := range 3 * maxCalls {
		l.Called(fmt.Sprint("c", i), "a", "t")
	}
	if len(l.calls) > maxCalls || len(l.order) > maxCalls {
		t.Errorf("%d calls are remembered", len(l.calls))
	}
	l.Answered("c5000")
	l.Answered(fmt.Sprint("c", 3*maxCalls-1))
	if _, ok := l.CalledAt(fmt.Sprint("c", 3*maxCalls-1)); ok || len(l.calls) != len(l.order) {
		t.Errorf("an answered call is remembered; %d calls, %d in order", len(l.calls), len(l.order))
	}
	// A call under way is not forgotten for those that came and went meanwhile.
	l = Ledger{}
	l.Called("long", "a", "tok")
	for i := range 3 * maxCalls {
		l.Called(fmt.Sprint(i), "b", "")
		l.Answered(fmt.Sprint(i))
	}
	if alias, ok := l.CalledAt("long"); !ok || alias != "a" || !l.MayReport("a", "tok") {
		t.Error("a long call was forgotten")
	}
}

// An elicitation is its first issuer's, and nobody makes it forgotten.
func TestLedgerElicitations(t *testing.T) {
	var l Ledger
	if !l.Elicit("good", "E") || l.Elicit("evil", "E") || !l.Elicit("good", "E") {
		t.Error("an elicitation is its first issuer's")
	}
	for i := range 10 * maxIssued {
		l.Elicit("evil", fmt.Sprint(i))
	}
	if !l.Elicited("good", "E") || l.Elicited("evil", "E") || l.Elicit("evil", "E") {
		t.Error("a flood of ids took another server's away")
	}
	if l.Elicited("good", "never") || l.Elicited("nobody", "E") {
		t.Error("what was never issued may be spoken of")
	}
	if n := len(l.asks.owner); n > maxIssued+1 {
		t.Errorf("%d ids are remembered", n)
	}
}
