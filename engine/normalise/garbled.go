package normalise

// garbled reports whether the size bytes that begin as run says are certainly
// no text. Words, paths and digests are runs too, and a few of their characters
// tell. It counts what Text cannot read whatever comes next: controls, and one
// or two bytes above 0x7f, between others, that are no character.
func garbled(run string, size int) bool {
	bad, allowed := 0, size*15/100
	var state uint8
	for ; len(run) >= 4; run = run[4:] {
		three := uint32(base64Value[run[0]])<<18 | uint32(base64Value[run[1]])<<12 |
			uint32(base64Value[run[2]])<<6 | uint32(base64Value[run[3]])
		for shift := 16; shift >= 0; shift -= 8 {
			step := garbledSteps[state][garbledKinds[three>>shift&0xff]]
			bad += int(step.bad)
			state = step.next
		}
		if bad > allowed {
			return true
		}
	}
	return false
}

// Kinds of bytes to garbled.
const (
	kindPlain = iota
	kindControl
	kindLead  // of a character of two bytes
	kindTrail // of a longer character
	kindOther // above 0x7f
	kinds
)

// States of garbled.
const (
	stateASCII = iota
	stateLead  // after one byte above 0x7f
	stateOther
	stateCharacter // after two
	stateNone
	stateLong // after more, which are not judged
	states
)

var garbledKinds = func() (kind [256]uint8) {
	for b := range kind {
		switch {
		case b >= 0xE0, b == 0xC0, b == 0xC1:
			kind[b] = kindOther
		case b >= 0xC2:
			kind[b] = kindLead
		case b >= 0x80:
			kind[b] = kindTrail
		case unreadable[b]:
			kind[b] = kindControl
		}
	}
	return kind
}()

var garbledSteps = func() (steps [states][kinds]struct{ next, bad uint8 }) {
	unfinished := [states]uint8{stateLead: 1, stateOther: 1, stateNone: 2}
	for state := range steps {
		step := &steps[state]
		step[kindPlain].bad = unfinished[state]
		step[kindControl].bad = unfinished[state] + 1
		for kind := kindLead; kind < kinds; kind++ {
			switch {
			case state == stateASCII && kind == kindLead:
				step[kind].next = stateLead
			case state == stateASCII:
				step[kind].next = stateOther
			case state == stateLead && kind == kindTrail:
				step[kind].next = stateCharacter
			case state == stateLead, state == stateOther:
				step[kind].next = stateNone
			default:
				step[kind].next = stateLong
			}
		}
	}
	return steps
}()
