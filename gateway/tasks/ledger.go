// Package tasks remembers to whom a server gave a task, and for which tool. A
// task's id is a server's to choose, and often enough a small number: what it
// opens must not depend on being hard to guess.
//
// It must not know messages, transports or what a task does.
package tasks

import (
	"errors"
	"sync"
	"time"
)

// ErrForeign is an id that is somebody else's already.
var ErrForeign = errors.New("task belongs to another caller")

// MaxLife is how long a task is remembered at most without being heard of, that
// of a server that keeps tasks for ever included.
const MaxLife = 24 * time.Hour

// Owner is who was given a task.
type Owner struct{ Tenant, Principal string }

// Task is what is remembered of one.
type Task struct {
	Tool string // whose call it is
}

// Ledger is safe for concurrent use.
type Ledger struct {
	perOwner int
	now      func() time.Time

	mu    sync.Mutex
	tasks map[key]*entry
	owned map[Owner]map[key]*entry
}

// key names a task. Ids are unique within a space: a server, or one session with
// it where each has a process or a stream for itself.
type key struct{ space, id string }

type entry struct {
	Task
	owner   Owner
	expires time.Time
}

// New makes an empty ledger that remembers so many tasks of each owner.
func New(perOwner int, now func() time.Time) *Ledger {
	return &Ledger{perOwner: perOwner, now: now, tasks: map[key]*entry{}, owned: map[Owner]map[key]*entry{}}
}

// Note remembers a task for life, MaxLife where that is negative. Beyond the
// owner's number the one that would expire first is forgotten. ErrForeign says
// that somebody else owns the id, and nothing changes.
func (l *Ledger) Note(space, id string, by Owner, t Task, life time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, now := key{space, id}, l.now()
	if have := l.tasks[k]; have != nil && have.owner != by {
		if now.Before(have.expires) {
			return ErrForeign
		}
		l.forget(k, have)
	}
	own := l.owned[by]
	if own == nil {
		own = map[key]*entry{}
		l.owned[by] = own
	}
	if _, again := own[k]; !again && len(own) >= l.perOwner {
		l.makeRoom(own, now)
	}
	e := &entry{Task: t, owner: by, expires: now.Add(bounded(life))}
	l.tasks[k], own[k] = e, e
	l.owned[by] = own
	return nil
}

// makeRoom forgets what has expired, or else what would first.
func (l *Ledger) makeRoom(own map[key]*entry, now time.Time) {
	var first key
	var least *entry
	for k, e := range own {
		if !now.Before(e.expires) {
			l.forget(k, e)
		} else if least == nil || e.expires.Before(least.expires) {
			first, least = k, e
		}
	}
	if least != nil && len(own) >= l.perOwner {
		l.forget(first, least)
	}
}

func (l *Ledger) forget(k key, e *entry) {
	delete(l.tasks, k)
	delete(l.owned[e.owner], k)
	if len(l.owned[e.owner]) == 0 {
		delete(l.owned, e.owner)
	}
}

// Find returns a task to its owner. Somebody else's, an expired and an unheard-of
// one are the same.
func (l *Ledger) Find(space, id string, by Owner) (Task, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.find(space, id, by)
	if e == nil {
		return Task{}, false
	}
	return e.Task, true
}

func (l *Ledger) find(space, id string, by Owner) *entry {
	k := key{space, id}
	e := l.tasks[k]
	switch {
	case e == nil || e.owner != by:
		return nil
	case !l.now().Before(e.expires):
		l.forget(k, e)
		return nil
	}
	return e
}

// Renew says how long a task lives from now on.
func (l *Ledger) Renew(space, id string, by Owner, life time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.find(space, id, by); e != nil {
		e.expires = l.now().Add(bounded(life))
	}
}

func bounded(life time.Duration) time.Duration {
	if life < 0 || life > MaxLife {
		return MaxLife
	}
	return life
}
