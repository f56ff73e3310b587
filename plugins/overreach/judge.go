package overreach

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// judge finds the signs of the sentence of the first n words.
func (r *reader) judge(s *Sentence, text string, n int) {
	words := r.words[:n]
	for i := 1; i < n; i++ { // this tool is the entry itself
		if words[i].class&toolword != 0 && strings.EqualFold(text[words[i-1].start:words[i-1].end], "this") {
			words[i].class = words[i].class&^toolword | itself
			words[i].word = 0
		}
	}
	for i := range patterns {
		p := &patterns[i]
		if !s.Signs.Has(p.sign) && p.in(words) {
			s.Signs |= 1 << p.sign
		}
	}
	supported := 0
	for i := range words {
		w := &words[i]
		low := strings.ToLower(text[w.start:w.end])
		switch {
		case address(low):
			s.Signs |= 1 << Address
		case praises[low], most[low] && i > 0 && strings.EqualFold(text[words[i-1].start:words[i-1].end], "most"):
			s.Praises++
		case supports[low]:
			supported++
		}
	}
	s.Supports = supported
	if s.Praises > 0 {
		s.Signs |= 1 << Praise
	}
	if secretFiles.In(text[max(0, s.Start-4):s.End]) && !negated(words[:min(n, 2)]) {
		s.Signs |= 1 << SecretFile
	}
}

// secretFiles are where keys and passwords are kept.
var secretFiles = literal.New(".ssh/", "id_rsa", "id_ed25519", "/etc/passwd", "/etc/shadow", ".aws/credentials", ".netrc", ".npmrc", ".pypirc", ".kube/config", "mcp.json",
	".docker/config.json", ".gnupg", "wallet.dat", ".git-credentials", "credentials.json", ".bash_history", "claude_desktop_config", ".config/gcloud", ".bashrc", ".env file", "the .env", "`.env`", "'.env'", "/.env")

// address reports a mail address that is not plainly an example.
func address(word string) bool {
	_, host, found := strings.Cut(word, "@")
	if !found || strings.Contains(word, "/") || exemplary(word) {
		return false
	}
	domain := host[strings.LastIndexByte(host, '.')+1:]
	return len(domain) >= 2 && len(domain) < len(host)-1 && strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz") == ""
}

// exemplary reports an address that stands for any.
func exemplary(word string) bool {
	for _, part := range [...]string{"example", "localhost", "127.0.0.1", "0.0.0.0", "your", "<", "domain.com"} {
		if strings.Contains(word, part) {
			return true
		}
	}
	return false
}
