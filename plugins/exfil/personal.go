package main

import "strings"

// personal finds card numbers, US social security numbers, IBANs, mail
// addresses and telephone numbers at text[i], where a word begins. whole means
// that the value is the entire argument, so that a field was made for it.
func personal(text string, i int, pointer string) *hit {
	c := text[i]
	switch {
	case '0' <= c && c <= '9':
		if !number(text, i) {
			return nil
		}
		if h := ssn(text, i); h != nil {
			return h
		}
		return card(text, i, pointer)
	case 'A' <= c && c <= 'Z':
		return iban(text, i)
	}
	return nil
}

// number reports that there may be enough digits at text[i] for any of them: a
// card number has at least twelve and the first four in one, a social security
// number a separator behind the third. It spares most dates and counts.
func number(text string, i int) bool {
	if len(text)-i < 11 {
		return false
	}
	if c := text[i+3]; c == '-' || c == ' ' {
		return true
	}
	for j := i + 1; j < i+11; j++ {
		if c := text[j]; !digits.has(c) && (j < i+4 || c != '-' && c != ' ') {
			return false
		}
	}
	return true
}

// card is a payment card number (ISO/IEC 7812): a known issuer range and
// length, Luhn's check digit, and either grouping or a word that speaks of cards.
func card(text string, i int, pointer string) *hit {
	var number [20]byte
	n, end, groups := 0, i, 0
	for j := i; j < len(text); j++ {
		c := text[j]
		if digits.has(c) {
			if n == 19 {
				return nil
			}
			number[n] = c - '0'
			n++
			end = j + 1
			continue
		}
		if (c == ' ' || c == '-') && n >= 4 && j+1 < len(text) && digits.has(text[j+1]) && text[j-1] != ' ' {
			groups++
			continue
		}
		break
	}
	if n < 12 || end < len(text) && (alnum.has(text[end]) || text[end] == '.' && end+1 < len(text) && digits.has(text[end+1])) || i > 0 && (text[i-1] == '.' || text[i-1] == '-' || text[i-1] == '/' || text[i-1] == '_') {
		return nil
	}
	brand := issuer(number[:n])
	if brand == 0 || !luhn(number[:n]) || groups > 4 {
		return nil
	}
	spoken := cardWord(text[max(0, i-60):i]) || cardWord(pointer) || cardWord(text[end:min(len(text), end+40)])
	grouped := groups >= 2 && groups <= 4
	h := &hit{rule: ruleCard, confidence: 0.9, start: i, end: end, what: "card number"}
	if !spoken && !(grouped && brand == 2) {
		h.severity, h.confidence = "low", 0.4
	}
	return h
}

func cardWord(text string) bool {
	low := strings.ToLower(text)
	for _, w := range [...]string{"card", "visa", "mastercard", "amex", "discover", "maestro", "payment", "pan", "cvv", "cvc", "credit", "debit", "diners", "jcb", "american express", "billing", "expir", "charge"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// issuer returns 2 for a number of a major network and its usual length, 1 for
// other ranges in use, 0 for none.
func issuer(d []byte) int {
	two := int(d[0])*10 + int(d[1])
	four := two*100 + int(d[2])*10 + int(d[3])
	switch n := len(d); {
	case d[0] == 4 && n == 16, two >= 51 && two <= 55 && n == 16, (two == 34 || two == 37) && n == 15,
		four >= 2221 && four <= 2720 && n == 16, four == 6011 && n == 16, two == 65 && n == 16, four >= 3528 && four <= 3589 && n == 16:
		return 2
	case d[0] == 4 && (n == 13 || n == 19), (two == 36 || two == 38 || two == 39 || four/10 >= 300 && four/10 <= 305) && n == 14,
		(four == 2131 || four == 1800) && n == 15, (two == 50 || two >= 56 && two <= 69) && n >= 12, two == 35 && n == 16:
		return 1
	}
	return 0
}

func luhn(d []byte) bool {
	sum, same := 0, true
	for i := range d {
		v := int(d[len(d)-1-i])
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
		same = same && d[i] == d[0]
	}
	return sum%10 == 0 && !same
}

// ssn is a US social security number: area, group and serial as the Social
// Security Administration assigns them, with separators.
func ssn(text string, i int) *hit {
	if len(text)-i < 11 || i > 0 && (alnum.has(text[i-1]) || text[i-1] == '-' || text[i-1] == '.') {
		return nil
	}
	sep := text[i+3]
	if sep != '-' && sep != ' ' || text[i+6] != sep {
		return nil
	}
	for j := range 11 {
		if j != 3 && j != 6 && !digits.has(text[i+j]) {
			return nil
		}
	}
	if end := i + 11; end < len(text) && (alnum.has(text[end]) || text[end] == '-') {
		return nil
	}
	area := text[i : i+3]
	if area == "000" || area == "666" || area[0] == '9' || text[i+4:i+6] == "00" || text[i+7:i+11] == "0000" || area == "123" && text[i+4:i+6] == "45" {
		return nil
	}
	h := &hit{rule: ruleSSN, confidence: 0.8, start: i, end: i + 11, what: "social security number"}
	if sep == ' ' && !strings.Contains(strings.ToLower(text[max(0, i-40):i]), "s") {
		return nil
	}
	return h
}

// iban is an international bank account number (ISO 13616): country, check
// digits, remainder 1 modulo 97.
func iban(text string, i int) *hit {
	if len(text)-i < 15 || !upperLetter(text[i+1]) || !digits.has(text[i+2]) || !digits.has(text[i+3]) || i > 0 && alnum.has(text[i-1]) {
		return nil
	}
	size := ibanLength(text[i : i+2])
	if size == 0 {
		return nil
	}
	var compact [34]byte
	n, end := 0, i
	for j := i; j < len(text) && n < size; j++ {
		if text[j] == ' ' && n%4 == 0 && n > 0 {
			continue
		}
		if !upperNum.has(text[j]) {
			return nil
		}
		compact[n] = text[j]
		n++
		end = j + 1
	}
	if n != size || end < len(text) && alnum.has(text[end]) {
		return nil
	}
	rest := 0
	for j := range n {
		c := compact[(j+4)%n]
		if digits.has(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	if rest != 1 {
		return nil
	}
	h := &hit{rule: ruleIBAN, confidence: 0.9, start: i, end: end, what: "IBAN"}
	if i == 0 && end == len(text) {
		// A field that holds an IBAN and nothing else was made for it: a payment
		// names its accounts. It is recorded, not flagged.
		h.severity = "low"
	}
	return h
}

func upperLetter(c byte) bool { return 'A' <= c && c <= 'Z' }

// ibanLength is the length that the SWIFT registry gives for a country.
func ibanLength(country string) int {
	switch country {
	case "NO":
		return 15
	case "BE":
		return 16
	case "DK", "FI", "FO", "GL", "NL":
		return 18
	case "MK", "SI":
		return 19
	case "AT", "BA", "EE", "KZ", "LT", "LU", "XK":
		return 20
	case "CH", "CR", "HR", "LI", "LV":
		return 21
	case "BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA":
		return 22
	case "AE", "GI", "IL", "IQ", "OM", "TL":
		return 23
	case "AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG":
		return 24
	case "AO", "PT", "ST":
		return 25
	case "IS", "TR":
		return 26
	case "FR", "GR", "IT", "MC", "MR", "SM":
		return 27
	case "AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV":
		return 28
	case "BR", "EG", "PS", "QA", "UA":
		return 29
	case "JO", "KW", "MU":
		return 30
	case "MT", "SC":
		return 31
	}
	return 0
}
