package merge

import (
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Ledger keeps apart, within one merged session, what upstreams and client call
// things. Servers choose the ids and progress tokens of their requests without
// knowing of each other: towards the client each gets a number of the ledger's.
// The client chooses the ids and tokens of its own requests; they pass as they
// are, and the ledger knows which upstream may speak of which.
type Ledger struct {
	mu    sync.Mutex
	last  int64
	asked map[int64]Asked
	calls map[string]call // by the client's id
	order []string        // of calls, oldest first
	asks  askers
}

// Asked is a request of an upstream.
type Asked struct {
	Alias string
	ID    jsontext.Value // as the upstream wrote it
	Key   string         // of ID, the same for every spelling of it
	Token jsontext.Value // its progress token, nil without one
}

type call struct{ alias, token string }

// maxCalls bounds the calls under way that one session remembers; the oldest
// goes first.
const maxCalls = 1024

// Ask gives a request of an upstream the number by which the client knows it.
// A request that comes again, on a stream that was taken up again, keeps its
// number. How many wait is bounded per conversation, by whoever holds it.
func (l *Ledger) Ask(a Asked) (number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number, again := l.numberOf(a.Alias, a.Key); again {
		l.asked[number] = a
		return number
	}
	if l.asked == nil {
		l.asked = map[int64]Asked{}
	}
	l.last++
	l.asked[l.last] = a
	return l.last
}

// Replied returns the request that a reply of the client answers; then it waits
// no longer.
func (l *Ledger) Replied(id jsontext.Value) (Asked, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number, ok := numbered(id)
	if !ok {
		return Asked{}, false
	}
	a, ok := l.asked[number]
	delete(l.asked, number)
	return a, ok
}

// Waiting returns a request that the client has not answered, by its number.
func (l *Ledger) Waiting(number jsontext.Value) (Asked, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := numbered(number)
	if !ok {
		return Asked{}, false
	}
	a, ok := l.asked[n]
	return a, ok
}

// NumberOf finds the request that an upstream itself knows by key.
func (l *Ledger) NumberOf(alias, key string) (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.numberOf(alias, key)
}

func (l *Ledger) numberOf(alias, key string) (int64, bool) {
	for number, a := range l.asked {
		if a.Alias == alias && a.Key == key {
			return number, true
		}
	}
	return 0, false
}

// numbered reads the one spelling that Ask's numbers have.
func numbered(id jsontext.Value) (int64, bool) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(id)
}

// Called notes that a request of the client's went to an upstream, with its
// progress token ("" without one).
func (l *Ledger) Called(id, alias, token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered(id)
	if l.calls == nil {
		l.calls = map[string]call{}
	}
	l.calls[id] = call{alias, token}
	if l.order = append(l.order, id); len(l.order) > maxCalls {
		l.answered(l.order[0])
	}
}

// Answered forgets a request: nobody may report its progress or cancel it any
// more.
func (l *Ledger) Answered(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered(id)
}

func (l *Ledger) answered(id string) {
	if _, ok := l.calls[id]; ok {
		delete(l.calls, id)
		i := slices.Index(l.order, id)
		l.order = slices.Delete(l.order, i, i+1)
	}
}

// CalledAt is the upstream that a request under way went to.
func (l *Ledger) CalledAt(id string) (alias string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.calls[id]
	return c.alias, ok
}

// MayReport says whether an upstream was given this progress token with a
// request that is not answered yet.
func (l *Ledger) MayReport(alias, token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		if c.alias == alias && c.token == token && token != "" {
			return true
		}
	}
	return false
}

// Elicit notes that an upstream asks the user something under an elicitation
// id, and says whether it may: an id is its first issuer's.
func (l *Ledger) Elicit(alias, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asks.issue(alias, id)
}

// Elicited says whether an upstream issued an elicitation id.
func (l *Ledger) Elicited(alias, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.asks.ids[alias], id)
}

// Forget drops what an upstream asked: its conversation has ended, and nobody
// is left to take a reply.
func (l *Ledger) Forget(alias string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for number, a := range l.asked {
		if a.Alias == alias {
			delete(l.asked, number)
		}
	}
}
