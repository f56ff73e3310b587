package normalise

import (
	"strings"
	"unicode/utf8"
)

// lookalikes pairs letters of other scripts with the Latin letters that they
// are drawn like (Unicode Technical Standard 39, the common part). What
// compatibility normalisation already folds is not here.
const lookalikes = "" +
	// Cyrillic
	"аaеeоoрpсcуyхxіiјjѕsԁdԛqԝwһhӏlүyёeїiԍg" +
	"АAЕEОOРPСCУYХXІIЈJЅSКKМMТTНHВBГRҮYԌGԚQԜWҺHӀIЁEЇI" +
	// Greek
	"αaοoρpνvιiκkτtυuχxγyηnϲcϳj" +
	"ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX" +
	// Armenian, Cherokee, and others that fonts draw alike
	"օoսuհhոnԁdցgյjՏSᎪAᏴBᏟCᎠDᎬEᎷMᎳWᏃZᎻHᏚSᎢTᏙVᏦK" +
	// Latin itself: dotless, script, small capitals
	"ıiɑaɡgɩiʟlɴnʀrʏyᴀaʙbᴄcᴅdᴇeɢgʜhɪiᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢzꜱsꜰfɾrʋvɛe"

// looselikes pairs letters with those that they stand for between Latin ones
// alone. Whole words are made of them in their own scripts.
const looselikes = "" +
	"кkтtмmвbнhпnгrьbзeчyиuѡwѵvєeқkҡkңhҥhҭtҳxҷyәe" +
	"κkωwσoςsεeβbμuδdλlτtθoπnψyφo" +
	"աwզqքpեeթpիhլlմuպwտmրnւlֆfէtճXՕO" +
	"ƒfǝeɐaɔcɟfɥhɯmɹrʇtʌvʍwʎyʞkɓbɗdɠgƙkƥpƭtƴyȥzǫq"

// letterTable has the Latin letters of a list of pairs, by blocks of 256
// characters.
type letterTable [1 << 16 >> 8]*[256]byte

func tableOf(pairs string) (pages letterTable) {
	var from rune
	for _, r := range pairs {
		if from == 0 {
			from = r
			continue
		}
		page := &pages[from>>8]
		if *page == nil {
			*page = new([256]byte)
		}
		(*page)[from&0xff] = byte(r)
		from = 0
	}
	return pages
}

var latin, looseLatin = tableOf(lookalikes), tableOf(looselikes)

// of returns the Latin letter for r, 0 for none.
func (t *letterTable) of(r rune) byte {
	if r >= 1<<16 || t[r>>8] == nil {
		return 0
	}
	return t[r>>8][r&0xff]
}

// toLatin returns the Latin letter that r is drawn like, 0 for none.
func toLatin(r rune) byte { return latin.of(r) }

// toLatinLoosely returns the Latin letter that r stands for in a word with
// Latin letters, 0 for none.
func toLatinLoosely(r rune) byte { return looseLatin.of(r) }

// enclosed returns the letter in a circle, a square or a flag that compatibility
// normalisation leaves alone, 0 for none.
func enclosed(r rune) byte {
	for _, first := range [...]rune{0x1F150, 0x1F170, 0x1F1E6} {
		if first <= r && r < first+26 {
			return byte('A' + r - first)
		}
	}
	return 0
}

// minEnclosed is how many of them make a text; a flag has two.
const minEnclosed = 8

// openEnclosed writes enclosed letters as letters, where there are many.
func openEnclosed(s string) string {
	n := 0
	for _, r := range s {
		if r > 0xFFFF && enclosed(r) != 0 {
			n++
		}
	}
	if n < minEnclosed {
		return s
	}
	return strings.Map(func(r rune) rune {
		if letter := enclosed(r); letter != 0 {
			return rune(letter)
		}
		return r
	}, s)
}

func isLetter(r rune) bool { return traitsOf(r)&traitLetter != 0 }

// foldConfusables makes Latin the words that only look so: words that mix
// Latin with letters drawn like it, and in a mostly Latin text those made of
// such letters alone. Words of another script nearly always have a letter that
// is drawn like none of Latin, and stay.
func foldConfusables(s string) string {
	var out strings.Builder
	copied := 0
	judged, inLatinText := false, false
	end := 0
	for at := indexTrait(s, 0, traitLookalike); at < len(s); at = indexTrait(s, end, traitLookalike) {
		start := end + len(strings.TrimRightFunc(s[end:at], isLetter))
		end = len(s) - len(strings.TrimLeftFunc(s[at:], isLetter))
		plain, alike := latinLetters(s[start:end])
		if plain == 0 && alike >= 3 && !judged {
			judged, inLatinText = true, mostlyLatin(s)
		}
		if alike > 0 && (plain > 0 || alike >= 3 && inLatinText) {
			out.WriteString(s[copied:start])
			foldWord(&out, s[start:end], plain > 0)
			copied = end
		}
	}
	if copied == 0 {
		return s
	}
	out.WriteString(s[copied:])
	return out.String()
}

func isLatin(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }

func mostlyLatin(s string) bool {
	latin, other := 0, 0
	for _, r := range s {
		switch {
		case isLatin(r):
			latin++
		case r >= utf8.RuneSelf && isLetter(r):
			other++
		}
	}
	return latin > other
}

// latinLetters counts the Latin letters of a word and those that stand for one.
// A word with another letter has none, since a word is folded whole or not at
// all.
func latinLetters(word string) (plain, alike int) {
	loose := 0
	for _, r := range word {
		switch traits := traitsOf(r); {
		case isLatin(r):
			plain++
		case traits&traitLookalike != 0:
			if toLatin(r) != 0 {
				alike++
			} else {
				loose++
			}
		case traits&traitLatin == 0:
			return 0, 0
		}
	}
	if plain > 0 {
		return plain, alike + loose
	}
	if loose > 0 {
		return 0, 0
	}
	return plain, alike
}

func foldWord(out *strings.Builder, word string, loosely bool) {
	for _, r := range word {
		to := toLatin(r)
		if to == 0 && loosely {
			to = toLatinLoosely(r)
		}
		if to != 0 {
			out.WriteByte(to)
		} else {
			out.WriteRune(r)
		}
	}
}
