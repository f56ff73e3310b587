package sarif

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Region is a part of a text file (3.30). Lines and columns count from one, the
// end column is the one behind the last character.
type Region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
	ByteOffset  int `json:"byteOffset"`
	ByteLength  int `json:"byteLength"`
}

// RegionOf returns the region of text[start:end].
func RegionOf(text []byte, start, end int) *Region {
	r := &Region{ByteOffset: start, ByteLength: end - start}
	r.StartLine, r.StartColumn = position(text[:start])
	r.EndLine, r.EndColumn = position(text[:end])
	return r
}

func position(before []byte) (line, column int) {
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// Within returns where the bytes start to end of a string stand in its JSON
// text, which is valid and begins with a quote. A range that does not end
// between two characters is widened to whole ones.
func Within(quoted []byte, start, end int) (rawStart, rawEnd int) {
	raw, decoded := 1, 0
	rawStart = -1
	for raw < len(quoted)-1 {
		size, width := character(quoted[raw:])
		if rawStart < 0 && decoded+width > start {
			rawStart = raw
		}
		if decoded >= end {
			break
		}
		raw += size
		decoded += width
	}
	if rawStart < 0 {
		rawStart = raw
	}
	return rawStart, max(raw, rawStart)
}

// character is the size of one character of a JSON string, and how many bytes
// of UTF-8 it stands for.
func character(s []byte) (size, width int) {
	if s[0] != '\\' {
		_, size = utf8.DecodeRune(s)
		return size, size
	}
	if len(s) < 6 || s[1] != 'u' {
		return min(2, len(s)), 1
	}
	r := hex4(s[2:6])
	if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(s[8:12])); pair != utf8.RuneError {
			return 12, utf8.RuneLen(pair)
		}
	}
	return 6, max(utf8.RuneLen(r), 1)
}

func hex4(s []byte) rune {
	n, err := strconv.ParseUint(string(s), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}
