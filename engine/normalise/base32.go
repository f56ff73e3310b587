package normalise

import (
	"encoding/base32"
	"strings"
)

var base32Class = classOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

// minBase32 is the shortest run that is decoded: fifteen bytes.
const minBase32 = 24

// base32Text decodes the runs that hold text, padded or not.
func base32Text(s string) string {
	var found []string
	for start, end := base32Class.nextRun(s, 0); start < len(s); start, end = base32Class.nextRun(s, end) {
		if end-start < minBase32 {
			continue
		}
		var stack [64]byte // constants in capitals are no reason to allocate
		out, run := stack[:], s[start:end]
		switch len(run) % 8 { // of these lengths is no encoding
		case 1, 3, 6:
			run = run[:len(run)-1]
		}
		if size := base32Encoding.DecodedLen(len(run)); size > len(out) {
			out = make([]byte, size)
		}
		if n, err := base32Encoding.Decode(out, []byte(run)); err == nil {
			if text, ok := Text(out[:n]); ok {
				found = append(found, text)
			}
		}
	}
	return strings.Join(found, "\n")
}

var base32Encoding = base32.StdEncoding.WithPadding(base32.NoPadding)
