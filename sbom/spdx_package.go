package sbom

import (
	"cmp"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// spdxNone and noAssertion are what SPDX says of an element that there is not, and
// of one that nobody knows.
const (
	spdxNone    = "NONE"
	noAssertion = "NOASSERTION"
)

func (w *spdxWriter) packages(bom *cdx.BOM) {
	root := w.component(bom.Metadata.Component)
	w.doc.Packages = append(w.doc.Packages, root)
	w.relate("DOCUMENT", "DESCRIBES", root.PackageSPDXIdentifier)
	var walk func(list *[]cdx.Component)
	walk = func(list *[]cdx.Component) {
		for c := range each(list) {
			w.doc.Packages = append(w.doc.Packages, w.component(c))
			walk(c.Components)
		}
	}
	walk(bom.Components)
	for s := range each(bom.Services) {
		endpoint := w.service(s)
		w.doc.Packages = append(w.doc.Packages, endpoint)
		w.doc.Relationships = append(w.doc.Relationships, &spdx.Relationship{
			RefA: ref(root.PackageSPDXIdentifier), RefB: ref(endpoint.PackageSPDXIdentifier), Relationship: "OTHER", RelationshipComment: "provides the service",
		})
		for e := range each(s.Services) {
			entry := w.service(e)
			w.doc.Packages = append(w.doc.Packages, entry)
			w.relate(endpoint.PackageSPDXIdentifier, "CONTAINS", entry.PackageSPDXIdentifier)
		}
	}
}

func (w *spdxWriter) pkg(ref, name, version string) *spdx.Package {
	return &spdx.Package{
		PackageSPDXIdentifier: w.element(ref), PackageName: cmp.Or(name, "unnamed"), PackageVersion: version,
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: noAssertion, PackageCopyrightText: noAssertion,
	}
}

func (w *spdxWriter) component(c *cdx.Component) *spdx.Package {
	p := w.pkg(c.BOMRef, fullName(c), c.Version)
	p.PackageLicenseDeclared = w.licence(c)
	p.PrimaryPackagePurpose = map[cdx.ComponentType]string{
		cdx.ComponentTypeApplication: "APPLICATION", cdx.ComponentTypeFramework: "FRAMEWORK", cdx.ComponentTypeLibrary: "LIBRARY",
		cdx.ComponentTypeContainer: "CONTAINER", cdx.ComponentTypeOS: "OPERATING-SYSTEM", cdx.ComponentTypeFile: "FILE",
	}[c.Type]
	for h := range each(c.Hashes) {
		p.PackageChecksums = append(p.PackageChecksums, common.Checksum{Algorithm: common.ChecksumAlgorithm(strings.ReplaceAll(string(h.Algorithm), "SHA-", "SHA")), Value: h.Value})
	}
	if c.PackageURL != "" {
		p.PackageExternalReferences = []*spdx.PackageExternalReference{{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: c.PackageURL}}
	}
	if c.BOMRef != c.PackageURL {
		w.notes(p, "cyclonedx:bom-ref", c.BOMRef)
	}
	if c.Scope != "" {
		w.notes(p, "cyclonedx:scope", string(c.Scope))
	}
	if c.Evidence != nil {
		for o := range each(c.Evidence.Occurrences) {
			w.notes(p, "cyclonedx:evidence:occurrence", o.Location)
		}
	}
	w.properties(p, c.Properties)
	return p
}

// service writes an endpoint or an entry: SPDX 2.3 has no services.
func (w *spdxWriter) service(s *cdx.Service) *spdx.Package {
	p := w.pkg(s.BOMRef, s.Name, s.Version)
	p.PrimaryPackagePurpose = "OTHER"
	w.notes(p, "cyclonedx:bom-ref", s.BOMRef)
	for e := range each(s.Endpoints) {
		w.notes(p, "cyclonedx:endpoint", *e)
	}
	if s.Authenticated != nil {
		w.notes(p, "cyclonedx:authenticated", strconv.FormatBool(*s.Authenticated))
	}
	if s.CrossesTrustBoundary != nil {
		w.notes(p, "cyclonedx:x-trust-boundary", strconv.FormatBool(*s.CrossesTrustBoundary))
	}
	w.notes(p, "cyclonedx:data", dataLines(s.Data)...)
	for e := range each(s.ExternalReferences) {
		w.notes(p, "cyclonedx:externalReference:"+string(e.Type), e.URL)
	}
	w.properties(p, s.Properties)
	return p
}

func (w *spdxWriter) properties(p *spdx.Package, list *[]cdx.Property) {
	for prop := range each(list) {
		w.notes(p, prop.Name, prop.Value)
	}
}

// compositions annotates the document with what is whole.
func (w *spdxWriter) compositions(bom *cdx.BOM) {
	for c := range each(bom.Compositions) {
		w.doc.Annotations = append(w.doc.Annotations, w.annotate("cyclonedx:"+c.BOMRef, string(c.Aggregate)))
	}
}

// relationships writes the edges. A package of which it is known that it needs
// nothing says NONE, one of which nobody recorded it NOASSERTION.
func (w *spdxWriter) relationships(bom *cdx.BOM) {
	known := map[string]bool{}
	for c := range each(bom.Compositions) {
		for r := range each(c.Dependencies) {
			known[string(*r)] = c.Aggregate != cdx.CompositionAggregateUnknown
		}
	}
	for d := range each(bom.Dependencies) {
		from := w.element(d.Ref)
		for to := range each(d.Dependencies) {
			w.relate(from, "DEPENDS_ON", w.element(*to))
		}
		switch unknown, recorded := !known[d.Ref], d.Dependencies != nil && len(*d.Dependencies) > 0; {
		case d.Ref == serviceRef:
		case unknown:
			w.special(from, noAssertion)
		case !recorded:
			w.special(from, spdxNone)
		}
	}
}

func ref(id common.ElementID) common.DocElementID { return common.DocElementID{ElementRefID: id} }

func (w *spdxWriter) relate(a common.ElementID, kind string, b common.ElementID) {
	w.doc.Relationships = append(w.doc.Relationships, &spdx.Relationship{RefA: ref(a), RefB: ref(b), Relationship: kind})
}

func (w *spdxWriter) special(a common.ElementID, word string) {
	w.doc.Relationships = append(w.doc.Relationships, &spdx.Relationship{RefA: ref(a), RefB: common.DocElementID{SpecialID: word}, Relationship: "DEPENDS_ON"})
}
