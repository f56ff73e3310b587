package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// listing is a message with its entries.
type listing struct {
	*scanner.Input
	entries map[int]*entry
	next    []int32 // by segment: the next one of the same entry, 0 for none
	last    *entry  // the one asked for last: segments of an entry stand together
	item    int
	held    *scanner.Segment // whose words are
	words   []textmodel.Token
}

// entry is what the texts of one entry say together. What only some entries are
// asked for is found out then.
type entry struct {
	own         map[string]bool // its name and its parameters, in lower case
	described   map[string]bool // pointers of parameters that are described
	first, last int32           // segments
	about       *subject
	personal    answer
}

// answer is one that may not have been found out.
type answer uint8

const (
	unasked answer = iota
	no
	yes
)

// entriesOf gathers the entries by item.
func entriesOf(in *scanner.Input) *listing {
	l := &listing{Input: in, entries: make(map[int]*entry), next: make([]int32, len(in.Segments))}
	for i := range in.Segments {
		s := &in.Segments[i]
		e := l.entry(s.Item)
		if e == nil {
			e = &entry{own: map[string]bool{}, first: int32(i)}
			l.entries[s.Item] = e
			l.last, l.item = e, s.Item
		} else {
			l.next[e.last] = int32(i)
		}
		e.last = int32(i)
		if s.Provenance != "" {
			continue
		}
		switch s.Kind {
		case "name", "parameter":
			e.own[lower(s.Text)] = true
		case "schema-description":
			if p, ok := strings.CutSuffix(s.Pointer, "/description"); ok {
				if e.described == nil {
					e.described = map[string]bool{}
				}
				e.described[p] = true
			}
		}
	}
	return l
}

// entry returns that of an item, or nil.
func (l *listing) entry(item int) *entry {
	if l.last == nil || l.item != item {
		l.last, l.item = l.entries[item], item
	}
	return l.last
}

// texts calls yield with every text of an entry as sent, until it returns false.
func (l *listing) texts(e *entry, yield func(s *scanner.Segment) bool) {
	for i := e.first; ; i = l.next[i] {
		if s := &l.Segments[i]; s.Provenance == "" && !yield(s) || i == e.last {
			return
		}
	}
}

// deals reports an entry that deals in conversations, models, credentials: what
// others have no use for.
func (l *listing) deals(e *entry) bool {
	if e.personal == unasked {
		e.personal = no
		l.texts(e, func(s *scanner.Segment) bool {
			if (s.Kind == "name" || s.Kind == "description" || s.Kind == "title") && personal(s.Text) {
				e.personal = yes
			}
			return e.personal == no
		})
	}
	return e.personal == yes
}

// personal reports that a text speaks of what other entries have no use for.
func personal(text string) bool {
	found := false
	low := lower(text)
	subjects.Each(low, func(_, at int) bool {
		found = boundary(low, at)
		return !found
	})
	return found
}

var subjects = literal.NewFold("conversation", "chat", "message", "prompt", "llm", "language model", "agent", "assistant", "session", "memor", "thought", "think", "reasoning", "history",
	"credential", "password", "secret", "login", "sign in", "authenticat", "environment", "kube", "docker", "profile", "cookie", "completion", "telemetry", "analytics", "transcript", "ssh",
	"context", "model", "notes", "feedback", "location", "contacts", "clipboard", "tools")
