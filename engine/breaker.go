package engine

import (
	"container/list"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a breaker.
const (
	breakerFailures = 3           // within breakerWindow, and the circuit opens
	breakerWindow   = time.Minute // and a quiet one forgets how often it opened
	breakerFirst    = time.Second // how long it opens first; twice as long each time it opens again
	breakerLongest  = time.Minute
	breakerCircuits = 4096 // kept; the one that failed longest ago is forgotten
)

// breaker spares a scanner the messages of a caller for whom it keeps failing.
// It denies as the failure denied, only cheaply. One caller's messages never
// decide about another's: a circuit belongs to one scanner and one principal,
// and one that is forgotten is closed.
//
// Nobody's name is kept: a circuit is found by a hash under a key that this
// process drew.
type breaker struct {
	seed maphash.Seed

	kept     atomic.Int64 // len(circuits), read without the lock
	mu       sync.Mutex
	circuits map[uint64]*list.Element // of *circuit
	recent   list.List                // the one that failed last in front
}

// circuit is what a breaker remembers of a scanner that failed for a principal.
type circuit struct {
	key      uint64
	digest   string // of the scanner
	failed   [breakerFailures]time.Time
	failures int // as long as the circuit is remembered
	kind     FailureKind
	openings int       // in a row
	until    time.Time // open until then, and half-open after; zero: closed
	quiet    time.Time // when it is as good as new, if nothing happens until then
	trial    bool      // the one call of a half-open circuit is under way
}

func newBreaker() *breaker {
	return &breaker{seed: maphash.MakeSeed(), circuits: map[uint64]*list.Element{}}
}

// passage is leave to call a scanner. It is handed back with the outcome.
type passage struct {
	key   uint64 // 0: nobody's
	trial bool
}

// outcome is how a call that a breaker let pass ended.
type outcome int

const (
	outcomeUnknown outcome = iota // the caller gave up: nothing is known about the scanner
	outcomeAnswer
	outcomeFailure
)

// enter asks whether a scanner may be called for a principal, "" being nobody:
// then it always may. A refusal says how the scanner failed last.
func (b *breaker) enter(s *Scanner, principal string, now time.Time) (passage, *Failure) {
	if principal == "" {
		return passage{}, nil
	}
	p := passage{key: b.key(s, principal)}
	if b.kept.Load() == 0 {
		return p, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	element := b.circuits[p.key]
	if element == nil {
		return p, nil
	}
	c := element.Value.(*circuit)
	switch {
	case !c.trial && !now.Before(c.quiet):
		b.forget(element)
	case c.until.IsZero():
	case c.trial || now.Before(c.until):
		return p, &Failure{
			Scanner: s.manifest.Name, Kind: c.kind, Skipped: true,
			Detail: fmt.Sprintf("not called: it failed %d times for this caller", c.failures),
		}
	default:
		c.trial, p.trial = true, true
	}
	return p, nil
}

// leave says how a call ended, and reports whether that opened the circuit.
func (b *breaker) leave(p passage, s *Scanner, o outcome, kind FailureKind, now time.Time) (opened bool) {
	if p.key == 0 || o != outcomeFailure && !p.trial {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	element := b.circuits[p.key]
	if element == nil {
		if o != outcomeFailure {
			return false
		}
		element = b.remember(&circuit{key: p.key, digest: s.digest})
	}
	c := element.Value.(*circuit)
	if p.trial {
		c.trial = false
	}
	switch o {
	case outcomeUnknown:
		return false
	case outcomeAnswer: // of a trial
		c.until, c.failed = time.Time{}, [breakerFailures]time.Time{}
		c.quiet = now.Add(breakerWindow)
		return false
	}
	b.recent.MoveToFront(element)
	return c.fail(kind, p.trial, now)
}

// fail notes a failure. Calls that were under way when the circuit opened count
// and change nothing else.
func (c *circuit) fail(kind FailureKind, trial bool, now time.Time) (opened bool) {
	c.kind = kind
	c.failures++
	copy(c.failed[1:], c.failed[:])
	c.failed[0] = now
	if q := now.Add(breakerWindow); q.After(c.quiet) {
		c.quiet = q
	}
	oldest := c.failed[breakerFailures-1]
	often := c.until.IsZero() && !oldest.IsZero() && now.Sub(oldest) < breakerWindow
	if !trial && !often {
		return false
	}
	c.until = now.Add(min(breakerFirst<<min(c.openings, 10), breakerLongest))
	c.quiet = c.until.Add(breakerWindow)
	c.openings++
	return true
}

func (b *breaker) remember(c *circuit) *list.Element {
	if b.recent.Len() >= breakerCircuits {
		b.forget(b.recent.Back())
	}
	element := b.recent.PushFront(c)
	b.circuits[c.key] = element
	b.kept.Store(int64(len(b.circuits)))
	return element
}

func (b *breaker) forget(element *list.Element) {
	delete(b.circuits, element.Value.(*circuit).key)
	b.recent.Remove(element)
	b.kept.Store(int64(len(b.circuits)))
}

// open counts the principals for whom a scanner is not called at present.
func (b *breaker) open(digest string, now time.Time) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for element := b.recent.Front(); element != nil; element = element.Next() {
		if c := element.Value.(*circuit); c.digest == digest && (c.trial || now.Before(c.until)) {
			n++
		}
	}
	return n
}

func (b *breaker) key(s *Scanner, principal string) uint64 {
	var h maphash.Hash
	h.SetSeed(b.seed)
	h.WriteString(s.digest) // of one length, as what follows: no two are written alike
	h.Write(s.apart[:])
	h.WriteString(principal)
	return max(h.Sum64(), 1)
}
