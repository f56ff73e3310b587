package main

import "github.com/bartizan-mcp/bartizan/plugins/literal"

// begins marks the three bytes with which something that is looked for can
// begin; elsewhere a text needs no second look. It is wider than what is found
// and never narrower.
var begins = func() (b literal.Filter) {
	for i := range formats {
		f := &formats[i]
		if len(f.mark) >= 3 {
			b.Add(f.mark)
			continue
		}
		for c := range 256 {
			if len(f.rest) == 0 || f.rest[0].body.has(byte(c)) {
				b.Add(f.mark + string([]byte{byte(c)}))
			}
		}
	}
	for _, mark := range marks {
		b.Add(mark)
	}
	for i := range hooks {
		b.Add(hooks[i].prefix)
	}
	for c := range 256 {
		body := string([]byte{byte(c)})
		b.Add("Q~" + body) // azureSecret
	}
	for _, opening := range openings {
		b.AddFold(opening)
	}
	for i := range stems {
		b.AddFold(stems[i].text)
	}
	for i := range providers {
		b.AddFold(providers[i].name)
	}
	for i := range schemes {
		b.Add(schemes[i].mark)
	}
	for i := range commands {
		b.AddFold(commands[i])
	}
	for i := range announcers {
		b.AddFold(announcers[i].text)
	}
	number := func(first string) {
		for d := byte('0'); d <= '9'; d++ {
			b.Add(first + string([]byte{d}))
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
	return b
}()

// marks are what structured looks for, but for those of two bytes.
var marks = [...]string{"-----BEGIN ", "PuTTY-User-Key-File-", "eyJ", "://", "AccountKey="}

// openings are what credentials looks for, in any case.
var openings = [...]string{"authorization", "-u ", "--user", "token:", "apikey:", "api-key:"}

// beginnings is a set of two bytes with which something may begin, whatever the case:
// what is tried at every place that begins lets through asks here first.
type beginnings [1 << 16 / 64]uint64

func pair(text string) uint16 { return uint16(text[0]|0x20)<<8 | uint16(text[1]|0x20) }

func (p *beginnings) add(text string) { p[pair(text)/64] |= 1 << (pair(text) % 64) }

func (p *beginnings) has(two uint16) bool { return p[two/64]>>(two%64)&1 != 0 }
