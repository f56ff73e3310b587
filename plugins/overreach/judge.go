package overreach

import (
	"bytes"
	"math/bits"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// judge finds the signs of the sentence of the first n words.
func (r *reader) judge(s *Sentence, text string, n int) {
	sentence := r.words[:n]
	for i := range sentence {
		w := &sentence[i]
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
	for i := range sentence {
		w := &sentence[i]
		for _, p := range starts.words[w.word] { // none for a word without a number
			r.try(s, &patterns[p], sentence, i)
		}
		for c := w.class; c != 0; c &= c - 1 {
			for _, p := range starts.classes[bits.TrailingZeros64(uint64(c))] {
				r.try(s, &patterns[p], sentence, i)
			}
		}
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
	if secretFiles.In(text[max(0, s.Start-4):s.End]) && !negated(sentence[:min(n, 2)]) {
		s.Signs |= 1 << SecretFile
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
		w := &words[j]
		switch {
		case quoted(text[words[0].start:w.start]):
			return false
		case w.class&(myself|mail) != 0, w.class&currency != 0 && j > 0 && number(text[words[j-1].start:words[j-1].end]),
			w.start >= 2 && (text[w.start-1] == '$' || strings.HasSuffix(text[:w.start], "€") || strings.HasSuffix(text[:w.start], "£")) && number(text[w.start:w.end]),
			iban(text[w.start:w.end]):
			return !excused(words)
		}
	}
	return false
}

// quoted reports that a quotation, as of what a user may say, has begun.
func quoted(text string) bool {
	return strings.ContainsAny(text, "\"`“‘(") && !strings.Contains(text, "@") || strings.Contains(text, " '") || strings.Contains(text, "e.g") || strings.Contains(text, ": ")
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

// try looks for a pattern whose first element is the word at i.
func (r *reader) try(s *Sentence, p *pattern, words []token, i int) {
	if !s.Signs.Has(p.sign) && p.at(words, i) {
		s.Signs |= 1 << p.sign
	}
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
