package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestOtherHostAnswersAlike holds the plugins of every language that was built to
// the answers of the same logic in Go, in so many calls that none may keep its memory.
func TestOtherHostAnswersAlike(t *testing.T) {
	for _, l := range extismPDKs {
		t.Run(l.language, func(t *testing.T) {
			wasm, err := guest(l.language + "-ticket-extism")
			if err != nil {
				t.Skip(err)
			}
			p, err := ticketPlugin(t.Context(), wasm, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(t.Context())
			for range 300 {
				for _, text := range ticketTexts() {
					answer, err := callTicket(p, flatInput(text))
					if err == nil {
						err = sameTickets(answer, text)
					}
					if err != nil {
						t.Fatalf("%.60q: %v", text, err)
					}
				}
			}
			if code, _, err := p.Call("plugin", []byte("no input")); err == nil && code == 0 {
				t.Error("it answered what is no input")
			}
		})
	}
}

// TestNamedPDKs holds the versions that the table names to those that are built.
func TestNamedPDKs(t *testing.T) {
	for language, file := range map[string]string{
		"go": "go.mod", "rust": "guest/extism/rust/Cargo.toml", "assemblyscript": "guest/extism/assemblyscript/package.json",
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range extismPDKs {
			if l.language != language {
				continue
			}
			name, rest, _ := strings.Cut(l.pdk, " ")
			version, _, _ := strings.Cut(rest, ",")
			if !regexp.MustCompile(regexp.QuoteMeta(name) + `\W[^\n]*` + regexp.QuoteMeta(version) + `\b`).Match(b) {
				t.Errorf("%s has no %s", file, l.pdk)
			}
		}
	}
}

func TestTicketsInBadAnswers(t *testing.T) {
	answer := make([]byte, 40+56)
	answer[12], answer[16], answer[40], answer[44] = 40, 1, 90, 6
	if got, err := ticketsIn(answer); err != nil || len(got) != 1 || len(got[0].rule) != 6 {
		t.Fatalf("%v, %v", got, err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"short":              func(b []byte) []byte { return b[:39] },
		"too many findings":  func(b []byte) []byte { b[16] = 2; return b },
		"findings elsewhere": func(b []byte) []byte { b[12] = 41; return b },
		"rule elsewhere":     func(b []byte) []byte { b[40] = 91; return b },
		"all ones": func(b []byte) []byte {
			for i := range b {
				b[i] = 0xff
			}
			return b
		},
	} {
		if got, err := ticketsIn(spoil(append([]byte(nil), answer...))); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
