package main

import "github.com/bartizan-mcp/bartizan/plugins/literal"

// kinds is a set of what can begin at a place.
type kinds uint8

const (
	tokens     kinds = 1 << iota // what match finds
	led                          // and of that what may have more before it, as part of it
	marked                       // structured, storedPassword
	handed                       // credentials, command
	announcing                   // identified
	numbers                      // personal
	stemmed                      // announced, by a stem
	named                        // announced, by the name of a provider
	words      = stemmed | named
	inner      = led | marked | stemmed // what does not begin a word
)

// begins marks the three bytes with which something that is looked for can
// begin; elsewhere a text needs no second look. beginnings says what. Both are
// wider than what is found and never narrower.
var begins, beginnings = func() (b literal.Filter, t beginningTable) {
	add := func(k kinds, text string) { b.Add(text); t.add(text, k) }
	fold := func(k kinds, text string) { b.AddFold(text); t.add(text, k) }
	for i := range formats {
		f, k := &formats[i], tokens
		if len(f.lead) > 0 {
			k = led
		}
		if len(f.mark) >= 3 {
			add(k, f.mark)
			continue
		}
		for c := range 256 {
			if len(f.rest) == 0 || f.rest[0].body.has(byte(c)) {
				add(k, f.mark+string([]byte{byte(c)}))
			}
		}
	}
	for _, mark := range marks {
		add(marked, mark)
	}
	for i := range hooks {
		add(marked, hooks[i].prefix)
	}
	for c := range 256 {
		add(marked, "Q~"+string([]byte{byte(c)})) // azureSecret
	}
	for _, opening := range openings {
		fold(handed, opening)
	}
	for i := range stems {
		fold(stemmed, stems[i].text)
	}
	for i := range providers {
		fold(named, providers[i].name)
	}
	for i := range schemes {
		add(marked, schemes[i].mark)
	}
	for i := range commands {
		fold(handed, commands[i])
	}
	for i := range announcers {
		fold(announcing, announcers[i].text)
	}
	number := func(first string) {
		for d := byte('0'); d <= '9'; d++ {
			add(numbers, first+string([]byte{d}))
		}
	}
	for n := range 100 { // cards and social security numbers
		number(string([]byte{'0' + byte(n/10), '0' + byte(n%10)}))
	}
	for n := range 26 * 26 {
		if country := string([]byte{'A' + byte(n/26), 'A' + byte(n%26)}); ibanLength(country) > 0 {
			number(country)
		}
	}
	return b, t
}()

// begun is what can begin at text[i].
func begun(text string, i int) kinds {
	if len(text)-i < 3 {
		return 0
	}
	k := beginnings.find(three(text[i:]))
	if i > 0 && alnum.has(text[i-1]) {
		k &= inner
	}
	return k
}

// beginningTable has the kinds by three bytes, whatever the case: open
// addressing, the bytes above the kinds.
type beginningTable [1 << beginningBits]uint32

const beginningBits = 13

func three(text string) uint32 {
	return uint32(text[0])<<8 | uint32(text[1])<<16 | uint32(text[2])<<24 | 0x20202000
}

// slot finds the place of three bytes, or the empty one where they belong.
func (t *beginningTable) slot(three uint32) uint32 {
	h := three * 0x9E3779B1 >> (32 - beginningBits)
	for t[h] != 0 && t[h]&^0xff != three {
		h = (h + 1) % uint32(len(t))
	}
	return h
}

func (t *beginningTable) add(text string, k kinds) {
	h := t.slot(three(text))
	t[h] |= three(text) | uint32(k)
}

func (t *beginningTable) find(three uint32) kinds { return kinds(t[t.slot(three)]) }

// marks are what structured looks for, but for those of two bytes.
var marks = [...]string{"-----BEGIN ", "PuTTY-User-Key-File-", "eyJ", "://", "AccountKey="}

// openings are what credentials looks for, in any case.
var openings = [...]string{"authorization", "-u ", "--user", "token:", "apikey:", "api-key:"}
