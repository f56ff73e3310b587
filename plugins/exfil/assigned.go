package main

import "strings"

// stem is a word that announces a secret.
type stem struct {
	text   string
	strong bool // the word alone means a secret; a weak one needs more proof
}

// stems are tried at each letter that begins one; longer ones come first.
var stems = [...]stem{
	{"password", true}, {"passwd", true}, {"passphrase", true}, {"passwort", true}, {"pwd", true},
	{"secret", true}, {"credential", true}, {"apikey", true}, {"api_key", true}, {"api-key", true}, {"api key", true},
	{"accesskey", true}, {"access_key", true}, {"access-key", true}, {"auth_token", true}, {"authtoken", true},
	{"privatekey", true}, {"private_key", true}, {"private-key", true}, {"private", false},
	{"token", false}, {"access", false}, {"auth", false}, {"key", false}, {"bearer", true}, {"client_secret", true},
}

// stemAt returns the stem at text[i:], ignoring case. It must begin a word or a
// part of a compound: clientSecret, client_secret, hiveageKEY.
func stemAt(text string, i int) (stem, bool) {
	if len(text)-i < 3 {
		return stem{}, false
	}
	switch uint16(text[i]|0x20)<<8 | uint16(text[i+1]|0x20) {
	case 'p'<<8 | 'a', 'p'<<8 | 'w', 'p'<<8 | 'r', 's'<<8 | 'e', 'c'<<8 | 'r', 'c'<<8 | 'l', 'a'<<8 | 'p', 'a'<<8 | 'c', 'a'<<8 | 'u', 't'<<8 | 'o', 'k'<<8 | 'e', 'b'<<8 | 'e':
	default:
		return stem{}, false
	}
	for j := range stems {
		if s := &stems[j]; text[i]|0x20 == s.text[0] && fold(text[i:], s.text) {
			return *s, true
		}
	}
	return stem{}, false
}

// assignedReach is how far behind its announcement a value may begin.
const assignedReach = 40

// assigned finds a value that the words before it announce as a secret, as in
// api_key = "…", SECRET_TOKEN: …, "the password is …". It returns where to go on.
func assigned(text string, i int) (found hit, next int, ok bool) {
	s, is := stemAt(text, i)
	if !is || i >= 6 && strings.Contains(strings.ToLower(text[max(0, i-7):i]), "public") {
		return hit{}, i + 1, false
	}
	upper := text[i] < 'a'
	j, strong, direct, separated := i+len(s.text), s.strong, false, false
	weak := 1
	for j < len(text) && j-i <= assignedReach {
		c := text[j]
		switch {
		case c == '=' || c == ':' || c == '>':
			direct, separated = true, true
			j++
			continue
		case c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '-' || c == '_' || c == '.' || c == ',' || c == '`' || c == '(' || c == '\\' || c == '|' || c == '\n':
			separated = true
			j++
			continue
		}
		if next, is := stemAt(text, j); is {
			strong = strong || next.strong
			weak++
			j += len(next.text)
			separated = false
			continue
		}
		if n := filler(text, j); n > 0 {
			j += n
			continue
		}
		break
	}
	if j >= len(text) || !separated {
		return hit{}, i + len(s.text), false
	}
	end := j
	for end < len(text) && end-j <= 600 && valueByte(text[end]) {
		end++
	}
	value := strings.TrimRight(text[j:end], ".,;:!?\\")
	end = j + len(value)
	if !secretValue(value, strong || weak > 1 || upper, direct, s.text) {
		return hit{}, i + len(s.text), false
	}
	confidence := 0.55
	if strong && direct {
		confidence = 0.7
	}
	return hit{rule: ruleAssigned, confidence: confidence, start: j, end: end, what: "secret"}, end, true
}

var fillers = [...]string{"is ", "id=", "id:", "id ", "value", "s:", "s=", "s ", "was ", "to ", "for ", "string", "hash", "code", "header", "v1", "user", "basic "}

// filler returns the length of a word that may stand between an announcement
// and its value.
func filler(text string, i int) int {
	for j := range fillers {
		if w := fillers[j]; text[i]|0x20 == w[0] && fold(text[i:], w) {
			return len(fillers[j])
		}
	}
	return 0
}

func valueByte(c byte) bool {
	return base64.has(c) || strings.IndexByte("-_.~!@#$%^&*?|", c) >= 0
}

// secretValue judges a value by what it is made of and by how clearly it was
// announced.
func secretValue(value string, strong, direct bool, stem string) bool {
	n := len(value)
	if n < 8 || n > 500 || variable(value) || placeholder(value) || weakPassword(value) {
		return false
	}
	s := shapeOf(value)
	letters := s.lower + s.upper
	e := entropy(value)
	switch {
	case pathLike(value):
		return false
	case n >= 16 && s.digit >= 2 && letters >= 2 && s.other*5 <= n && e >= 3:
		// Random text of letters and digits turns from one to the other often;
		// identifiers and versions do not, unless they are hexadecimal.
		return strong && (direct || n >= 20) && (s.turns*6 >= n || hexOnly(value) || n >= 28) || n >= 20 && s.turns*4 >= n || n >= 32
	case n >= 20 && s.digit == 0 && s.other == 0 && s.lower > 0 && s.upper > 0 && s.turns*3 >= n:
		return true
	case n >= 32 && s.digit == 0 && s.other == 0 && strong && e >= 3.5:
		return true
	case n >= 24 && s.digit >= 1 && e >= 3.8 && strong && s.other*4 <= n:
		return true
	case direct && (strings.HasPrefix(stem, "passw") || stem == "pwd" || stem == "secret"):
		return n <= 64 && s.digit >= 1 && letters >= 2 && (s.other >= 1 || s.turns >= 3) && e >= 2.7
	}
	return false
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
	for i := 0; i <= len(value); i++ {
		if i < len(value) && strings.IndexByte("./_-", value[i]) < 0 {
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
