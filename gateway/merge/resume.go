package merge

import (
	"strconv"
	"strings"
)

// Resume is what an event id of a merged session leads back to: the stream of
// one answer, or the one stream that all servers share, where every server's
// place is kept so that none loses what it said to a client that was away.
type Resume struct {
	Answer bool // Places holds one place
	Places []Place
}

// Place is the last event of one server.
type Place struct {
	Alias   string
	Session int // which of the session's conversations with that server
	Event   string
}

// maxResume bounds the text of a Resume: sealed, it must fit into a header.
const maxResume = 6 << 10

// String writes what ParseResume reads. Places beyond maxResume are left out,
// never the first.
func (r Resume) String() string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: "answer", false: "stream"}[r.Answer])
	for i, p := range r.Places {
		one := " " + p.Alias + " " + strconv.Itoa(p.Session) + " " + strconv.Itoa(len(p.Event)) + " " + p.Event
		if i == 0 || b.Len()+len(one) <= maxResume {
			b.WriteString(one)
		}
	}
	return b.String()
}

// ParseResume reads what String wrote and nothing else.
func ParseResume(text string) (r Resume, ok bool) {
	kind, rest, more := strings.Cut(text, " ")
	if r.Answer = kind == "answer"; !r.Answer && kind != "stream" {
		return Resume{}, false
	}
	for more {
		alias, after, ok := strings.Cut(rest, " ")
		session, after, ok2 := cutNumber(after)
		length, after, ok3 := cutNumber(after)
		if !ok || !ok2 || !ok3 || length > len(after) || alias == "" {
			return Resume{}, false
		}
		r.Places = append(r.Places, Place{alias, session, after[:length]})
		if rest, more = strings.CutPrefix(after[length:], " "); !more && rest != "" {
			return Resume{}, false
		}
	}
	return r, len(r.Places) == 1 || len(r.Places) > 1 && !r.Answer
}

// cutNumber reads a number in its one spelling, up to a space.
func cutNumber(text string) (n int, after string, ok bool) {
	number, after, ok := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	return n, after, ok && err == nil && n >= 0 && strconv.Itoa(n) == number
}
