// Package vex reads statements about exploitability, OpenVEX 0.2 and CycloneDX
// 1.4 to 1.7, and tells which of them is about one vulnerability of one
// component of one product, all named exactly.
//
// It must not know who may make such a statement, how long it counts or what
// follows from it.
package vex

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	packageurl "github.com/anchore/packageurl-go"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of the package.
var (
	// ErrMalformed: no document of either format, or a statement without its
	// required parts.
	ErrMalformed = errors.New("vex: malformed document")
	// ErrTooLarge: a limit on bytes, statements or names.
	ErrTooLarge = errors.New("vex: document exceeds a limit")
)

// Bounds of a document.
const (
	MaxBytes      = 16 << 20
	maxStatements = 50_000
	maxProducts   = 200_000 // over all statements
	maxText       = 1024    // bytes of a name or package URL
	maxDetail     = 500     // bytes kept of an explanation
)

// Status says how a product stands to a vulnerability, in OpenVEX's words.
type Status string

// The statuses.
const (
	NotAffected        Status = "not_affected"
	Fixed              Status = "fixed"
	Affected           Status = "affected"
	UnderInvestigation Status = "under_investigation"
)

// Suppresses reports whether the status says that there is nothing to act on.
func (s Status) Suppresses() bool { return s == NotAffected || s == Fixed }

// Statement is what a document says of one vulnerability in some products.
type Statement struct {
	Names         []string // identifier and aliases of the vulnerability
	Products      []Product
	Status        Status
	Justification string // of not_affected; a label of the format
	Detail        string // text of the author
	Time          time.Time
}

// Product is a package version by its package URL; with Components it is
// those parts of it alone.
type Product struct {
	Purl       string
	Components []string
}

// Document is one parsed document.
type Document struct {
	Format     string // openvex or cyclonedx
	Author     string // as it names itself; proves nothing
	Statements []Statement
	// Unresolved counts products that are not named by a package URL with a
	// version. Nothing is said about them here.
	Unresolved int
}

// Parse reads a document of either format strictly: one key twice, broken
// UTF-8 or data behind the end are errors.
func Parse(b []byte) (*Document, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	}
	var probe struct {
		Context jsontext.Value `json:"@context"`
		Format  string         `json:"bomFormat"`
	}
	if err := json.Unmarshal(b, &probe); err != nil {
		return nil, malformed("%s", err)
	}
	var d *Document
	var err error
	switch {
	case probe.Format == "CycloneDX":
		d, err = cyclonedx(b)
	case probe.Context != nil:
		d, err = openvex(b)
	default:
		return nil, malformed("neither OpenVEX nor CycloneDX")
	}
	if err != nil {
		return nil, err
	}
	return d, d.check()
}

func (d *Document) check() error {
	products := 0
	for _, s := range d.Statements {
		texts := slices.Clone(s.Names)
		for _, p := range s.Products {
			texts = append(append(texts, p.Purl), p.Components...)
		}
		products += len(texts)
		if slices.ContainsFunc(texts, func(s string) bool { return len(s) > maxText }) {
			return fmt.Errorf("%w: a name of more than %d bytes", ErrTooLarge, maxText)
		}
	}
	if len(d.Statements) > maxStatements || products > maxProducts {
		return fmt.Errorf("%w: more than %d statements or %d names", ErrTooLarge, maxStatements, maxProducts)
	}
	return nil
}

// About finds what the document says last of a vulnerability, known by names,
// in a component of a server. Of statements of one time, one that suppresses
// nothing counts.
func (d *Document) About(names []string, server, component string) (Statement, bool) {
	var found Statement
	for _, s := range d.Statements {
		if !s.about(names, server, component) {
			continue
		}
		if found.Status == "" || s.Time.After(found.Time) || s.Time.Equal(found.Time) && !s.Status.Suppresses() {
			found = s
		}
	}
	return found, found.Status != ""
}

func (s *Statement) about(names []string, server, component string) bool {
	if !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(s.Names, n) }) {
		return false
	}
	return slices.ContainsFunc(s.Products, func(p Product) bool {
		if len(p.Components) == 0 {
			return samePackage(p.Purl, component) || samePackage(p.Purl, server)
		}
		return samePackage(p.Purl, server) && slices.ContainsFunc(p.Components, func(c string) bool { return samePackage(c, component) })
	})
}

// samePackage compares package URLs: type, namespace, name and version are
// equal, and so is every qualifier that the statement names.
func samePackage(stated, has string) bool {
	if stated == has {
		return stated != ""
	}
	a, err := packageurl.FromString(stated)
	if err != nil {
		return false
	}
	b, err := packageurl.FromString(has)
	if err != nil || a.Type != b.Type || a.Namespace != b.Namespace || a.Name != b.Name || a.Version != b.Version || a.Subpath != b.Subpath && a.Subpath != "" {
		return false
	}
	qualifiers := b.Qualifiers.Map()
	for k, v := range a.Qualifiers.Map() {
		if qualifiers[k] != v {
			return false
		}
	}
	return true
}

// exact reports whether a product is named well enough to be recognised: by a
// package URL with a version.
func exact(purl string) bool {
	u, err := packageurl.FromString(purl)
	return err == nil && u.Version != ""
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, clip(fmt.Sprintf(format, args...), 200))
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
