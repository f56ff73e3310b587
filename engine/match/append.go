package match

import "math"

// Append adds the occurrences of all patterns in text to hits, overlapping ones
// included, at most limit of them. The order is that in which a scan comes by
// them and is the same every time. complete is false when there are more. A
// text is at most 2 GiB long; of a longer one nothing is said.
func (a *Automaton) Append(hits []Hit, text string, limit int) (out []Hit, complete bool) {
	return a.append(hits, text, limit, nil)
}

// AppendOnly is Append for the patterns whose bit is set in wanted, which has
// one for every pattern, the first 64 in its first word.
func (a *Automaton) AppendOnly(hits []Hit, text string, limit int, wanted []uint64) (out []Hit, complete bool) {
	return a.append(hits, text, limit, wanted)
}

// append alternates between the filter and the automaton, which starts anew
// where the filter stops. The automaton is left as soon as what it has in hand
// is shorter than what the filter sees, and the filter goes on at the first
// byte of that. So a byte is read a bounded number of times, and what ends at
// or before read was reported.
func (a *Automaton) append(hits []Hit, text string, limit int, wanted []uint64) ([]Hit, bool) {
	if len(text) > math.MaxInt32 {
		return hits, false
	}
	limit += len(hits)
	read := 0
	for i := 0; ; {
		if a.paired {
			i = a.filter.nextPaired(text, i)
		} else {
			i = a.filter.next(text, i)
		}
		state, p := uint32(0), i
		for p < len(text) {
			target := a.step(state, a.column[text[p]])
			state = target & stateMask
			p++
			if target&accepts != 0 && p > read {
				var complete bool
				if hits, complete = a.report(hits, text, p, state, limit, wanted); !complete {
					return hits, false
				}
			}
			if target&deep == 0 && p-i >= gramBytes {
				break
			}
		}
		read = max(read, p)
		if p == len(text) {
			return hits, true
		}
		i = p - int(a.depth[state])
	}
}

// report adds the patterns whose anchors end with text[:end].
func (a *Automaton) report(hits []Hit, text string, end int, state uint32, limit int, wanted []uint64) ([]Hit, bool) {
	for _, id := range a.endings[a.ending[state].from:a.ending[state].to] {
		if wanted != nil && wanted[id>>6]>>(id&63)&1 == 0 {
			continue
		}
		k := &a.known[id]
		to := end + int(k.tail)
		from := to - int(k.bytes)
		if from < 0 || to > len(text) || !k.whole && !a.equal(k, text[from:to]) {
			continue
		}
		if len(hits) >= limit {
			return hits, false
		}
		hits = append(hits, Hit{id, int32(from), int32(to)})
	}
	return hits, true
}

func (a *Automaton) equal(k *known, text string) bool {
	places := a.places[k.places:][:len(text)]
	for i := range len(text) {
		if !a.sets[places[i]].has(text[i]) {
			return false
		}
	}
	return true
}
