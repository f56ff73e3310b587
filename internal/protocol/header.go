package protocol

import (
	"encoding/base64"
	"strings"
)

const (
	sentinelPrefix = "=?base64?"
	sentinelSuffix = "?="
)

// EncodeHeader writes a value of Mcp-Name or Mcp-Param-* as a header value:
// as it is when it is plain ASCII, else in the Base64 sentinel form
// (2026-07-28, streamable-http, "Value Encoding").
func EncodeHeader(v string) string {
	if plainHeader(v) && !isSentinel(v) {
		return v
	}
	return sentinelPrefix + base64.StdEncoding.EncodeToString([]byte(v)) + sentinelSuffix
}

// DecodeHeader reads what EncodeHeader writes; false for a value that is
// neither plain nor valid Base64.
func DecodeHeader(h string) (string, bool) {
	if !isSentinel(h) {
		return h, plainHeader(h)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(h[len(sentinelPrefix) : len(h)-len(sentinelSuffix)])
	return string(b), err == nil
}

func isSentinel(v string) bool {
	return len(v) >= len(sentinelPrefix)+len(sentinelSuffix) &&
		strings.HasPrefix(v, sentinelPrefix) && strings.HasSuffix(v, sentinelSuffix)
}

// plainHeader reports whether v survives as an HTTP field value unchanged
// (RFC 9110 §5.5: visible ASCII, inner spaces and tabs).
func plainHeader(v string) bool {
	for i := range len(v) {
		if c := v[i]; (c < 0x20 && c != '\t') || c > 0x7e {
			return false
		}
	}
	return v == strings.Trim(v, " \t")
}
