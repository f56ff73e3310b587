package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// MediaTypeSPDX is that of SPDX's output.
const MediaTypeSPDX = "application/spdx+json"

// spdxSpace is the UUIDv5 namespace of document namespaces.
var spdxSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/bartizan-mcp/bartizan/sbom/spdx/v1"))

const spdxAuthor = "bartizan"

// SPDX writes the document as SPDX 2.3 JSON. Components, services and entries
// are packages; what SPDX has no place for stands in annotations, one for each
// property, as {"name", "value"}. created is when the document was made; SPDX
// demands a time, and the zero one is written as the beginning of 1970. Equal
// documents and times give equal bytes.
func (d *Document) SPDX(created time.Time) ([]byte, error) {
	encoded, err := d.Encode()
	if err != nil {
		return nil, err
	}
	if created.IsZero() {
		created = time.Unix(0, 0)
	}
	w := &spdxWriter{
		at: created.UTC().Format(time.RFC3339), refs: map[string]common.ElementID{}, licences: map[string]string{},
	}
	w.doc = &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      cmp.Or(d.Root().Name, "unnamed"),
		DocumentNamespace: "https://github.com/bartizan-mcp/bartizan/spdx/" + uuid.NewSHA1(spdxSpace, encoded).String(),
		CreationInfo:      &spdx.CreationInfo{Created: w.at, Creators: []common.Creator{{CreatorType: "Tool", Creator: spdxAuthor}}},
	}
	w.tools(d.bom.Metadata)
	w.packages(d.bom)
	w.relationships(d.bom)
	w.compositions(d.bom)
	if w.err != nil {
		return nil, w.err
	}
	for _, id := range sorted(w.licences) {
		w.doc.OtherLicenses = append(w.doc.OtherLicenses, &spdx.OtherLicense{LicenseIdentifier: id, LicenseName: w.licences[id], ExtractedText: w.licences[id]})
	}
	var out bytes.Buffer
	if err := spdxjson.Write(w.doc, &out, spdxjson.EscapeHTML(false), spdxjson.Indent("  ")); err != nil {
		return nil, fmt.Errorf("sbom: SPDX: %w", err)
	}
	return out.Bytes(), nil
}

// spdxWriter collects one document.
type spdxWriter struct {
	doc      *spdx.Document
	at       string
	refs     map[string]common.ElementID // by bom-ref
	licences map[string]string           // text by LicenseRef
	err      error
}

func (w *spdxWriter) tools(m *cdx.Metadata) {
	if m == nil || m.Tools == nil {
		return
	}
	for c := range each(m.Tools.Components) {
		if c.Name != spdxAuthor {
			w.doc.CreationInfo.Creators = append(w.doc.CreationInfo.Creators, common.Creator{CreatorType: "Tool", Creator: c.Name + "-" + c.Version})
		}
	}
	for p := range each(m.Properties) {
		w.doc.Annotations = append(w.doc.Annotations, w.annotate(p.Name, p.Value))
	}
}

// element names a bom-ref, which may hold anything, by a digest of it.
func (w *spdxWriter) element(ref string) common.ElementID {
	if id, ok := w.refs[ref]; ok {
		return id
	}
	sum := sha256.Sum256([]byte(ref))
	id := common.ElementID("Element-" + hex.EncodeToString(sum[:10]))
	w.refs[ref] = id
	return id
}

func (w *spdxWriter) annotate(name, value string) *spdx.Annotation {
	text, err := json.Marshal(struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}{name, value})
	if err != nil {
		w.err = fmt.Errorf("%w: property %.80q", ErrMalformed, name)
	}
	return &spdx.Annotation{
		Annotator: common.Annotator{AnnotatorType: "Tool", Annotator: spdxAuthor}, AnnotationDate: w.at, AnnotationType: "OTHER", AnnotationComment: string(text),
	}
}

// notes annotates an element.
func (w *spdxWriter) notes(p *spdx.Package, name string, values ...string) {
	for _, v := range values {
		p.Annotations = append(p.Annotations, *w.annotate(name, v))
	}
}

// licence writes what a component declares. Names that are no SPDX expression
// become references to their own text.
func (w *spdxWriter) licence(c *cdx.Component) string {
	if c.Licenses == nil {
		return noAssertion
	}
	var parts []string
	for _, l := range *c.Licenses {
		switch {
		case l.Expression != "":
			parts = append(parts, l.Expression)
		case l.License != nil && l.License.ID != "":
			parts = append(parts, l.License.ID)
		case l.License != nil && l.License.Name != "":
			sum := sha256.Sum256([]byte(l.License.Name))
			id := "LicenseRef-" + hex.EncodeToString(sum[:10])
			w.licences[id] = l.License.Name
			parts = append(parts, id)
		}
	}
	if len(parts) > 1 {
		for i, p := range parts {
			if strings.Contains(p, " ") {
				parts[i] = "(" + p + ")"
			}
		}
	}
	return cmp.Or(strings.Join(slices.Compact(parts), " AND "), noAssertion)
}
