package main

import (
	"strings"
	"testing"
)

// TestAnnounced has what is announced as a secret beside what reads alike and is
// none. Values are made, so that nobody who scans this repository finds one.
func TestAnnounced(t *testing.T) {
	hex32, hex40, word24, word43 := sample(hexLow, 32), seeded(7, hexLow, 40), sample(alnum, 24), seeded(11, url64, 43)
	id := hex32[:8] + "-" + hex32[8:12] + "-" + hex32[12:16] + "-" + hex32[16:20] + "-" + hex32[20:]
	for _, c := range []struct {
		text, value string // "" where nothing is to be found
	}{
		{"api_key = \"" + hex32 + "\"", hex32},
		{"export WEATHERSTACK_TOKEN=" + hex32, hex32},
		{"<add key=\"apiKey\" value=\"" + word24 + "\"/>", word24},
		{"clientSecret: '" + word43 + "',", word43},
		{"the client secret for staging is " + word43 + ".", word43},
		{"api-key: " + id, id},
		{"https://api.example.org/v1?apikey=" + hex32 + "&units=metric", hex32},
		{"buddyns " + hex40, hex40},
		{"wandb: " + hex40, hex40},
		{"DB_PASSWORD='kR9!vT2m'", "kR9!vT2m"},
		{"tomtom_key=" + seeded(5, digits, 32), seeded(5, digits, 32)},

		{"primary key: " + hex32[:20], ""},
		{"nextPageToken: " + word43, ""},
		{"csrf_token = " + word43, ""},
		{"credentialsId: '" + id + "'", ""},
		{"idempotency-key: " + id, ""},
		{"secret_name = prod/database-2/v1", ""},
		{"token_type: bearer", ""},
		{"api_key = ${WEATHER_API_KEY}", ""},
		{"api_key = <your-key-0123456789>", ""},
		{"token: " + word43[:20] + "...", ""},
		{"the key to the 1976-1980 archive-building-2", ""},
		{"token = getAccessTokenFromStorage(session)", ""},
		{"alphabet key: " + lowers + numerals, ""},
		{"commit " + hex40, ""},
		{"trace id " + hex32, ""},
		{"keywords=34+inch+curved+monitor+2024", ""},
		{"KeyPair = X25519.KeyPair", ""},
		{"persist-credentials: false\n    - uses: actions/setup-go@" + hex40, ""},
		{"\"key\": \"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" + word43 + word43 + "\"", ""},
		{"the secret is kept by storage-admin-3@accounts.example.com", ""},
		{"renamed `CredentialOptions` to `EnableAzureTokenProxyLater`", ""},
	} {
		found := examine(c.text, "/params/arguments/text")
		if c.value == "" {
			if len(found) > 0 && found[0].severity != "low" {
				t.Errorf("%q: %v", c.text, found)
			}
			continue
		}
		if len(found) != 1 || c.text[found[0].start:found[0].end] != c.value {
			t.Errorf("%q: %v", c.text, found)
		}
	}
}

func TestWordy(t *testing.T) {
	for _, word := range []string{"getAccessTokenFromStorage", "authentication", "myPrivateKey", "undefined", "customer_identifier"} {
		if !wordy(word) {
			t.Errorf("%s is no word", word)
		}
	}
	random := 0
	for i := range uint32(1000) {
		if wordy(seeded(2463534242+i*7919, alnum, 24)) {
			random++
		}
	}
	if random > 20 {
		t.Errorf("%d of 1000 random values look like words", random)
	}
	if strings.Contains(strings.Join(followers[:], ""), " ") {
		t.Error("followers are letters")
	}
}
