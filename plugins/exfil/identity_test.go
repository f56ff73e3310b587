package main

import (
	"strings"
	"testing"
)

// examples are numbers that the authorities or their standards print as examples.
var examples = map[string][]string{
	"uk-nhs": {"943 476 5919"}, "de-steuer-id": {"86 095 742 719"}, "nl-bsn": {"111222333"}, "pl-pesel": {"44051401458"},
	"br-cpf": {"529.982.247-25"}, "br-cnpj": {"11.444.777/0001-61"}, "in-aadhaar": {"2341 2341 2346"}, "ca-sin": {"046 454 286"},
	"au-tfn": {"123 456 782"}, "cn-resident": {"11010519491231002X"}, "ch-ahv": {"756.9217.0769.85"}, "fi-hetu": {"131052-308T"},
	"be-register": {"85.07.30-033.28"}, "se-personnummer": {"811218-9876", "19811218-9876"}, "it-codice-fiscale": {"RSSMRA85T10A562S"},
	"es-dni": {"12345678Z", "X1234567L"}, "tr-kimlik": {"10000000146"}, "bg-egn": {"7523169263"}, "hr-oib": {"69435151530"},
	"ee-isikukood": {"37605030299"}, "cl-rut": {"12.345.678-5"}, "sg-nric": {"S1234567D"}, "hk-id": {"A123456(3)"}, "tw-id": {"A123456789"},
	"mx-curp": {"HEGG560427MVZRRL04"}, "za-id": {"8001015009087"}, "fr-nir": {"2 55 08 14 168 025 38"}, "nz-ird": {"49-091-850"},
	"cz-rodne": {"710319/2745"}, "ie-pps": {"1234567T"}, "jp-my-number": {"1234 5678 9018"}, "pt-nif": {"123456789"},
}

func TestExamples(t *testing.T) {
	for i := range identities {
		id := &identities[i]
		for _, number := range examples[id.name] {
			for _, word := range id.words {
				text := "My " + word + " is " + number + ", thanks"
				found := examine(text, "")
				if len(found) != 1 || found[0].rule != ruleIdentity || text[found[0].start:found[0].end] != strings.TrimSuffix(number, ")") {
					t.Errorf("%s: %q: %v", id.name, text, found)
				}
			}
		}
	}
}

// TestEveryIdentity makes numbers that hold, finds each of them announced, and
// none of them without an announcement or with digits that do not hold.
func TestEveryIdentity(t *testing.T) {
	if len(identities) < 40 {
		t.Errorf("%d identities", len(identities))
	}
	for i := range identities {
		id := &identities[i]
		for _, form := range id.forms {
			number := ""
			for seed := uint32(1); seed < 400_000 && number == ""; seed++ {
				if n := fill(form, seed); id.check(n) {
					number = n
				}
			}
			if number == "" {
				t.Errorf("%s: no number of form %s holds", id.name, form)
				continue
			}
			text := id.words[0] + ": " + number
			if found := examine(text, ""); len(found) != 1 || text[found[0].start:found[0].end] != number {
				t.Errorf("%q: %v", text, found)
			}
			for _, h := range examine("the part "+number, "") {
				if h.rule == ruleIdentity {
					t.Errorf("%s: %s is found unannounced", id.name, number)
				}
			}
		}
	}
}

// fill makes a number of a form.
func fill(form string, x uint32) string {
	x *= 2654435761
	var b strings.Builder
	for _, c := range []byte(form) {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		switch c {
		case 'd':
			b.WriteByte('0' + byte(x>>8%10))
		case 'a':
			b.WriteByte('A' + byte(x>>8%26))
		case '*':
			b.WriteByte((numerals + uppers)[x>>8%36])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestDocuments(t *testing.T) {
	for text, want := range map[string]string{
		"My driver's license number is F162823540116":     "F162823540116",
		"my driver's license number is 2270-66-1551":      "2270-66-1551",
		"Passport number: X1234567, issued in Bern":       "X1234567",
		"the passport number is on page 2, see appendix4": "",
		"passport number expires 2029-04-01":              "",
		"driving licence of class B since 2009":           "",
	} {
		found := examine(text, "")
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || text[found[0].start:found[0].end] != want) {
			t.Errorf("%q: %v", text, found)
		}
	}
	if found := examine("my iban is gb82west12345698765432 ok", ""); len(found) != 1 || found[0].rule != ruleIBAN {
		t.Error(found)
	}
}
