package sbom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a stored document.
const (
	maxDocumentBytes = 64 << 20
	maxDocumentDepth = 64
)

// Decode reads a CycloneDX 1.6 JSON document strictly: duplicate or unknown
// keys, invalid UTF-8, trailing data, deep nesting and repeated bom-refs are
// ErrMalformed. What Encode wrote decodes to the same bytes.
func Decode(b []byte) (*Document, error) {
	bom, err := decode(b, json.RejectUnknownMembers(true))
	if err != nil {
		return nil, err
	}
	switch {
	case bom.SpecVersion != cdx.SpecVersion1_6:
		return nil, fmt.Errorf("%w: not a CycloneDX 1.6 document", ErrMalformed)
	case bom.Metadata == nil || bom.Metadata.Component == nil:
		return nil, fmt.Errorf("%w: no metadata.component", ErrMalformed)
	}
	if err := checkRefs(bom); err != nil {
		return nil, err
	}
	return &Document{bom: bom}, nil
}

// DecodeForeign reads a CycloneDX JSON document that another tool wrote, of
// versions 1.4 to 1.7, to compare it with ours. It is as strict as Decode about
// JSON, and ignores keys that it does not know.
func DecodeForeign(b []byte) (*Document, error) {
	bom, err := decode(b)
	if err != nil {
		return nil, err
	}
	if bom.SpecVersion < cdx.SpecVersion1_4 || bom.SpecVersion > cdx.SpecVersion1_7 {
		return nil, fmt.Errorf("%w: not CycloneDX 1.4 to 1.7", ErrMalformed)
	}
	return &Document{bom: bom}, nil
}

func decode(b []byte, opts ...json.Options) (*cdx.BOM, error) {
	if len(b) > maxDocumentBytes {
		return nil, fmt.Errorf("%w: SBOM of more than %d bytes", ErrTooLarge, maxDocumentBytes)
	}
	if err := checkDepth(b); err != nil {
		return nil, err
	}
	bom := new(cdx.BOM)
	if err := json.Unmarshal(b, bom, opts...); err != nil {
		return nil, malformed(err)
	}
	if bom.BOMFormat != cdx.BOMFormat {
		return nil, fmt.Errorf("%w: not a CycloneDX document", ErrMalformed)
	}
	return bom, nil
}

// checkDepth runs before any decoder that recurses.
func checkDepth(b []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return malformed(err)
		}
		if d.StackDepth() > maxDocumentDepth {
			return fmt.Errorf("%w: SBOM nested more than %d deep", ErrTooLarge, maxDocumentDepth)
		}
	}
}

func checkRefs(bom *cdx.BOM) error {
	seen := map[string]bool{}
	claim := func(ref string) error {
		if ref != "" && seen[ref] {
			return fmt.Errorf("%w: bom-ref %.80q occurs twice", ErrMalformed, ref)
		}
		seen[ref] = true
		return nil
	}
	if err := claim(bom.Metadata.Component.BOMRef); err != nil {
		return err
	}
	for c := range each(bom.Components) {
		if err := claim(c.BOMRef); err != nil {
			return err
		}
	}
	for s := range each(bom.Services) {
		if err := claim(s.BOMRef); err != nil {
			return err
		}
		for e := range each(s.Services) {
			if err := claim(e.BOMRef); err != nil {
				return err
			}
		}
	}
	return nil
}

func malformed(err error) error {
	s := strings.ToValidUTF8(err.Error(), "?")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Errorf("%w: %s", ErrMalformed, s)
}
