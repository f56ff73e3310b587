package normalise

import "strings"

// markdown returns what a renderer of Markdown does not show: the titles of
// links and images, with those of link reference definitions, which also serve
// as comments, [//]: # (so), and the targets that are made of words.
func markdown(s string) string {
	var found []string
	open := [256]bool{'"': true, '\'': true, '(': true} // quotation marks that may still close
	line, label, lines := 0, 0, 0                       // where the line begins, where its first label ends, what has been read for that
	for at := 0; ; {
		next := strings.IndexByte(s[at:], ']')
		if next < 0 {
			return strings.Join(found, "\n")
		}
		at += next + 1
		if broken := strings.LastIndexByte(s[lines:at], '\n'); broken >= 0 || lines == 0 {
			line = lines + broken + 1
			label = line + strings.IndexByte(s[line:at], ']') + 1
		}
		lines = at
		if at == len(s) {
			continue
		}
		definition := at == label && s[at] == ':' && strings.HasPrefix(strings.TrimLeft(s[line:at], " "), "[")
		if s[at] != '(' && !definition {
			continue
		}
		start := skipSpace(s, at+1)
		end := targetEnd(s, start)
		if target := strings.Trim(s[start:end], "<>"); ofWords(target) {
			found = append(found, strings.NewReplacer("+", " ", "%20", " ").Replace(target))
		}
		at = end
		mark := skipSpace(s, end)
		if mark == end || mark == len(s) || !open[s[mark]] {
			continue
		}
		closing := s[mark]
		if closing == '(' {
			closing = ')'
		}
		length := strings.IndexByte(s[mark+1:], closing)
		if length < 0 {
			open[s[mark]] = false
			continue
		}
		if title := strings.TrimSpace(s[mark+1 : mark+1+length]); len(title) >= minText {
			found = append(found, title)
		}
		at = mark + 1 + length
	}
}

// targetEnd returns where the target of a link ends. Brackets in one have to be
// escaped, so that no target is read twice.
func targetEnd(s string, start int) int {
	end := start
	if end < len(s) && s[end] == '<' {
		for end < len(s) && s[end] != '>' && s[end] != '\n' && s[end] != '[' && s[end] != ']' {
			end++
		}
		if end < len(s) && s[end] == '>' {
			end++
		}
		return end
	}
	for end < len(s) && s[end] > ' ' && s[end] != ')' && s[end] != '[' && s[end] != ']' {
		end++
	}
	return end
}

// skipSpace returns where white space that begins at i ends.
func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

// minTargetWords is how many spaces make the target of a link a sentence.
const minTargetWords = 2

func ofWords(target string) bool {
	return strings.Count(target, " ")+strings.Count(target, "+")+strings.Count(target, "%20") >= minTargetWords
}
