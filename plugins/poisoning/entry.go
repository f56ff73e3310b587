package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// entry is what the texts of one entry say together.
type entry struct {
	own       map[string]bool // its name and its parameters, in lower case
	described map[string]bool // pointers of parameters that are described
	about     subject
	personal  bool // it deals in conversations, models, credentials: what others have no use for
}

// entries gathers them by item.
func entries(in *scanner.Input) map[int]*entry {
	all := make(map[int]*entry)
	for i := range in.Segments {
		s := &in.Segments[i]
		e := all[s.Item]
		if e == nil {
			e = &entry{own: map[string]bool{}, described: map[string]bool{}}
			all[s.Item] = e
		}
		if s.Provenance != "" {
			continue
		}
		if s.Kind != "uri" && s.Kind != "mime" {
			e.about.add(s.Text)
		}
		switch s.Kind {
		case "name":
			e.own[lower(s.Text)] = true
			e.personal = e.personal || personal(s.Text)
		case "parameter":
			e.own[lower(s.Text)] = true
		case "description", "title":
			e.personal = e.personal || personal(s.Text)
		case "schema-description":
			if p, ok := strings.CutSuffix(s.Pointer, "/description"); ok {
				e.described[p] = true
			}
		}
	}
	return all
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
