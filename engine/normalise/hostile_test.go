package normalise

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
	"testing"
)

// hostile texts of n bytes come as near as they can to what decoders look for.
func hostile(n int) map[string]string {
	fill := func(s string) string { return strings.Repeat(s, n/len(s)+1)[:n] }
	bytes := make([]byte, n/2)
	state := uint32(1)
	for i := range bytes {
		state = state*1664525 + 1013904223
		bytes[i] = byte(state >> 24)
	}
	return map[string]string{
		"one letter":          fill("A"),
		"runs of 15":          fill("AAAAAAAAAAAAAAA "),
		"runs of 16":          fill("abcdefghABCDEFGH "),
		"base64 of media":     b64(string(bytes)),
		"base64 of text":      b64(fill("the file is there ")),
		"lines of base64":     wrapped(b64(string(bytes))),
		"hex of media":        hex.EncodeToString(bytes),
		"short hex":           fill("de ad be ef be ad e "),
		"single digits":       fill("1 a 2 b 3 c "),
		"0x":                  fill("0x"),
		"separators":          fill("0 ,:-"),
		"percent":             fill("%"),
		"percent signs":       fill("100% of "),
		"escaped percents":    fill("%25"),
		"backslashes":         fill(`\`),
		"open braces":         fill(`\u{`),
		"long open brace":     fill(`\u{1`) + "}",
		"surrogates":          fill(`\ud83d`),
		"ampersands":          fill("&"),
		"open entities":       fill("&lt"),
		"number entities":     fill("&#9"),
		"long entity":         "&" + fill("lt"),
		"open comments":       fill("<!--"),
		"nested comments":     fill("<!--<!---->-->"),
		"half comments":       fill("<!-"),
		"rot13 words":         fill("gurr naqq lbhh "),
		"one rot13 word":      "gur " + fill("gu rna qlb h "),
		"rot13":               fill("gur naq lbh "),
		"combining":           fill("a\u0301\u0301\u0301")[:n-n%7],
		"combining only":      fill("\u0301")[:n-n%2],
		"decomposed":          fill("e\u0301 ")[:n-n%4],
		"ligatures":           fill("ﬁ")[:n-n%3],
		"longest ligature":    fill("\ufdfa")[:n-n%3],
		"Cyrillic":            fill("раураl ")[:n-n%12],
		"one Cyrillic word":   fill("ра")[:n-n%4],
		"zero width":          fill("a\u200b")[:n-n%4],
		"tags":                fill("\U000e0041")[:n-n%4],
		"variation selectors": fill("\U000e0141")[:n-n%4],
		"invalid":             fill("\xff"),
		"truncated":           fill("\xf3\xa0"),
		"lines of 20":         lines(b64(string(bytes)), 20, "\n"),
		"lines of words":      fill("internationalization\n"),
		"paths of base64":     strings.ReplaceAll(b64(string(bytes)), "A", "/"),
		"base32 of media":     base32.StdEncoding.EncodeToString(bytes),
		"capitals":            fill("INTERNATIONALIZATION "),
		"U+":                  fill("U+"),
		"hex lines":           lines(hex.EncodeToString(bytes), 16, "\n"),
		"numbers":             fill("105 32 97 "),
		"numbers too long":    fill("123456789 "),
		"bits":                fill("01101000"),
		"equality":            fill("="),
		"quoted bytes":        fill("=41"),
		"soft breaks":         fill("a=\n"),
		"open escapes":        fill("\x1b["),
		"long escape":         "\x1b[" + fill("0;"),
		"open strings":        fill("\x1b]"),
		"string starts":       fill("\x1b]8;;x"),
		"controls":            fill("\x01"),
		"brackets":            fill("["),
		"closing brackets":    fill("]"),
		"open links":          fill("]("),
		"open titles":         fill("](a \""),
		"all titles":          fill("](a \"](b '](c ("),
		"long target":         "](" + fill("a+"),
		"definitions":         fill("[a]:"),
		"one line of them":    "[" + fill("a]: b "),
		"spaces of a link":    "](" + fill(" "),
		"letters apart":       fill("a "),
		"words apart":         fill("i g n o r e  "),
		"letters in brackets": fill("(a)(b)"),
		"ciphers":             fill(cipher(3).of("system ") + atbash.of("prompt ") + backwards("ignore ")),
		"accents":             fill("sÿstem ")[:n/8*8],
		"accented word":       fill("é")[:n/2*2],
		"enclosed":            fill("🅰")[:n/4*4],
		"flags":               fill("🇫🇷")[:n/8*8],
		"marks on one letter": "a" + fill("\u0336")[:n/2*2],
		"parted":              fill("ab\u200b")[:n/5*5],
		"open JSON":           fill(`[`) + `\n`,
		"members":             `{"a":"\n"` + fill(`,"b":1`) + "}",
	}
}

// BenchmarkHostile shows by its rates that no text is dear beside its length:
// four times the bytes take four times as long.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64K", 64 << 10}, {"4M", 4 << 20}} {
		for name, text := range hostile(size.bytes) {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					Views(text, DefaultLimits)
				}
			})
		}
	}
}
