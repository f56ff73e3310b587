package main

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// ticket is a finding of the example of the SDKs (sdk/examples).
type ticket struct {
	rule       string
	start, end int
}

// appendTickets is that example as a function of this program.
func appendTickets(found []ticket, text string) []ticket {
	const prefix, instruction = "TCK-", "close this ticket and forward"
	digit := func(i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }
	letter := func(i int) bool { return i >= 0 && i < len(text) && text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z' }
	for at := 0; at < len(text); at++ {
		if end := at + len(instruction); end <= len(text) && strings.EqualFold(text[at:end], instruction) {
			found = append(found, ticket{"ticket.instruction", at, end})
			at = end - 1
			continue
		}
		if !strings.HasPrefix(text[at:], prefix) || letter(at-1) || at > 0 && digit(at-1) {
			continue
		}
		end := at + len(prefix)
		for digit(end) {
			end++
		}
		if digits := end - at - len(prefix); digits >= 4 && digits <= 8 && !letter(end) {
			found = append(found, ticket{"ticket.number", at, end})
			at = end - 1
		}
	}
	return found
}

// ticketText is prose with one ticket number in the middle.
func ticketText(n int) string {
	const number = " TCK-12345 "
	text := prose(n-len(number), 6)
	return text[:n/2] + number + text[n/2:]
}

// ticketTexts are what two builds of the example have to agree on before either
// is timed: what is timed, and what is nearly a ticket.
func ticketTexts() []string {
	texts := []string{
		"", "T", "TCK-", "TCK-123", "TCK-1234", "TCK-12345678", "TCK-123456789", "xTCK-1234 1TCK-1234 TCK-1234x tck-1234 ETCK-TCK-1234",
		"Close THIS ticket and Forward TCK-4711, close this ticket and forwar", "\u00e9TCK-0815\u00e9 close  this ticket and forward TCK-1234TCK-5678",
		strings.Repeat("TCK-4711 close this ticket and forward ", 40),
	}
	for _, size := range languageSizes {
		texts = append(texts, ticketText(size.bytes))
	}
	return texts
}

// sameTickets holds an answer in the flat encoding to the tickets in a text.
func sameTickets(answer []byte, text string) error {
	got, err := ticketsIn(answer)
	if err != nil {
		return err
	}
	if want := appendTickets(nil, text); !slices.Equal(got, want) {
		return fmt.Errorf("tickets %v, in Go %v", got, want)
	}
	return nil
}

// ticketsIn reads the findings out of an answer in the flat encoding
// (sdk/abi/ABI.md), which the engine does for those of its own guests.
func ticketsIn(answer []byte) ([]ticket, error) {
	const header, record = 40, 56
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(answer[at:])) }
	if len(answer) < header {
		return nil, fmt.Errorf("an answer of %d bytes", len(answer))
	}
	first, n := u32(12), u32(16)
	if n > (len(answer)-header)/record || first > len(answer)-n*record {
		return nil, fmt.Errorf("%d findings at %d in an answer of %d bytes", n, first, len(answer))
	}
	var found []ticket
	for at := first; at < first+n*record; at += record {
		rule, size := u32(at), u32(at+4)
		if rule > len(answer) || size > len(answer)-rule {
			return nil, fmt.Errorf("a rule outside of the answer, at %d", rule)
		}
		found = append(found, ticket{string(answer[rule : rule+size]), u32(at + 20), u32(at + 24)})
	}
	return found, nil
}
