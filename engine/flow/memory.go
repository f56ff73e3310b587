package flow

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kinds of marks that mean something to this package. Others are the scanners'.
const (
	// Instruction is one that a server gave to the model. A call of the very tool
	// that it came from may obey it, so that such marks are found there, too; so
	// is every kind that begins with this one.
	Instruction = "instruction"
)

// Owner is whose messages are remembered together. Nothing passes between two.
type Owner struct{ Tenant, Principal string }

// Origin is where a span came from, or where a message goes.
type Origin struct{ Server, Entry string }

// Mark is a span that a scanner marked.
type Mark struct {
	Kind   string
	Origin Origin
	Text   string
}

// Hit is a marked span that occurs in a text: at text[Start:End], on boundaries
// of characters.
type Hit struct {
	Kind       string
	Origin     Origin
	Age        time.Duration
	Start, End int
}

// Config bounds a memory. A zero field takes the default.
type Config struct {
	Life     time.Duration // of a mark; 30 minutes
	PerOwner int           // tags of one owner; 8192, of 8 bytes and about 40 with what finds them
	Total    int           // tags of all owners; 262144
	Owners   int           // that anything is remembered of; 4096
}

func (c Config) withDefaults() Config {
	if c.Life <= 0 {
		c.Life = 30 * time.Minute
	}
	for _, field := range []struct {
		value    *int
		standard int
	}{{&c.PerOwner, 8192}, {&c.Total, 1 << 18}, {&c.Owners, 4096}} {
		if *field.value <= 0 {
			*field.value = field.standard
		}
	}
	return c
}

// Memory holds the marks of all owners. It is safe for concurrent use.
type Memory struct {
	cfg     Config
	readers sync.Pool
	used    atomic.Int64 // tags

	mu    sync.RWMutex
	books map[Owner]*book
}

// New makes an empty memory with keys of its own.
func New(cfg Config) *Memory {
	h := newHasher()
	return &Memory{
		cfg: cfg.withDefaults(), books: map[Owner]*book{},
		readers: sync.Pool{New: func() any { return &reader{hasher: h} }},
	}
}

func (m *Memory) borrow() *reader { return m.readers.Get().(*reader) }

// giveBack keeps the buffers of a reader and nothing that it has read.
func (m *Memory) giveBack(r *reader) {
	r.wipe()
	m.readers.Put(r)
}

// Scope is the part of a memory that is an owner's. The zero Scope remembers
// nothing.
type Scope struct {
	memory *Memory
	owner  Owner
	known  []string
	said   []string
}

// Of returns the scope of an owner.
func (m *Memory) Of(o Owner) Scope { return Scope{memory: m, owner: o} }

// Knowing is the scope where these texts came from the owner himself, before
// what is to be remembered: no part of a mark that is in them is.
func (s Scope) Knowing(texts ...string) Scope {
	s.known = texts
	return s
}

// Hearing is the scope where the owner said this himself, in his own words,
// before what is to be remembered. No part of a mark that is in it is, and no
// Order where it asks that what a document says be done.
func (s Scope) Hearing(said ...string) Scope {
	s.said = said
	return s
}

// Quiet reports that nothing is remembered of the owner that has not had its
// time. It allocates nothing.
func (s Scope) Quiet(now time.Time) bool {
	b := s.book()
	return b == nil || b.until.Load() <= now.UnixNano()
}

func (s Scope) book() *book {
	if s.memory == nil {
		return nil
	}
	s.memory.mu.RLock()
	defer s.memory.mu.RUnlock()
	return s.memory.books[s.owner]
}

// Remember adds marks. What is over the bounds makes room as Config says: the
// owner who holds most gives way to others, and of an owner's marks those of the
// server that holds most, the oldest first.
func (s Scope) Remember(now time.Time, marks ...Mark) {
	if s.memory == nil || len(marks) == 0 {
		return
	}
	m := s.memory
	r := m.borrow()
	defer m.giveBack(r)
	made := make([]*mark, 0, len(marks))
	trusting := delegates(s.said)
	known := slices.Concat(s.known, s.said)
	for i := range marks {
		if trusting && marks[i].Kind == Order {
			continue
		}
		if k := r.mark(&marks[i], known); k != nil {
			k.seen, k.until = now, now.Add(m.cfg.Life)
			made = append(made, k)
		}
	}
	if len(made) == 0 {
		return
	}
	for {
		b := m.open(s.owner, now)
		if change, ok := b.add(now, made, m.cfg.PerOwner); ok {
			m.used.Add(int64(change))
			break
		}
	}
	if m.used.Load() > int64(m.cfg.Total) {
		m.makeRoom(now)
	}
}

