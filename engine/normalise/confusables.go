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
	"аaеeоoрpсcуyхxіiјjѕsԁdԛqԝwһhӏlүyёeїiґrкkмmтtнhвbгr" +
	"АAЕEОOРPСCУYХXІIЈJЅSКKМMТTНHВBГRҮYԌGԚQԜWҺHӀIЁEЇI" +
	// Greek
	"αaοoρpνvιiκkτtυuχxγyηnωwεeβbϲcϳj" +
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

// foldConfusables makes Latin the words that only look so: every letter is
// Latin or drawn like it. A word of another script almost always has a letter
// that is not, and stays; in a text without any Latin word all of them stay.
func foldConfusables(s string) string {
	if !hasLatin(s) {
		return s
	}
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(s)
		}
		out.WriteString(foldWord(s[:end]))
		next := strings.IndexFunc(s[end:], unicode.IsLetter)
		if next < 0 {
			next = len(s) - end
		}
		out.WriteString(s[end : end+next])
		s = s[end+next:]
	}
	return out.String()
}

func hasLatin(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }) >= 0
}

func foldWord(word string) string {
	folded := strings.Map(func(r rune) rune {
		if to, ok := latin[r]; ok {
			return to
		}
		if !unicode.Is(unicode.Latin, r) {
			return -1
		}
		return r
	}, word)
	if len([]rune(folded)) != len([]rune(word)) {
		return word
	}
	return folded
}
