package merge

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Part is what one server has to say to a merged list: raw entries, names
// already merged, in the server's own order.
type Part struct {
	Alias   string
	Entries []jsontext.Value
}

// Bounds of one page.
const (
	pageEntries = 500
	pageBytes   = 4 << 20
)

// Page joins entries to one JSON array, from a cursor on; next is the cursor of
// the page after it, "" after the last. Parts are in the order of their aliases,
// which outlives servers that come and go between two pages. A cursor holds a
// place only: whoever hands it out seals it.
func Page(parts []Part, cursor string) (array jsontext.Value, next string, ok bool) {
	from, skip, ok := readCursor(cursor)
	if !ok {
		return nil, "", false
	}
	b := bytes.NewBufferString("[")
	count := 0
	for _, part := range parts {
		if part.Alias < from {
			continue
		}
		for i, entry := range part.Entries {
			if part.Alias == from && i < skip {
				continue
			}
			if count > 0 && (count == pageEntries || b.Len()+len(entry) > pageBytes) {
				return append(b.Bytes(), ']'), part.Alias + " " + strconv.Itoa(i), true
			}
			if count > 0 {
				b.WriteByte(',')
			}
			b.Write(entry)
			count++
		}
	}
	return append(b.Bytes(), ']'), "", true
}

func readCursor(cursor string) (alias string, skip int, ok bool) {
	if cursor == "" {
		return "", 0, true
	}
	alias, number, ok := strings.Cut(cursor, " ")
	skip, err := strconv.Atoi(number)
	return alias, skip, ok && err == nil && skip >= 0 && strconv.Itoa(skip) == number
}
