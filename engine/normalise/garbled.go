package normalise

// garbled reports whether the size bytes that begin as a run of base64 says are
// certainly no text. Words, paths and digests are runs too, and their first
// characters nearly always tell. It counts what Text would: controls, and bytes
// that make no character of UTF-8.
func garbled(run string, size int) bool {
	bad, allowed := 0, size*15/100
	var state uint8
	for len(run) >= 4 {
		four, used := [4]byte{base64Value[run[0]], base64Value[run[1]], base64Value[run[2]], base64Value[run[3]]}, 4
		if (four[0]|four[1]|four[2]|four[3])&base64Break != 0 {
			if four, used = overBreak(run); used == 0 {
				return false
			}
		}
		run = run[used:]
		three := uint32(four[0])<<18 | uint32(four[1])<<12 | uint32(four[2])<<6 | uint32(four[3])
		first := garbledSteps[(state|garbledKinds[three>>16&0xff])&63]
		second := garbledSteps[(first&^7|garbledKinds[three>>8&0xff])&63]
		third := garbledSteps[(second&^7|garbledKinds[three&0xff])&63]
		bad += int(first&7 + second&7 + third&7)
		if bad > allowed {
			return true
		}
		state = third &^ 7
	}
	return false
}

// overBreak returns the values of the next four characters that are no line
// breaks, and how much of the run they take, 0 where there are fewer.
func overBreak(run string) (four [4]byte, used int) {
	n := 0
	for i := range len(run) {
		if v := base64Value[run[i]]; v != base64Break {
			four[n] = v
			if n++; n == len(four) {
				return four, i + 1
			}
		}
	}
	return four, 0
}

// Kinds of bytes to garbled.
const (
	kindPlain = iota
	kindControl
	kindTrail // of a longer character
	kindLead2 // of a character of two bytes
	kindLead3
	kindLead4
	kindNever // in UTF-8
	kinds
)

var garbledKinds = func() (kind [256]uint8) {
	for b := range kind {
		switch {
		case b >= 0xF5, b == 0xC0, b == 0xC1:
			kind[b] = kindNever
		case b >= 0xF0:
			kind[b] = kindLead4
		case b >= 0xE0:
			kind[b] = kindLead3
		case b >= 0xC2:
			kind[b] = kindLead2
		case b >= 0x80:
			kind[b] = kindTrail
		case unreadable[b]:
			kind[b] = kindControl
		}
	}
	return kind
}()

// garbledSteps has, at a state times 8 plus the kind of the next byte, the
// next state times 8 plus how many bytes are known to be bad by then. A state
// is what has been seen of a character, and what is missing.
var garbledSteps = func() (steps [64]uint8) {
	states := []struct{ seen, missing uint8 }{{0, 0}, {1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}, {3, 1}}
	after := func(seen, missing uint8) (state uint8) {
		for i, s := range states {
			if s.seen == seen && s.missing == missing {
				return uint8(i)
			}
		}
		return 0 // a character is complete
	}
	for i, s := range states {
		for kind := range kinds {
			var next uint8
			bad := s.seen
			switch kind {
			case kindControl, kindNever:
				bad++
			case kindTrail:
				if s.missing > 0 {
					next, bad = after(s.seen+1, s.missing-1), 0
				} else {
					bad++
				}
			case kindLead2, kindLead3, kindLead4:
				next = after(1, uint8(kind-kindLead2+1))
			}
			steps[i*8+kind] = next*8 + bad
		}
	}
	return steps
}()
