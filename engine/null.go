package engine

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// nullAt returns where valid JSON has its first null. Nothing in a manifest or an
// answer is null, and in a struct it would read as a member left out.
func nullAt(b []byte) (at jsontext.Pointer, null bool) {
	if !bytes.Contains(b, []byte("null")) {
		return "", false
	}
	for d := jsontext.NewDecoder(bytes.NewReader(b)); ; {
		token, err := d.ReadToken()
		if err != nil {
			return "", false
		}
		if token.Kind() == 'n' {
			return d.StackPointer(), true
		}
	}
}
