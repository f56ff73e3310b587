// Package tree turns an artifact into the folder that a server is started
// from, and names that folder by one digest. Both doors use it: the registry to
// say in an approval what will run, the gateway to run that and nothing else.
//
// An artifact is a tar or zip file (.mcpb, .dxt and wheels are), or a single
// executable. It may bring the archives of its dependencies along, with a
// manifest that says where each is unpacked and by which lockfile it is known
// (manifest.go). Nothing of an artifact is ever executed here.
//
// The package knows paths, bytes and digests. It must not know approvals,
// launches or who may publish. docs/spec/tree.md is its specification.
package tree

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"strings"
)

var (
	// ErrHostile is an artifact that cannot be unpacked the same way everywhere,
	// or that tries to write elsewhere.
	ErrHostile = errors.New("hostile artifact")
	// ErrManifest is a manifest of packages that cannot be used.
	ErrManifest = errors.New("bad package manifest")
	// ErrIntegrity is a package whose bytes are not those of the lockfile.
	ErrIntegrity = errors.New("package does not have the digest of the lockfile")
	// ErrChanged is a folder that is no tree as it was materialised.
	ErrChanged = errors.New("the tree is not as it was materialised")
)

// Algorithm is the name of a tree's digest among the subjects of a statement.
// It is not SHA-256 of any file.
const Algorithm = "bartizanTreeV1"

const domain = "bartizan.tree.v1"

// Root stands for the folder of the tree in a launch identity: in an argument,
// a working folder or a value, "{tree}" by itself or before a slash.
const Root = "{tree}"

// Names reports whether s begins with the folder of the tree.
func Names(s string) bool { return s == Root || strings.HasPrefix(s, Root+"/") }

// Locate replaces the folder of the tree, where s begins with it.
func Locate(s, dir string) string {
	if !Names(s) {
		return s
	}
	return dir + s[len(Root):]
}

// kind is what a path is.
type kind byte

const (
	plain      kind = 'f'
	executable kind = 'x'
	link       kind = 'l'
)

// entry is one file or symbolic link. Folders are implied by paths, and
// nothing else is in a tree.
type entry struct {
	path    string
	kind    kind
	content []byte // SHA-256 of a file, target of a link
}

// digestOf names a set of entries: SHA-256 over the domain and the entries by
// the bytes of their paths, every length an unsigned 64-bit big-endian number.
func digestOf(entries []entry) string {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	h := sha256.New()
	field(h, []byte(domain))
	for _, e := range entries {
		h.Write([]byte{byte(e.kind)})
		field(h, []byte(e.path))
		field(h, e.content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func field(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
	h.Write(b)
}

func (e entry) equal(o entry) bool {
	return e.path == o.path && e.kind == o.kind && bytes.Equal(e.content, o.content)
}
