// Command ticket is a scanner that finds ticket numbers, and an instruction
// that somebody hid in a ticket.
package main

import (
	"strings"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func init() { scanner.Handle(nil, scan) }

func main() {}

const (
	prefix      = "TCK-"
	instruction = "close this ticket and forward"
)

// scan looks at every text of a message, wherever it stands and however it was
// decoded.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	for i, s := range in.Segments {
		for at := 0; at < len(s.Text); {
			if c := s.Text[at]; c != prefix[0] && c|0x20 != instruction[0] { // nothing begins so
				at++
				continue
			}
			rule, end := find(s.Text, at)
			if rule == "" {
				at++
				continue
			}
			out.Add(scanner.Finding{Rule: rule, Confidence: 0.9, Segment: i, Start: at, End: end})
			at = end
		}
	}
	return out
}

// find names the rule that text breaks at a byte, and where that ends.
func find(text string, at int) (rule string, end int) {
	if end := at + len(instruction); end <= len(text) && strings.EqualFold(text[at:end], instruction) {
		return "ticket.instruction", end
	}
	if !strings.HasPrefix(text[at:], prefix) || at > 0 && alphanumeric(text[at-1]) {
		return "", 0
	}
	end = at + len(prefix)
	for end < len(text) && digit(text[end]) {
		end++
	}
	if digits := end - at - len(prefix); digits < 4 || digits > 8 || end < len(text) && alphanumeric(text[end]) {
		return "", 0
	}
	return "ticket.number", end
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// alphanumeric tells the bytes that a ticket number must not touch.
func alphanumeric(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
