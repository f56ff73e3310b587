package probe

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// canary is a value that nobody could have but from where it was put.
type canary struct {
	from   string // where it was put
	secret bool   // by what it is called; else a setting, which a server may show
	value  string
	forms  [][]byte // how it may be written
}

func newCanary(from string, secret bool) canary {
	k := canary{from: from, secret: secret, value: rand.Text()} // 26 letters and digits
	b := []byte(k.value)
	add := func(form string) {
		if f := []byte(form); !slices.ContainsFunc(k.forms, func(have []byte) bool { return bytes.Equal(have, f) }) {
			k.forms = append(k.forms, f)
		}
	}
	add(k.value)
	add(strings.ToLower(k.value)) // a name in DNS
	add(hex.EncodeToString(b))
	add(strings.ToUpper(hex.EncodeToString(b)))
	slices.Reverse(b)
	add(string(b))
	slices.Reverse(b)
	// Base64 and base32 of a text depend on how many bytes stand before it; the
	// first and last characters also on which.
	for lead := range 3 {
		enc := base64.RawStdEncoding.EncodeToString(append(make([]byte, lead), b...))
		add(enc[4 : len(enc)-4])
	}
	for lead := range 5 {
		enc := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append(make([]byte, lead), b...))
		add(enc[8 : len(enc)-8])
		add(strings.ToLower(enc[8 : len(enc)-8]))
	}
	return k
}

func (k canary) in(data []byte) bool {
	return slices.ContainsFunc(k.forms, func(form []byte) bool { return bytes.Contains(data, form) })
}

// longestForm bounds what has to be kept of a stream for a canary that is cut
// in two by its reader.
func longestForm(all []canary) (n int) {
	for _, k := range all {
		for _, f := range k.forms {
			n = max(n, len(f))
		}
	}
	return n
}
