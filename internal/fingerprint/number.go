package fingerprint

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNumber bounds a number in characters, as a token and in canonical form.
const maxNumber = 400

// canonicalNumber writes a valid number token as RFC 8785 does if that text has
// the token's exact value, else as the token's exact plain decimal.
func canonicalNumber(token string) (string, error) {
	if len(token) > maxNumber {
		return "", fmt.Errorf("%w: more than %d characters", ErrNumberTooLong, maxNumber)
	}
	exact, ok := parseDecimal(token)
	if exact == (decimal{}) && ok {
		return "0", nil // minus zero too, as ECMAScript writes it
	}
	if f, err := strconv.ParseFloat(token, 64); err == nil {
		text := jsontext.Float(f).String() // ECMAScript Number::toString, as RFC 8785 §3.2.2.3 wants
		if written, _ := parseDecimal(text); ok && written == exact {
			return text, nil
		}
	}
	if !ok || exact.plainLen() > maxNumber {
		return "", fmt.Errorf("%w: its plain decimal has more than %d characters", ErrNumberTooLong, maxNumber)
	}
	return exact.plain(), nil
}

// decimal is ±digits × 10^exp with neither leading nor trailing zeros in
// digits; zero is the zero value. Equal numbers are equal structs.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// parseDecimal reads a valid JSON number; false when the exponent is beyond
// anything that maxNumber characters can write.
func parseDecimal(token string) (decimal, bool) {
	rest, negative := strings.CutPrefix(token, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(rest), "e")
	integer, fraction, _ := strings.Cut(mantissa, ".")
	significant := strings.TrimLeft(integer+fraction, "0")
	digits := strings.TrimRight(significant, "0")
	if digits == "" {
		return decimal{}, true
	}
	exp := 0
	if exponent != "" {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil || exp > 4*maxNumber || exp < -4*maxNumber {
			return decimal{}, false
		}
	}
	return decimal{negative, digits, exp - len(fraction) + len(significant) - len(digits)}, true
}

// plainLen is len(d.plain()), known before anything is allocated.
func (d decimal) plainLen() int {
	n := len(d.digits)
	switch point := n + d.exp; {
	case d.exp >= 0:
		n = point
	case point > 0:
		n++
	default:
		n = len("0.") - point + n
	}
	if d.negative {
		n++
	}
	return max(n, 1)
}

// plain writes d without exponent and without trailing fractional zeros.
func (d decimal) plain() string {
	if d.digits == "" {
		return "0"
	}
	sign := ""
	if d.negative {
		sign = "-"
	}
	switch point := len(d.digits) + d.exp; {
	case d.exp >= 0:
		return sign + d.digits + strings.Repeat("0", d.exp)
	case point > 0:
		return sign + d.digits[:point] + "." + d.digits[point:]
	default:
		return sign + "0." + strings.Repeat("0", -point) + d.digits
	}
}
