package main

import "strings"

// accepts judges a value by what it is made of and by how clearly it was
// announced: the less the words say, the more random it has to look.
func (a *announcement) accepts(value string) bool {
	n := len(value)
	if n < 6 || n > maxValue || variable(value) || placeholder(value) || weakPassword(value) {
		return false
	}
	if a.provider != nil && a.provider.issues(value) && variety(value) {
		return a.stems > 0 || !uuid(value) || a.direct
	}
	if a.stems == 0 || pathLike(value) || mailAddress(value) || publicKey(value) || a.named || charset(value) && a.provider == nil {
		return false
	}
	s := shapeOf(value)
	letters := s.lower + s.upper
	if uuid(value) {
		return s.digit > 0 && entropy(value) >= 3 && (a.strong || a.provider != nil || a.direct && (a.upper || a.compound))
	}
	e := entropy(value)
	clear := a.strong || a.stems > 1 || a.upper || a.provider != nil
	switch {
	case n >= 16 && s.digit >= 2 && letters >= 2 && s.other*5 <= n && e >= 3 &&
		// Random text of letters and digits turns from one to the other often;
		// identifiers and versions do not, unless they are hexadecimal.
		(clear && (a.direct || n >= 20) && (s.turns*6 >= n || hexOnly(value) || n >= 28) || n >= 20 && s.turns*4 >= n || n >= 32):
		return true
	case n >= 20 && s.digit == 0 && s.other == 0 && s.lower > 0 && s.upper > 0 && s.turns*3 >= n && !wordy(value):
		return true
	case n >= 32 && s.digit == 0 && s.other == 0 && clear && e >= 3.5 && !wordy(value):
		return true
	case n >= 24 && s.digit >= 1 && e >= 3.8 && clear && s.other*4 <= n:
		return true
	case a.password && a.direct && password(value, s, a.quoted):
		return true
	case !a.direct && a.provider == nil || !clear:
		return false
	}
	// Named provider or assigned to a word that means a secret.
	sure := a.provider != nil
	switch {
	case s.other*4 > n || e < 2.5 || wordy(value) && s.digit*3 < n:
		return false
	case letters > 0 && s.digit > 0:
		return n >= 16 && s.digit >= 2 || n >= 12 && s.turns >= 3 && s.digit >= 3 || sure && n >= 10 && s.digit >= 2
	case letters == 0: // digits alone: no time, no telephone number
		return s.other == 0 && (n >= 20 || sure && n >= 16)
	}
	return s.other == 0 && (n >= 20 || sure && n >= 16) && !wordy(value)
}

// password judges a value that a password is assigned.
func password(value string, s shape, quoted bool) bool {
	n, letters := len(value), s.lower+s.upper
	switch {
	case n > 64 || letters < 2:
		return false
	case s.digit > 0 && (s.other > 0 || s.turns >= 3):
		return n >= 8 && entropy(value) >= 2.5
	case s.digit > 0: // hunter22
		return quoted && n >= 8 && entropy(value) >= 2.5
	case strings.ContainsAny(value, "!@#$%^&*"):
		return n >= 8 && (s.upper > 0 || quoted)
	}
	return quoted && n >= 8 && s.lower > 0 && s.upper > 0 && s.other == 0 && !wordy(value)
}

// mailAddress reports somebody@host.tld.
func mailAddress(value string) bool {
	_, host, found := strings.Cut(value, "@")
	dot := strings.LastIndexByte(host, '.')
	s := shapeOf(host[dot+1:])
	return found && dot > 1 && s.lower > 1 && s.lower == len(host)-dot-1
}

// publicKey reports the beginning of a SubjectPublicKeyInfo (RFC 5280) in base64.
func publicKey(value string) bool {
	for _, begin := range [...]string{"MFkwEwYHKoZI", "MHYwEAYHKoZI", "MCowBQYDK2Vw", "MIIBIjANBgkqhkiG", "MIICIjANBgkqhkiG", "MIGfMA0GCSqGSIb3"} {
		if strings.HasPrefix(value, begin) {
			return true
		}
	}
	return false
}

// charset reports the characters that something may be made of.
func charset(value string) bool {
	return strings.Contains(value, numerals) && strings.Contains(strings.ToLower(value), lowers)
}

func uuid(value string) bool {
	if len(value) != 36 {
		return false
	}
	for i := range len(value) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (value[i] == '-') || !dash && !hexAny.has(value[i]) {
			return false
		}
	}
	return true
}

func hexOnly(value string) bool {
	for i := range len(value) {
		if !hexAny.has(value[i]) && value[i] != '-' {
			return false
		}
	}
	return true
}

// pathLike reports names of code, files and hosts: dotted or slashed words.
func pathLike(value string) bool {
	if strings.Contains(value, "://") || strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "www.") {
		return true
	}
	words, parts, start := 0, 0, 0
	if slash := strings.IndexByte(value, '/'); slash > 4 { // actions/checkout@…
		if s := shapeOf(value[:slash]); s.lower == slash && wordy(value[:slash]) {
			return true
		}
	}
	if dot := strings.LastIndexByte(value, '.'); dot > 0 { // X25519.KeyPair
		if s := shapeOf(value[dot+1:]); s.digit+s.other == 0 && s.lower > 4 && wordy(value[dot+1:]) {
			return true
		}
	}
	for i := 0; i <= len(value); i++ {
		if i < len(value) && strings.IndexByte("./_-+", value[i]) < 0 {
			continue
		}
		if i > start {
			parts++
			if s := shapeOf(value[start:i]); s.digit == 0 && s.turns <= 3 || i-start <= 3 {
				words++
			}
		}
		start = i + 1
	}
	return parts >= 2 && words*4 >= parts*3
}
