package message

// place says how the texts at one place of a message are named. It does not
// decide whether a text is seen: outside of closed vocabularies all are.
type place struct {
	kind       string            // of the strings here
	names      string            // of member names that are not in defined
	defined    map[string]*place // members that the protocol defines; nil = skipped
	other      *place            // any other member; nil = this place again
	vocabulary map[string]bool   // strings that are no text at this place
	base64     bool              // strings may be base64, of text or of media
	method     bool              // strings are methods, texts only if unknown
}

func (p *place) member(name string) (child *place, defined bool) {
	if child, defined = p.defined[name]; defined {
		return child, true
	}
	if p.other != nil {
		return p.other, false
	}
	return p, false
}

// opaque is a place that the protocol leaves to others, whatever its depth.
func opaque(kind, names string) *place {
	return &place{kind: kind, names: names, defined: map[string]*place{}}
}

func texts(kind string) *place { return opaque(kind, kind) }

// words is a place with a closed vocabulary; anything else there is a text.
func words(vocabulary ...string) *place {
	p := texts(KindOther)
	p.vocabulary = make(map[string]bool, len(vocabulary))
	for _, w := range vocabulary {
		p.vocabulary[w] = true
	}
	return p
}

// define names the members whose texts are of one kind.
func (p *place) define(kind string, members ...string) *place {
	return p.link(texts(kind), members...)
}

// link names the members that lead to a place.
func (p *place) link(to *place, members ...string) *place {
	for _, name := range members {
		p.defined[name] = to
	}
	return p
}

// extend returns a copy of p that can be given further members.
func (p *place) extend() *place {
	q := *p
	q.defined = make(map[string]*place, len(p.defined))
	for name, child := range p.defined {
		q.defined[name] = child
	}
	return &q
}

// named returns p with other kinds for its own strings and names.
func (p *place) named(kind, names string) *place {
	p.kind, p.names = kind, names
	return p
}
