package normalise

import (
	"strings"
	"unicode"
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

var latin = func() map[rune]rune {
	table := make(map[rune]rune)
	var from rune
	for _, r := range lookalikes {
		if from == 0 {
			from = r
			continue
		}
		table[from] = r
		from = 0
	}
	return table
}()

// foldConfusables makes Latin the words that only look so: words that mix
// Latin with letters drawn like it, and in a mostly Latin text those made of
// such letters alone. Words of another script nearly always have a letter that
// is drawn like none of Latin, and stay.
func foldConfusables(s string) string {
	mostlyLatin := mostlyLatin(s)
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(s)
		}
		out.WriteString(foldWord(s[:end], mostlyLatin))
		next := strings.IndexFunc(s[end:], unicode.IsLetter)
		if next < 0 {
			next = len(s) - end
		}
		out.WriteString(s[end : end+next])
		s = s[end+next:]
	}
	return out.String()
}

func isLatin(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }

func mostlyLatin(s string) bool {
	latin, other := 0, 0
	for _, r := range s {
		switch {
		case isLatin(r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	return latin > other
}

// foldWord folds a word whole or not at all.
func foldWord(word string, inLatinText bool) string {
	plain, alike := 0, 0
	for _, r := range word {
		switch _, ok := latin[r]; {
		case ok:
			alike++
		case isLatin(r):
			plain++
		case !unicode.Is(unicode.Latin, r):
			return word
		}
	}
	if alike == 0 || plain == 0 && (!inLatinText || alike < 3) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if to, ok := latin[r]; ok {
			return to
		}
		return r
	}, word)
}
