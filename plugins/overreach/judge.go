package overreach

import (
	"bytes"
	"math/bits"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// judge finds the signs of the sentence of the first n words.
func (r *reader) judge(s *Sentence, text string, n int) {
	words := r.words[:n]
	for i := range words {
		w := &words[i]
		if i > 0 && w.class&toolword != 0 && words[i-1].class&this != 0 { // this tool is the entry itself
			w.class, w.word = w.class&^toolword|itself, 0
		}
		switch {
		case w.class&mail != 0:
			s.Signs |= 1 << Address
		case w.class&praising != 0, w.class&quality != 0 && i > 0 && words[i-1].class&most != 0:
			s.Praises++
		case w.class&supporting != 0:
			s.Supports++
		}
	}
	for i := range words {
		w := &words[i]
		for _, p := range starts.words[w.word] {
			r.try(s, &patterns[p], words, i)
		}
		for c := w.class; c != 0; c &= c - 1 {
			for _, p := range starts.classes[bits.TrailingZeros64(uint64(c))] {
				r.try(s, &patterns[p], words, i)
			}
		}
	}
	if s.Praises > 0 {
		s.Signs |= 1 << Praise
	}
	if secretFiles.In(text[max(0, s.Start-4):s.End]) && !negated(words[:min(n, 2)]) {
		s.Signs |= 1 << SecretFile
	}
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
