package main

import (
	"math/bits"
	"strings"
)

// entropy is the Shannon entropy of the bytes of s in bits per byte, to within
// the error of an interpolated logarithm (under 0.1).
func entropy(s string) float64 {
	if s == "" {
		return 0
	}
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 1 {
			sum += float64(n) * log2(n)
		}
	}
	return log2(len(s)) - sum/float64(len(s))
}

// log2 interpolates between powers of two; it spares the guest the math
// package's tables.
func log2(n int) float64 {
	whole := bits.Len(uint(n)) - 1
	return float64(whole) + float64(n-1<<whole)/float64(int(1)<<whole)
}

// shape counts what a run of bytes is made of.
type shape struct{ lower, upper, digit, other, turns int }

func shapeOf(s string) shape {
	var out shape
	last := -1
	for i := range len(s) {
		c, class := s[i], 3
		switch {
		case 'a' <= c && c <= 'z':
			out.lower++
			class = 0
		case 'A' <= c && c <= 'Z':
			out.upper++
			class = 1
		case '0' <= c && c <= '9':
			out.digit++
			class = 2
		default:
			out.other++
		}
		if last >= 0 && class != last {
			out.turns++
		}
		last = class
	}
	return out
}

// variety reports letters and digits together, as random text of any length has.
func variety(body string) bool {
	s := shapeOf(body)
	return s.digit > 0 && s.lower+s.upper > 0 && entropy(body) >= 3
}

// hints are what people write where a secret would stand.
var hints = [...]string{"example", "placeholder", "changeme", "your", "dummy", "redacted", "insert", "sample", "replace",
	"undefined", "xxxx", "****", "....", "0000000000", "aaaaaaaaaa", "foobar", "notreal", "masked", "hidden"}

// placeholder reports that a value stands for a secret instead of being one.
func placeholder(value string) bool {
	low := strings.ToLower(value)
	for i := range hints {
		if strings.Contains(low, hints[i]) {
			return true
		}
	}
	run := 1
	for i := 1; i < len(low); i++ {
		if low[i] != low[i-1] {
			run = 1
		} else if run++; run >= 7 {
			return true
		}
	}
	return false
}

// variable reports that a value names a secret that is elsewhere: $VAR, ${VAR},
// {{ .Values }}, <token>, %s, os.environ["X"].
func variable(value string) bool {
	if value == "" {
		return true
	}
	switch value[0] {
	case '$', '{', '<', '%', '[', '(', '@':
		return true
	}
	for _, mark := range [...]string{"${", "{{", "$(", "getenv", "environ", "process.env", "%(", "<", "()", "(["} {
		if strings.Contains(value, mark) {
			return true
		}
	}
	return false
}
