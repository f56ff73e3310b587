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

// stemAt returns the stem at text[i:], ignoring case, or nil. It must begin a word or a
// part of a compound: clientSecret, client_secret, hiveageKEY.
func stemAt(text string, i int) *stem {
	if len(text)-i < 3 {
		return nil
	}
	switch uint16(text[i]|0x20)<<8 | uint16(text[i+1]|0x20) {
	case 'p'<<8 | 'a', 'p'<<8 | 'w', 'p'<<8 | 'r', 's'<<8 | 'e', 'c'<<8 | 'r', 'c'<<8 | 'l', 'a'<<8 | 'p', 'a'<<8 | 'c', 'a'<<8 | 'u', 't'<<8 | 'o', 'k'<<8 | 'e', 'b'<<8 | 'e':
	default:
		return nil
	}
	for j := range stems {
		if s := &stems[j]; text[i]|0x20 == s.text[0] && fold(text[i:], s.text) {
			return s
		}
	}
	return nil
}

// announcement is what the words before a value say of it.
type announcement struct {
	provider *provider
	stems    int
	strong   bool // one of the stems is
	upper    bool // the first stem is a constant's name
	compound bool // it is a part of one, as in vendor_token
	password bool // it speaks of a password
	direct   bool // the value is assigned
	quoted   bool
	named    bool // it is a secret's name, number or age that is told, not the secret
}

// maxValue is the longest value that is looked at, in bytes.
const maxValue = 1024

// announcedReach is how far behind its announcement a value may begin.
const announcedReach = 48

// announced finds a value that the words before it announce as a secret, as in
// api_key = "…", SECRET_TOKEN: …, "the password is …", or as a provider's, as in
// cloudsmith: …. It returns where to go on.
func announced(text string, i int) (found *hit, next int) {
	var a announcement
	j := i
	if i == 0 || !alnum.has(text[i-1]) {
		if a.provider = providerAt(text, i); a.provider != nil {
			j += len(a.provider.name)
		}
	}
	if a.provider == nil {
		s := stemAt(text, i)
		if s == nil || exempt(text, i) {
			return nil, i + 1
		}
		a.add(s, text[i] < 'a')
		a.compound = i > 0 && (text[i-1] == '_' || alnum.has(text[i-1]))
		j += len(s.text)
	}
	after := j
	j, ok := a.read(text, i, j)
	if !ok {
		return nil, after
	}
	value, end := a.value(text, j)
	if cut(text, j+len(value)) || cut(text, end) || !a.accepts(value) {
		return nil, after
	}
	confidence := 0.55
	if a.strong && a.direct || a.provider != nil {
		confidence = 0.7
	}
	return &hit{rule: ruleAssigned, confidence: confidence, start: j, end: j + len(value), what: "secret"}, j + len(value)
}

func (a *announcement) add(s *stem, upper bool) {
	if a.stems == 0 {
		a.upper = upper
	}
	a.stems++
	a.strong = a.strong || s.strong
	a.password = a.password || s.text == "secret" || s.text == "pwd" || strings.HasPrefix(s.text, "pass")
}

// read goes on over the words between the first one and the value.
func (a *announcement) read(text string, begin, j int) (value int, ok bool) {
	separated, strange := false, 0
	for j < len(text) && j-begin <= announcedReach {
		switch c := text[j]; c {
		case '=', ':', '>':
			a.direct, separated, a.quoted = true, true, false
			j++
			continue
		case '"', '\'', '`':
			separated, a.quoted = true, true
			j++
			continue
		case ' ', '\t', '-', '_', '.', ',', '(', '\\', '|', '\n', '[', ']':
			if c == '\n' && text[j-1] == '\n' { // another paragraph
				return j, false
			}
			separated = true
			j++
			continue
		}
		if s := stemAt(text, j); s != nil {
			a.add(s, false)
			j += len(s.text)
			separated = false
			continue
		}
		if n := filler(text, j); n > 0 {
			a.named = a.named || a.provider == nil && fold(text[j:], "id")
			j += n
			a.direct = a.direct || text[j-1] == ':' || text[j-1] == '='
			continue
		}
		if p := providerAt(text, j); p != nil && (a.provider == nil || p == a.provider) && separated && len(text)-j > len(p.name) && !alnum.has(text[j+len(p.name)]) {
			a.provider = p
			j += len(p.name)
			continue
		}
		n := 0
		if !a.direct && strange < 2 {
			n = stranger(text, j)
		}
		if n == 0 || a.stems == 0 {
			break
		}
		a.named = describes(text[j:j+n]) || a.provider == nil && n == 2 && fold(text[j:], "id")
		strange++
		j += n
		separated = false
	}
	return j, separated && j < len(text) && (a.stems > 0 || strange == 0)
}

// value is what begins at text[j], up to the quotation mark that closes it or to
// a byte that no secret has.
func (a *announcement) value(text string, j int) (value string, end int) {
	end = j
	for end < len(text) && end-j <= maxValue && valueByte(text[end]) {
		end++
	}
	value = strings.TrimRight(text[j:end], ".,;:!?\\")
	if at := strings.IndexByte(value, '&'); at >= 16 && !a.quoted { // the next one of a URL's query
		value = value[:at]
	}
	return value, end
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

// stranger returns the length of a word that says nothing of a secret and may
// stand between an announcement and its value; 0 if there is none.
func stranger(text string, i int) int {
	if i > 0 && alnum.has(text[i-1]) && (text[i-1] < 'a') == (text[i] < 'a') {
		return 0 // the end of a word that begins like a stem: keywords
	}
	end := i
	for end < len(text) && end-i < 12 && text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' {
		end++
	}
	n := end - i
	if n == 0 || n > 11 || end == len(text) || n > 4 && !wordy(text[i:end]) {
		return 0
	}
	switch text[end] {
	case ' ', '=', ':', '"', '\'', '`', '\n':
	case '_', '-', '.': // not what a value may begin with
		if i == 0 || strings.IndexByte(" \"'`\n\t", text[i-1]) >= 0 {
			return 0
		}
	default:
		return 0
	}
	return n
}

// describing words make of "secret" the name of a thing that is told.
var describing = [...]string{"type", "name", "count", "length", "size", "limit", "expires", "expiry", "expiration", "path",
	"file", "url", "uri", "endpoint", "version", "arn", "index", "policy", "usage", "fingerprint", "ref", "label"}

func describes(word string) bool {
	for i := range describing {
		if len(word) == len(describing[i]) && fold(word, describing[i]) {
			return true
		}
	}
	return false
}

// exempting words before a stem make it none: a public key, a primary key, the
// token of a page.
var exempting = [...]string{"public", "publishable", "primary", "foreign", "sort", "partition", "cache", "idempotency", "idempotent",
	"csrf", "xsrf", "authenticity", "page", "pagination", "continuation", "sync", "object", "row", "s3", "hash", "shard", "routing", "context", "dedupe",
	"record", "item", "entity", "message", "event", "unique", "business", "request", "transaction", "correlation", "external", "node", "parent", "natural"}

func exempt(text string, i int) bool {
	for i > 0 && strings.IndexByte(" _-.", text[i-1]) >= 0 {
		i--
	}
	for j := range exempting {
		w := exempting[j]
		if i >= len(w) && fold(text[i-len(w):], w) && (i == len(w) || !alnum.has(text[i-len(w)-1]) || text[i-len(w)] < 'a') {
			return true
		}
	}
	return false
}

func valueByte(c byte) bool {
	return base64.has(c) || strings.IndexByte("-_.~!@#$%^&*?|", c) >= 0
}
