package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// skeleton is a name reduced to what the eye takes from it: no invisible
// characters, look-alike letters as Latin ones, no case, no separators. odd
// reports that invisible or look-alike characters were in it.
func skeleton(name string) (s string, odd bool) {
	var b strings.Builder
	b.Grow(len(name))
	latin := strings.IndexFunc(name, func(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }) >= 0
	for _, r := range name {
		if r < utf8.RuneSelf {
			if c := byte(r); 'A' <= c && c <= 'Z' {
				b.WriteByte(c + 'a' - 'A')
			} else if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
				b.WriteByte(c)
			}
			continue
		}
		switch like := lookalike(unicode.ToLower(r)); {
		case invisible(r):
			odd = true
		case like != 0:
			b.WriteByte(like)
			// A wholly Cyrillic or Greek name is a name in that script.
			odd = odd || latin
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String(), odd
}

// invisible reports format characters and the other code points that show nothing.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0000 && r <= 0xE0FFF || r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0x034F
}

// lookalike maps the letters that pass for Latin ones (Unicode TR 39) to them.
func lookalike(r rune) byte {
	switch {
	case r >= 'ａ' && r <= 'ｚ':
		return byte(r-'ａ') + 'a'
	case r >= '０' && r <= '９':
		return byte(r-'０') + '0'
	case r >= 0x1D400 && r <= 0x1D6A3: // mathematical alphabets
		return byte((r-0x1D400)%26) + 'a'
	}
	switch r {
	case 'а', 'α', 'ɑ', 'á', 'à', 'â', 'ä', 'ã', 'å', 'ā':
		return 'a'
	case 'в', 'β', 'ь':
		return 'b'
	case 'с', 'ϲ', 'ç', 'ć', 'č', 'ᴄ':
		return 'c'
	case 'ԁ', 'ɗ', 'đ', 'ď':
		return 'd'
	case 'е', 'ё', 'є', 'ε', 'é', 'è', 'ê', 'ë', 'ē', 'ҽ':
		return 'e'
	case 'ғ', 'ƒ':
		return 'f'
	case 'ɡ', 'ց', 'ğ', 'ģ':
		return 'g'
	case 'һ', 'հ', 'н', 'η', 'ħ':
		return 'h'
	case 'і', 'ї', 'ι', 'ı', 'í', 'ì', 'î', 'ï', 'ⅰ':
		return 'i'
	case 'ј', 'ϳ':
		return 'j'
	case 'к', 'κ', 'ķ':
		return 'k'
	case 'ӏ', 'ⅼ', 'ł', 'ļ', 'ľ', 'ⵏ':
		return 'l'
	case 'м', 'ⅿ':
		return 'm'
	case 'п', 'ո', 'ν', 'ñ', 'ń':
		return 'n'
	case 'о', 'ο', 'σ', 'օ', 'ó', 'ò', 'ô', 'ö', 'õ', 'ø', 'ō':
		return 'o'
	case 'р', 'ρ', 'þ':
		return 'p'
	case 'ԛ', 'զ':
		return 'q'
	case 'г', 'ř', 'ŕ':
		return 'r'
	case 'ѕ', 'ś', 'š', 'ş':
		return 's'
	case 'т', 'τ', 'ţ', 'ť':
		return 't'
	case 'υ', 'ս', 'ú', 'ù', 'û', 'ü', 'ū', 'ц':
		return 'u'
	case 'ѵ', 'ⅴ':
		return 'v'
	case 'ԝ', 'ω', 'ѡ', 'ŵ':
		return 'w'
	case 'х', 'χ', 'ⅹ':
		return 'x'
	case 'у', 'ү', 'γ', 'ý', 'ÿ':
		return 'y'
	case 'ʐ', 'ž', 'ź', 'ż':
		return 'z'
	}
	return 0
}

// digitless reads the digits that are written for letters as those letters.
func digitless(s string) string {
	out := []byte(s)
	for i, c := range out {
		switch c {
		case '0':
			out[i] = 'o'
		case '1', 'i':
			out[i] = 'l'
		case '3':
			out[i] = 'e'
		case '4':
			out[i] = 'a'
		case '5':
			out[i] = 's'
		case '7':
			out[i] = 't'
		case '8':
			out[i] = 'b'
		}
	}
	return string(out)
}
