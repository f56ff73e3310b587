package overreach

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// judge finds the signs of the sentence of the first n words.
func (r *Reader) judge(s *Sentence, text string, n int) {
	sentence := r.words[:n]
	for i := range sentence {
		w := &sentence[i]
		if w.class&(toolword|mail|praising|quality|supporting) == 0 { // as most are
			continue
		}
		if i > 0 && w.class&toolword != 0 && sentence[i-1].class&this != 0 { // this tool is the entry itself
			w.class, w.word = w.class&^toolword|itself, 0
		}
		switch {
		case w.class&mail != 0:
			s.Signs |= 1 << Address
		case w.class&praising != 0, w.class&quality != 0 && i > 0 && sentence[i-1].class&most != 0:
			s.Praises++
		case w.class&supporting != 0:
			s.Supports++
		}
	}
	behind := need{classes: nothing}
	for i := n - 1; i >= 0; i-- {
		w := &sentence[i]
		w.after = behind
		if w.word == 0 && w.class == 0 {
			continue
		}
		s.try(starts.words[w.word], sentence, i)
		for c := w.class & starts.any; c != 0; c &= c - 1 {
			s.try(starts.classes[bits.TrailingZeros64(uint64(c))], sentence, i)
		}
		behind.classes |= w.class
		behind.words |= bit(w.word)
	}
	if bids(text, sentence) {
		s.Signs |= 1 << Bidding
	}
	if errand(text, sentence) {
		s.Signs |= 1 << Errand
	}
	if s.Praises > 0 {
		s.Signs |= 1 << Praise
	}
	if r.paths && secretFiles.In(text[max(0, s.Start-4):s.End]) && !negated(sentence[:min(n, 2)]) {
		s.Signs |= 1 << SecretFile
	}
}

// try looks for the patterns that the word at i may begin. Nearly all of them
// lack a word somewhere behind it, which is asked first.
func (s *Sentence) try(begun []start, words []token, i int) {
	after := &words[i].after
	for k := range begun {
		b := &begun[k]
		if b.second.in(after) && b.third.in(after) && s.Signs>>b.pattern.sign&1 == 0 && b.pattern.at(words, i) {
			s.Signs |= 1 << b.pattern.sign
		}
	}
}

// errand reports an order to do something for somebody in particular: one who
// says my, who has a mail address, or whose sum of money it is.
func errand(text string, words []token) bool {
	i := 0
	for i < len(words)-1 && words[i].class&lead != 0 && words[i].class&deed == 0 {
		i++
	}
	if words[i].class&deed == 0 || opensQuotation(text[:words[0].start]) {
		return false
	}
	if words[i].class&gather != 0 && !carries(words[i+1:]) { // as users ask for what an entry gives
		return false
	}
	for j := i + 1; j < len(words); j++ {
		if somebodys(text, words, j) {
			return !quoted(text, words[:j+1], i+1) && !excused(words)
		}
	}
	return false
}

// somebodys reports a word at j that says for whom an errand is.
func somebodys(text string, words []token, j int) bool {
	w := &words[j]
	if w.class&(myself|mail) != 0 {
		return true
	}
	if w.class&currency != 0 && j > 0 && number(text[words[j-1].start:words[j-1].end]) {
		return true
	}
	if w.plain {
		return false
	}
	before, word := text[:w.start], text[w.start:w.end]
	return w.start >= 2 && (before[w.start-1] == '$' || strings.HasSuffix(before, "€") || strings.HasSuffix(before, "£")) && number(word) || iban(word)
}

// quoted reports that a quotation, as of what a user may say, begins before one
// of the words from i on and is no part of a mail address before it.
func quoted(text string, words []token, i int) bool {
	from := words[0].start
	text = text[from:words[len(words)-1].start]
	if strings.Contains(text, " '") || strings.Contains(text, "e.g") || strings.Contains(text, ": ") {
		return true
	}
	at := strings.IndexAny(text, "\"`“‘(")
	if at < 0 {
		return false
	}
	mail := strings.IndexByte(text, '@')
	for _, w := range words[i:] {
		if end := int(w.start - from); at < end && (mail < 0 || end <= mail) {
			return true
		}
	}
	return false
}

// bids reports a sentence that opens with an order, unless the order is one that
// documentation gives for the use of an entry, or somebody is quoted.
func bids(text string, words []token) bool {
	i := 0
	for i < len(words)-1 && words[i].class&lead != 0 && words[i].class&deed == 0 {
		i++
	}
	return words[i].class&(deed|usual) == deed && !opensQuotation(text[:words[0].start])
}

// opensQuotation reports that what follows is quoted.
func opensQuotation(text string) bool {
	return text != "" && (strings.IndexByte("\"'`(", text[len(text)-1]) >= 0 || strings.HasSuffix(text, "“") || strings.HasSuffix(text, "‘"))
}

func carries(words []token) bool {
	for i := range words {
		if words[i].class&(carry|mail) != 0 {
			return true
		}
	}
	return false
}

// excused reports a sentence about whom to turn to, or what an address looks like.
func excused(words []token) bool {
	for i := range words {
		if words[i].class&specimen != 0 {
			return true
		}
	}
	return false
}

func number(s string) bool {
	return len(s) > 0 && strings.Trim(s, "0123456789,.") == "" && strings.ContainsAny(s, "123456789")
}

// iban reports what looks like the number of a bank account.
func iban(s string) bool {
	return len(s) >= 14 && len(s) <= 34 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z' && strings.Trim(s[2:], "0123456789") == ""
}

// secretFiles are where keys and passwords are kept.
var secretFiles = literal.New(".ssh/", "id_rsa", "id_ed25519", "/etc/passwd", "/etc/shadow", ".aws/credentials", ".netrc", ".npmrc", ".pypirc", ".kube/config", "mcp.json",
	".docker/config.json", ".gnupg", "wallet.dat", ".git-credentials", "credentials.json", ".bash_history", "claude_desktop_config", ".config/gcloud", ".bashrc", ".env file", "the .env", "`.env`", "'.env'", "/.env")

// web reports an address of the web that is not plainly an example.
func web(word []byte) bool {
	scheme, _, found := bytes.Cut(word, []byte("://"))
	return found && len(scheme) <= len("https") && !exemplary(word)
}

// address reports a mail address that is not plainly an example.
func address(word []byte) bool {
	_, host, found := bytes.Cut(word, []byte("@"))
	if !found || bytes.IndexByte(word, '/') >= 0 || exemplary(word) {
		return false
	}
	domain := host[bytes.LastIndexByte(host, '.')+1:]
	return len(domain) >= 2 && len(domain) < len(host)-1 && len(bytes.Trim(domain, "abcdefghijklmnopqrstuvwxyz")) == 0
}

// exemplary reports an address that stands for any.
func exemplary(word []byte) bool {
	for _, part := range [...]string{"example", "localhost", "127.0.0.1", "0.0.0.0", "your", "domain.com"} {
		if bytes.Contains(word, []byte(part)) {
			return true
		}
	}
	return false
}
