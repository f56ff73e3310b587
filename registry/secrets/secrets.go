// Package secrets finds credentials that were published by mistake: in the
// files of an artifact, in server.json and in the way a server is started.
//
// What a credential looks like it does not know: that is the scanner exfil,
// whose patterns find the places worth a look in a fast pass over all bytes,
// and which judges those places. Here is what a scanner of messages cannot
// know: where a text stands, and so whether it is the publisher's own, a test's,
// an example's or a dependency's.
//
// It must not know storage, HTTP, states or the checklist. What it reports
// never holds a secret's text.
package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/match"
)

// Scanner is the name of the scanner whose rules are used.
const Scanner = "exfil"

// ErrScanner is a scanner that cannot serve here.
var ErrScanner = errors.New("secrets: scanner")

// Where a finding stands.
const (
	PlaceOwn           = "own"           // the publisher's own files
	PlaceConfiguration = "configuration" // files of it that programs read settings from
	PlaceTest          = "test"          // tests, fixtures, examples, documentation
	PlaceDependency    = "dependency"    // other people's files that came along
	PlaceDescription   = "server.json"
	PlaceLaunch        = "launch"
)

// Hit is one place with a credential. It says where and of what kind, never what.
type Hit struct {
	Place string `json:"place"`
	// Where is the file of an artifact, the JSON Pointer into server.json, or
	// the part of the launch.
	Where string `json:"where"`
	Line  int    `json:"line,omitzero"`   // from 1; 0 where there are no lines
	At    int64  `json:"offset,omitzero"` // of bytes, in a file without lines
	Rule  string `json:"rule"`
	// Mark tells equal secrets from different ones: a keyed digest, cut to 48 bits.
	Mark string `json:"mark"`
	// Counts is what holds the version back; the rest is for reviewers to see.
	Counts bool `json:"counts"`
}

// String is the hit in one line.
func (h Hit) String() string {
	switch {
	case h.Line > 0:
		return fmt.Sprintf("%s line %d (%s)", h.Where, h.Line, h.Rule)
	case h.At > 0:
		return fmt.Sprintf("%s byte %d (%s)", h.Where, h.At, h.Rule)
	}
	return fmt.Sprintf("%s (%s)", h.Where, h.Rule)
}

// Report is what was found in one publication.
type Report struct {
	Scanner string `json:"scanner"` // name@digest of who judged
	Files   int    `json:"files"`   // that were read, to the last byte
	Bytes   int64  `json:"bytes"`
	Hits    []Hit  `json:"hits"`
	// Bounded counts bytes of the publisher's own files that were examined for
	// the forms of credentials, and no more for words that announce one.
	Bounded int64 `json:"bounded,omitzero"`
	// Unexamined says what could not be examined; empty means everything was.
	Unexamined string `json:"unexamined,omitzero"`
}

// Counting returns the hits that hold a version back.
func (r *Report) Counting() []Hit {
	var out []Hit
	for _, h := range r.Hits {
		if h.Counts {
			out = append(out, h)
		}
	}
	return out
}

// maxHits of a report. Those that count push out others.
const maxHits = 200

func (r *Report) add(h Hit) {
	for _, g := range r.Hits {
		if g == h {
			return
		}
	}
	if len(r.Hits) < maxHits {
		r.Hits = append(r.Hits, h)
		return
	}
	for i := range r.Hits {
		if h.Counts && !r.Hits[i].Counts {
			r.Hits[i] = h
			return
		}
	}
}

// Finder looks for credentials. It is safe for concurrent use.
type Finder struct {
	ref    string
	set    *engine.Set
	proofs *match.Automaton // forms that prove a credential
	words  *match.Automaton // words that announce one
	key    []byte
}

// New returns a finder that asks the scanner exfil, which stays the caller's.
// key makes the marks of hits: whoever has a mark but not the key cannot try
// guesses against it.
func New(scanner *engine.Scanner, key []byte) (*Finder, error) {
	m := scanner.Manifest()
	if m.Name != Scanner {
		return nil, fmt.Errorf("%w: %s instead of %s", ErrScanner, m.Name, Scanner)
	}
	f := &Finder{ref: m.Name + "@" + scanner.Digest(), set: engine.NewSet(scanner), key: key}
	var proofs, words []match.Pattern
	for _, p := range m.Patterns {
		pattern := match.Pattern{Text: p.Text, Shape: p.Shape, Exact: p.Exact}
		group, _, _ := strings.Cut(p.ID, ".")
		switch group {
		case "token", "pem", "putty", "azure", "hook":
			proofs = append(proofs, pattern)
		case "jwt", "scheme", "command", "curl", "header", "authorization", "stem", "name", "url":
			words = append(words, pattern)
		}
	}
	if len(proofs) == 0 || len(words) == 0 {
		return nil, fmt.Errorf("%w: its patterns have other names", ErrScanner)
	}
	var err error
	if f.proofs, err = match.Compile(proofs); err == nil {
		f.words, err = match.Compile(words)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScanner, err)
	}
	return f, nil
}

func (f *Finder) mark(secret string) string {
	h := hmac.New(sha256.New, f.key)
	h.Write([]byte(secret))
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// ended reports that the work was given up by the caller, which is no verdict.
func ended(ctx context.Context) error { return context.Cause(ctx) }
