package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

const aToken = "bz_abcdefghijklmnop_mzxw6ytboi4dqmjsgiztinjwg44dsojqgezdgnbvgy3tqojqgezdgnbvgy"

// TestSecretForms: a secret is found however it is written, and nothing else is.
func TestSecretForms(t *testing.T) {
	secret := secretOf("Bearer " + aToken)
	forms := formsOf(secret)
	var spelled strings.Builder
	for _, c := range []byte(secret) {
		spelled.WriteString(`\u00` + strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	for name, text := range map[string]string{
		"plain": secret, "token": aToken, "escaped": spelled.String(), "partly escaped": secret[:10] + `\u00` + hex.EncodeToString([]byte{secret[10]}) + secret[11:],
		"cut short": secret[:40], "hex": hex.EncodeToString([]byte(aToken)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(aToken))),
		"base64": base64.StdEncoding.EncodeToString([]byte(aToken)), "base64 at 1": base64.URLEncoding.EncodeToString([]byte("x" + aToken)),
		"base64 at 2": base64.RawStdEncoding.EncodeToString([]byte("xx" + aToken)),
	} {
		if !holds([]byte(`{"x":["`+text+`"]}`), forms) {
			t.Errorf("%s is not found", name)
		}
	}
	for name, text := range map[string]string{
		"nothing": strings.Repeat("a", 1000), "the public id": aToken[:20], "a cut escape": `\u00`, "another escape": `\u00zz\u006`, "half of it": secret[:20],
	} {
		if holds([]byte(strings.Repeat(" ", 100)+text), forms) {
			t.Errorf("%s is found", name)
		}
	}
	if formsOf("short") != nil {
		t.Error("what is too short for a secret is looked for")
	}
}

func BenchmarkSecretForms(b *testing.B) {
	for name, body := range map[string][]byte{"4KB": bytes.Repeat([]byte("the harbour office keeps "), 160), "100KB": bytes.Repeat([]byte("the harbour office keeps "), 4000)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if holds(body, formsOf(secretOf("Bearer "+aToken))) {
					b.Fatal("found")
				}
			}
		})
	}
}
