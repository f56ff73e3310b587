package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// rootRef is the bom-ref of metadata.component. It is a constant, so that
// enrichment can rename the server without touching edges or compositions.
const rootRef = "server"

// serialSpace is the UUIDv5 namespace of serial numbers.
var serialSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/bartizan-mcp/bartizan/sbom/serial/v1"))

// Document is one CycloneDX bill of materials.
type Document struct{ bom *cdx.BOM }

// Encode writes CycloneDX 1.6 JSON. Equal content gives equal bytes: everything
// is sorted, there is no time, and the serial number is derived from the rest.
func (d *Document) Encode() ([]byte, error) {
	bom := *d.bom
	bom.SerialNumber = ""
	plain, err := encode(&bom)
	if err != nil {
		return nil, err
	}
	bom.SerialNumber = "urn:uuid:" + uuid.NewSHA1(serialSpace, plain).String()
	return encode(&bom)
}

func encode(bom *cdx.BOM) ([]byte, error) {
	var out bytes.Buffer
	enc := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := enc.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("sbom: encode: %w", err)
	}
	return out.Bytes(), nil
}

// Digest is the lower-case hex SHA-256 of Encode.
func (d *Document) Digest() (string, error) {
	b, err := d.Encode()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Component is one part of the server, as a reader of the document sees it.
type Component struct {
	Purl      string   `json:"purl,omitempty"`
	Name      string   `json:"name"`
	Version   string   `json:"version,omitempty"`
	Scope     string   `json:"scope,omitempty"` // required | optional | excluded
	Licenses  []string `json:"licenses,omitempty"`
	Hashes    []string `json:"hashes,omitempty"`    // "SHA-512:<hex>"
	Locations []string `json:"locations,omitempty"` // files inside the artifact that name it
}

// Root is the server itself (metadata.component).
func (d *Document) Root() Component {
	if d.bom.Metadata == nil || d.bom.Metadata.Component == nil {
		return Component{}
	}
	return view(d.bom.Metadata.Component)
}

// Components lists the parts in document order, the server itself excluded and
// nested ones after what they are part of.
func (d *Document) Components() []Component { return flatten(nil, d.bom.Components) }

func flatten(out []Component, list *[]cdx.Component) []Component {
	for c := range each(list) {
		out = flatten(append(out, view(c)), c.Components)
	}
	return out
}

func view(c *cdx.Component) Component {
	v := Component{Purl: c.PackageURL, Name: fullName(c), Version: c.Version, Scope: string(c.Scope)}
	if c.Licenses != nil {
		for _, l := range *c.Licenses {
			switch {
			case l.Expression != "":
				v.Licenses = append(v.Licenses, l.Expression)
			case l.License != nil:
				v.Licenses = append(v.Licenses, cmp.Or(l.License.ID, l.License.Name))
			}
		}
	}
	for h := range each(c.Hashes) {
		v.Hashes = append(v.Hashes, string(h.Algorithm)+":"+h.Value)
	}
	if c.Evidence != nil {
		for o := range each(c.Evidence.Occurrences) {
			v.Locations = append(v.Locations, o.Location)
		}
	}
	return v
}

func fullName(c *cdx.Component) string {
	if c.Group == "" {
		return c.Name
	}
	return c.Group + "/" + c.Name
}

// Completeness levels, in the words of CycloneDX compositions.
const (
	Complete   = "complete"
	Incomplete = "incomplete"
)

// Completeness says whether the list of components can be whole, and if not, why.
type Completeness struct {
	Level   string   `json:"level"` // Complete or Incomplete
	Reasons []string `json:"reasons,omitempty"`
}

// Completeness reads what the document says of itself. A document that does not
// say is incomplete.
func (d *Document) Completeness() Completeness {
	c := Completeness{Level: Incomplete}
	if d.bom.Metadata != nil {
		for p := range each(d.bom.Metadata.Properties) {
			switch p.Name {
			case propCompleteness:
				if p.Value == Complete {
					c.Level = Complete
				}
			case propReason:
				c.Reasons = append(c.Reasons, p.Value)
			}
		}
	}
	if c.Level == Incomplete && len(c.Reasons) == 0 {
		c.Reasons = []string{"the document does not state its completeness"}
	}
	return c
}

// each ranges over pointers to the elements of cyclonedx-go's optional slices.
func each[T any](s *[]T) func(yield func(*T) bool) {
	return func(yield func(*T) bool) {
		if s == nil {
			return
		}
		for i := range *s {
			if !yield(&(*s)[i]) {
				return
			}
		}
	}
}

// optional returns nil for an empty slice, so that no empty list is written.
func optional[T any](s []T) *[]T {
	if len(s) == 0 {
		return nil
	}
	return &s
}

func sortProperties(p []cdx.Property) *[]cdx.Property {
	slices.SortFunc(p, func(a, b cdx.Property) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	return optional(slices.Compact(p))
}
