package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of what strangers may have this registry look up. The address that a
// request comes from is no use: behind a proxy it is always the same.
const (
	attemptsPerSecond = 5 // of all together
	attemptsBurst     = 20
	attemptsAtOnce    = 8
	subjectEvery      = 5 * time.Second // of one domain
	subjectBurst      = 5
	maxSubjects       = 4096
)

// attempts counts proofs: all together, those about one domain, and those under
// way.
type attempts struct {
	mu       sync.Mutex
	all      *rate.Limiter
	subjects map[string]*rate.Limiter
	running  int
}

func newAttempts() *attempts {
	return &attempts{all: rate.NewLimiter(attemptsPerSecond, attemptsBurst), subjects: map[string]*rate.Limiter{}}
}

// begin counts an attempt about a subject. Without a wait done must be called
// when it is over.
func (a *attempts) begin(subject string, now time.Time) (done func(), wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running >= attemptsAtOnce {
		return nil, time.Second
	}
	one := a.subject(subject, now)
	if one == nil || !one.AllowN(now, 1) {
		return nil, subjectEvery
	}
	if !a.all.AllowN(now, 1) {
		return nil, time.Second
	}
	a.running++
	return func() {
		a.mu.Lock()
		a.running--
		a.mu.Unlock()
	}, 0
}

// subject finds a subject's limiter. When there are too many, those that are
// full again, which say nothing, are forgotten.
func (a *attempts) subject(name string, now time.Time) *rate.Limiter {
	name = name[:min(len(name), 300)]
	if l := a.subjects[name]; l != nil {
		return l
	}
	if len(a.subjects) >= maxSubjects {
		for other, l := range a.subjects {
			if l.TokensAt(now) >= subjectBurst {
				delete(a.subjects, other)
			}
		}
		if len(a.subjects) >= maxSubjects {
			return nil
		}
	}
	l := rate.NewLimiter(rate.Every(subjectEvery), subjectBurst)
	a.subjects[name] = l
	return l
}
