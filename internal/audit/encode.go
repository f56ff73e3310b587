package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// MaxEventBytes bounds one line of the log, its newline included.
const MaxEventBytes = 256 << 10

// maxText bounds every string in an event. Names and pointers come from
// servers and callers, who may make them as long as they like.
const maxText = 512

// NewID returns a fresh audit id: a UUIDv7, so ids sort by time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

var encodeOptions = json.JoinOptions(
	json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, s string) error {
		return enc.WriteToken(jsontext.String(clip(s)))
	})),
	json.Deterministic(true),
)

// encode writes an event as one line. An event too large for one keeps its
// head and loses its lists.
func encode(e *Event) ([]byte, error) {
	line, err := json.Marshal(e, json.Deterministic(true))
	if err != nil || !unclipped(line) {
		line, err = json.Marshal(e, encodeOptions)
	}
	if err == nil && len(line) >= MaxEventBytes && e.Unmapped != nil {
		short := *e
		u := *e.Unmapped
		u.Rules, u.Pointers, u.Findings, u.Failures, u.Reasons, u.ScannersIn, u.ScannersOut = nil, nil, nil, nil, nil, nil, nil
		u.Truncated = true
		short.Unmapped = &u
		line, err = json.Marshal(&short, encodeOptions)
	}
	if err != nil {
		return nil, err
	}
	if len(line) >= MaxEventBytes {
		return nil, ErrEventTooLarge
	}
	return append(line, '\n'), nil
}

// unclipped reports whether clip would have changed no string of a line. Of some
// lines it does not know. Nearly all are visible ASCII with a quotation mark at
// least every maxText bytes and nothing escaped, and to ask for each string
// beforehand costs as much as the rest of the encoding.
func unclipped(line []byte) bool {
	if !unescaped(line) {
		return false
	}
	for len(line) > maxText {
		last := bytes.LastIndexByte(line[:maxText+1], '"')
		if last < 0 {
			return false
		}
		line = line[last+1:]
	}
	return true
}

// unescaped reports that all bytes are visible ASCII and none is a backslash,
// eight at a time.
func unescaped(line []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(line) >= 8 {
		v := binary.LittleEndian.Uint64(line)
		slash := v ^ ones*'\\'
		// A high bit is set for a byte above '~', below ' ', and equal to a backslash; what a borrow or
		// a carry adds beside such a byte changes nothing.
		if (v|(v+ones)|(v-ones*' ')|(slash-ones))&highs != 0 {
			return false
		}
		line = line[8:]
	}
	for _, c := range line {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// clip makes a string one that can stand in the log: visible, valid UTF-8, of
// at most maxText bytes. What is cut off is replaced by a digest of the whole,
// so two long names stay two.
func clip(s string) string {
	s = visible(s)
	if len(s) <= maxText {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	tail := "…sha256:" + hex.EncodeToString(sum[:8])
	head := s[:maxText-len(tail)]
	for !utf8.ValidString(head) {
		head = head[:len(head)-1]
	}
	return head + tail
}

// visible writes characters that hide, reorder or overwrite text (controls,
// bidirectional marks, tags, zero-width and private ones) as \u{hex}: whoever
// reads the log in a terminal sees what is there.
func visible(s string) string {
	if plain(s) {
		return s
	}
	hidden := func(r rune) bool {
		return r == utf8.RuneError || (r > unicode.MaxASCII || r < ' ' || r == 0x7f) && !unicode.IsGraphic(r) ||
			unicode.Is(unicode.Variation_Selector, r)
	}
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, "\\x{%02x}", s[i])
		default:
			fmt.Fprintf(&b, "\\u{%04x}", r)
		}
	}
	return b.String()
}

// plain reports a text of visible ASCII, as nearly all are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
