package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// RuleCredential is the rule of the one finding that needs no scanner: the key
// that the caller was let in with is in what it sends.
const RuleCredential = "gateway.credential"

// noteCredential looks for the secret of the caller's key in all that could
// travel, before anything of it is put on record. A message that holds it is
// refused with what scanners say (step 7): a server that waits for a reply is told.
func (x *exchange) noteCredential() {
	forms := formsOf(secretOf(x.header.Get("Authorization")))
	x.leaks = holds(x.body, forms)
	for name, values := range x.header {
		if x.leaks || !strings.HasPrefix(name, "Mcp-") && !slices.Contains(traceHeaders, name) {
			continue
		}
		for _, value := range values {
			x.leaks = x.leaks || holds([]byte(value), forms)
		}
	}
}

// secretOf is the part of a bearer token that nobody else may know: what
// follows the public id.
func secretOf(authorization string) string {
	_, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	return token[strings.LastIndexByte(token, '_')+1:]
}

// Lengths of what is looked for: so much of a secret is no coincidence.
const (
	secretBytes = 32
	hexBytes    = 24
)

// formsOf are the spellings of a secret that are looked for: as it is, in
// hexadecimal, and in Base64 whatever stands before it. Nil for what is too short to
// be a secret.
func formsOf(secret string) [][]byte {
	if len(secret) < secretBytes {
		return nil
	}
	part := []byte(secret[:secretBytes])
	digits := hex.AppendEncode(nil, part[:hexBytes])
	forms := [][]byte{part, digits, bytes.ToUpper(digits)}
	for skipped := range 3 { // a group of four characters begins at every third byte
		whole := (len(part) - skipped) / 3 * 3
		forms = append(forms, base64.StdEncoding.AppendEncode(nil, part[skipped:skipped+whole]))
	}
	return forms
}

// holds looks for the forms in JSON as it is written. None of them needs an
// escape, so those that a writer used all the same are read first.
func holds(b []byte, forms [][]byte) bool {
	if len(forms) == 0 || len(b) < secretBytes {
		return false
	}
	b = plainASCII(b)
	return slices.ContainsFunc(forms, func(form []byte) bool { return bytes.Contains(b, form) })
}

var asciiEscape = []byte(`\u00`)

// plainASCII replaces \u00XX by its byte, without regard to what is a string.
func plainASCII(b []byte) []byte {
	at := bytes.Index(b, asciiEscape)
	if at < 0 {
		return b
	}
	plain := make([]byte, 0, len(b))
	for ; at >= 0; at = bytes.Index(b, asciiEscape) {
		plain = append(plain, b[:at]...)
		b = b[at:]
		var c [1]byte
		if len(b) >= 6 {
			if _, err := hex.Decode(c[:], b[4:6]); err == nil {
				plain, b = append(plain, c[0]), b[6:]
				continue
			}
		}
		plain, b = append(plain, b[:4]...), b[4:]
	}
	return append(plain, b...)
}

func leaking() *refusal {
	no := refuse(ReasonFinding)
	no.rules = []string{RuleCredential}
	return no
}

// ownCredential refuses a message that holds the caller's key, and says where
// as far as that can be said without repeating it.
func ownCredential(x *exchange, m *message.Message) *refusal {
	if !x.leaks {
		return nil
	}
	no := leaking()
	forms := formsOf(secretOf(x.header.Get("Authorization")))
	for _, s := range m.Segments {
		if holds([]byte(s.Text), forms) {
			no.pointers = appendOnce(no.pointers, s.Pointer)
		}
	}
	no.pointers = shownPointers(no.pointers) // a member name may be the key, and the log must not hold it
	return no
}

// withheld stands in records where the caller's key may stand.
const withheld = "(withheld)"

// withoutCredential is what a record may say of names that the caller wrote.
func (x *exchange) withoutCredential(method, version, entry string) (string, string, string) {
	if !x.leaks {
		return method, version, entry
	}
	if x.msg != nil && x.method.Name == "" && method == x.msg.Method && method != "" {
		method = withheld
	}
	if protocol.EraOf(version) == "" && version != "" {
		version = withheld
	}
	if entry != "" {
		entry = withheld
	}
	return method, version, entry
}
