package clients

// format edits one kind of file. path leads to an entry: the container of the
// servers and the name in it.
type format struct {
	// get returns the raw text of the entry, nil if there is none.
	get func(src []byte, path [2]string) ([]byte, error)
	// put adds or replaces the entry.
	put func(src []byte, path [2]string, e entry) ([]byte, error)
	// restore puts raw text of an earlier get back; nil removes the entry.
	restore func(src []byte, path [2]string, raw []byte) ([]byte, error)
	// holds reports whether raw text says the same as e.
	holds func(raw []byte, e entry) bool
}

var (
	jsonFormat = format{get: jsonGet, put: jsonPut, restore: jsonRestore, holds: jsonHolds}
	tomlFormat = format{get: tomlGet, put: tomlPut, restore: tomlRestore, holds: tomlHolds}
)

// maxFile bounds a configuration file: Claude Code keeps more than settings in
// its own, and tens of megabytes are known.
const maxFile = 64 << 20

// newlineOf is the line end that a text uses.
func newlineOf(src []byte) string {
	for i, c := range src {
		if c == '\n' {
			if i > 0 && src[i-1] == '\r' {
				return "\r\n"
			}
			return "\n"
		}
	}
	return "\n"
}
