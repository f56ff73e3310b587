// Package merge makes one MCP server out of several: names that stay apart,
// pages over several lists, one introduction, and the ledger that keeps ids and
// progress tokens of one upstream from meaning anything to another.
//
// It is arithmetic over names and raw JSON. It must not know approvals,
// callers, transports or sessions, and it asks nobody anything.
package merge

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	separator = "__"
	maxName   = 64 // what clients of the field accept
	cutName   = 55 // maxName less "-" and hashHex
	hashHex   = 8
)

// Names are the merged names of one server's tools, or of its prompts. They
// follow from the alias and the set of names alone: neither order nor what
// another server calls its tools has a part in them, because an alias holds no
// underscore and so everything before the first one is the alias.
type Names struct{ merged, original map[string]string }

// NewNames maps every name. A name that would stand for two entries is given to
// neither.
func NewNames(alias string, names []string) *Names {
	plain := map[string]int{}
	for _, name := range names {
		plain[legal(alias+separator+name)]++
	}
	n := &Names{merged: map[string]string{}, original: map[string]string{}}
	taken := map[string]int{}
	for _, name := range names {
		full := alias + separator + name
		merged := legal(full)
		if len(merged) > maxName || plain[merged] > 1 {
			sum := sha256.Sum256([]byte(full))
			merged = merged[:min(len(merged), cutName)] + "-" + hex.EncodeToString(sum[:])[:hashHex]
		}
		n.merged[name], n.original[merged] = merged, name
		taken[merged]++
	}
	for name, merged := range n.merged {
		if taken[merged] > 1 {
			delete(n.merged, name)
			delete(n.original, merged)
		}
	}
	return n
}

// Merged is the name that clients know an entry by.
func (n *Names) Merged(original string) (string, bool) {
	merged, ok := n.merged[original]
	return merged, ok
}

// Original is the server's own name of an entry.
func (n *Names) Original(merged string) (string, bool) {
	original, ok := n.original[merged]
	return original, ok
}

// Alias is the server that a merged name belongs to; false for a name that is
// none.
func Alias(merged string) (string, bool) {
	alias, _, ok := strings.Cut(merged, separator)
	return alias, ok && alias != "" && !strings.Contains(alias, "_") && len(merged) <= maxName
}

// legal replaces every byte that a name may not hold.
func legal(name string) string {
	b := []byte(name)
	for i, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			b[i] = '_'
		}
	}
	return string(b)
}