// Disown forgets those parts of the marks that occur in a text which the owner
// wrote himself: what he names is no longer somebody else's wish.
func (s Scope) Disown(now time.Time, text string) {
	b := s.book()
	if b == nil || b.until.Load() <= now.UnixNano() {
		return
	}
	r := s.memory.borrow()
	defer s.memory.giveBack(r)
	s.memory.used.Add(int64(b.disown(r, text)))
}

// maxHits bounds what is found in one text.
const maxHits = 64

// Find appends the marks that occur in a text on its way to a tool, in order of
// the marks; those that came from there are passed over, but for instructions.
func (s Scope) Find(dst []Hit, now time.Time, to Origin, text string) []Hit {
	b := s.book()
	if b == nil || b.until.Load() <= now.UnixNano() {
		return dst
	}
	r := s.memory.borrow()
	defer s.memory.giveBack(r)
	return b.find(dst, r, now, to, text)
}

// Forget drops what is remembered of an owner.
func (m *Memory) Forget(o Owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.books[o]; b != nil {
		m.close(o, b)
	}
}

// ForgetServer drops what came from servers of a tenant that gone reports.
func (m *Memory) ForgetServer(tenant string, gone func(server string) bool) {
	m.drop(func(o Owner, b *book) int {
		if o.Tenant != tenant {
			return 0
		}
		return b.drop(func(k *mark) bool { return gone(k.origin.Server) })
	})
}

// Sweep frees what has had its time. Find passes over it whether swept or not.
func (m *Memory) Sweep(now time.Time) {
	m.drop(func(_ Owner, b *book) int { return b.drop(func(k *mark) bool { return !now.Before(k.until) }) })
}

func (m *Memory) drop(from func(Owner, *book) int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for o, b := range m.books {
		m.used.Add(int64(from(o, b)))
		if b.empty() {
			m.close(o, b)
		}
	}
}

// open returns the book of an owner, a new one where there is none. Where there
// are too many, the owner of whom longest nothing was remembered gives way, of
// the tenant that has most.
func (m *Memory) open(o Owner, now time.Time) *book {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.books[o]; b != nil {
		return b
	}
	if len(m.books) >= m.cfg.Owners {
		m.closeOne(now)
	}
	b := newBook()
	m.books[o] = b
	return b
}

func (m *Memory) closeOne(now time.Time) {
	owners, most := map[string]int{}, ""
	for o := range m.books {
		owners[o.Tenant]++
		if n := owners[o.Tenant]; n > owners[most] || n == owners[most] && o.Tenant < most {
			most = o.Tenant
		}
	}
	var first Owner
	var oldest *book
	for o, b := range m.books {
		over := b.until.Load() <= now.UnixNano()
		if over {
			m.close(o, b)
			return
		}
		if o.Tenant == most && (oldest == nil || b.until.Load() < oldest.until.Load()) {
			first, oldest = o, b
		}
	}
	if oldest != nil {
		m.close(first, oldest)
	}
}

// close takes a book out of use. The lock is held.
func (m *Memory) close(o Owner, b *book) {
	m.used.Add(int64(b.close()))
	delete(m.books, o)
}

// makeRoom has the owners with most tags give way until there is room for an
// eighth more.
func (m *Memory) makeRoom(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for o, b := range m.books {
		m.used.Add(int64(b.drop(func(k *mark) bool { return !now.Before(k.until) })))
		if b.empty() {
			m.close(o, b)
		}
	}
	want := int64(m.cfg.Total) * 7 / 8
	for m.used.Load() > want {
		var largest *book
		held := 0
		for _, b := range m.books {
			if n := b.held(); n > held {
				largest, held = b, n
			}
		}
		if largest == nil {
			return
		}
		m.used.Add(int64(largest.shrink(held * 3 / 4)))
	}
}

// maxName bounds the names that are kept beside the tags.
const maxName = 256

func short(name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return strings.Clone(name) // not the message that it was cut from
}
