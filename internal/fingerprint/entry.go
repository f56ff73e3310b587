package fingerprint

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Entry is one fingerprinted entry of a listing.
type Entry struct {
	Kind Kind
	Key  string // name, uriTemplate or uri; "" for instructions and capabilities
	// Whole covers the entire entry. Behavioural leaves out top-level icons and
	// the volatile pointers of _meta.
	Whole, Behavioural Digest
	Canonical          []byte // of the entire entry
}

// OfEntry fingerprints one entry: a JSON object, or for instructions a JSON
// string. volatile are JSON Pointers below /_meta.
func OfEntry(kind Kind, raw jsontext.Value, volatile []string) (Entry, error) {
	n, key, err := parseEntry(kind, raw)
	if err != nil {
		return Entry{}, err
	}
	return fingerprintOf(kind, key, n, volatile)
}

// parseEntry reads an entry and its key, and nothing that refuses the entry
// for what else is in it.
func parseEntry(kind Kind, raw jsontext.Value) (n *node, key string, err error) {
	row, ok := kinds[kind]
	if !ok {
		return nil, "", malformed("unknown kind of entry")
	}
	if n, err = parse(raw); err != nil {
		return nil, "", err
	}
	want := jsontext.Kind('{')
	if kind == KindInstructions {
		want = '"'
	}
	if n.kind != want {
		return nil, "", malformed(row.name + " has the wrong JSON type")
	}
	if row.key == "" {
		return n, "", nil
	}
	k := n.get(row.key)
	if k == nil || k.kind != '"' {
		return nil, "", malformed(row.name + " without a string " + row.key)
	}
	return n, k.text, nil
}

func fingerprintOf(kind Kind, key string, n *node, volatile []string) (Entry, error) {
	if err := checkNames(n, shapes[kind]); err != nil {
		return Entry{}, err
	}
	if kind == KindTool {
		for _, name := range []string{"inputSchema", "outputSchema"} {
			if err := checkReferences(n.get(name)); err != nil {
				return Entry{}, err
			}
		}
	}
	if err := n.canonicalise(); err != nil {
		return Entry{}, err
	}
	behavioural, err := behaviouralPart(kind, n, volatile)
	if err != nil {
		return Entry{}, err
	}
	canonical := n.append(nil)
	return Entry{
		Kind: kind, Key: key, Canonical: canonical,
		Whole:       entryDigest(kind, canonical),
		Behavioural: entryDigest(kind, behavioural.append(nil)),
	}, nil
}

func entryDigest(kind Kind, canonical []byte) Digest {
	domain := kinds[kind].domain
	b := make([]byte, 0, 16+len(domain)+len(canonical))
	return sha256.Sum256(appendSized(appendSized(b, domain), string(canonical)))
}

// behaviouralPart leaves out what the behavioural digest does not cover.
// Instructions and capabilities have no such part.
func behaviouralPart(kind Kind, n *node, volatile []string) (*node, error) {
	for _, pointer := range volatile {
		if p := jsontext.Pointer(pointer); !p.IsValid() || !strings.HasPrefix(pointer, "/_meta/") {
			return nil, fmt.Errorf("%w: %q", ErrVolatile, pointer)
		}
	}
	if kinds[kind].key == "" {
		return n, nil
	}
	n = n.without("icons")
	for _, pointer := range volatile {
		var tokens []string
		for token := range jsontext.Pointer(pointer).Tokens() {
			tokens = append(tokens, token)
		}
		n = remove(n, tokens)
	}
	return n, nil
}

// remove returns n without the object member that tokens lead to. Tokens may
// lead through array elements, but an element itself is never removed: that
// would move its neighbours.
func remove(n *node, tokens []string) *node {
	if len(tokens) == 1 {
		return n.without(tokens[0])
	}
	child := n.child(tokens[0])
	if child == nil {
		return n
	}
	return n.with(child, remove(child, tokens[1:]))
}

// child resolves one token of a JSON Pointer; nil when it leads nowhere.
func (n *node) child(token string) *node {
	if n.kind != '[' {
		return n.get(token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(n.elements) || strconv.Itoa(i) != token {
		return nil
	}
	return n.elements[i]
}
