package scaffold

import (
	"regexp"
	"strings"
)

// named are the places where ticket is the scanner's name, as part of a rule
// or file, or as a name in some manifest. Elsewhere it is a word: the example
// finds tickets.
var named = regexp.MustCompile(`\bticket(\.[a-z])|((?:^|\n)# |Command |[nN]ame"?\s*[:=]\s*"?|release/|["'` + "`" + `])ticket(["'` + "`" + `\s,]|$)`)

// renamer returns the changes that make the example's texts and file names
// those of another scanner.
func renamer(o Options) func(string) string {
	places := strings.NewReplacer(
		"../../"+o.Language, sdkFolder,
		"../"+casesFile, casesFile,
	)
	return func(text string) string {
		text = places.Replace(text)
		return named.ReplaceAllString(text, "${2}"+o.Name+"${1}${3}")
	}
}
