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

// latin has the Latin letter for each of them, by blocks of 256 characters.
var latin = func() (pages [1 << 16 >> 8]*[256]byte) {
	var from rune
	for _, r := range lookalikes {
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
}()

// toLatin returns the Latin letter that r is drawn like, 0 for none.
func toLatin(r rune) byte {
	if r >= 1<<16 || latin[r>>8] == nil {
		return 0
	}
	return latin[r>>8][r&0xff]
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
			foldWord(&out, s[start:end])
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

// latinLetters counts the Latin letters of a word and those drawn like one. A
// word with another letter has none, since a word is folded whole or not at all.
func latinLetters(word string) (plain, alike int) {
	for _, r := range word {
		switch traits := traitsOf(r); {
		case isLatin(r):
			plain++
		case traits&traitLookalike != 0:
			alike++
		case traits&traitLatin == 0:
			return 0, 0
		}
	}
	return plain, alike
}

func foldWord(out *strings.Builder, word string) {
	for _, r := range word {
		if to := toLatin(r); to != 0 {
			out.WriteByte(to)
		} else {
			out.WriteRune(r)
		}
	}
}
