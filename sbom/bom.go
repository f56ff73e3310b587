package sbom

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
)

// maxLicense is the longest licence text that counts as a name of one.
const maxLicense = 256

// document writes the graph as CycloneDX, sorted throughout.
func (g *graph) document() *Document {
	root := g.root.component(rootRef)
	if g.info.SHA256 != "" {
		root.Hashes = &[]cdx.Hash{
			{Algorithm: cdx.HashAlgoSHA256, Value: g.info.SHA256},
			{Algorithm: cdx.HashAlgoSHA512, Value: g.info.SHA512},
		}
	}
	bom := cdx.NewBOM()
	var components []cdx.Component
	for _, purl := range sorted(g.nodes) {
		components = append(components, *g.nodes[purl].component(purl))
	}
	bom.Components = optional(components)
	bom.Dependencies, bom.Compositions = g.dependencies(), g.compositions()

	props := []cdx.Property{{Name: propCompleteness, Value: g.level()}}
	for _, x := range g.rootNotes {
		props = append(props, cdx.Property{Name: x.name, Value: valid(x.value)})
	}
	for at := range g.gaps {
		props = append(props, cdx.Property{Name: propReason, Value: strings.TrimSpace(g.location(at.file) + " " + at.text)})
	}
	for _, r := range g.resolutions {
		props = append(props, cdx.Property{Name: propResolved, Value: valid(r.String())})
	}
	bom.Metadata = &cdx.Metadata{
		Component:  root,
		Properties: sortProperties(props),
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
			{Type: cdx.ComponentTypeApplication, Name: "bartizan"},
			{Type: cdx.ComponentTypeLibrary, Name: "syft", Version: catalogue.Version},
		}},
	}
	return &Document{bom: bom}
}

func (g *graph) level() string {
	if len(g.gaps) > 0 {
		return Incomplete
	}
	return Complete
}

func (g *graph) dependencies() *[]cdx.Dependency {
	refs := append(sorted(g.nodes), rootRef)
	slices.Sort(refs)
	var out []cdx.Dependency
	for _, ref := range refs {
		d := cdx.Dependency{Ref: ref}
		if to := slices.Sorted(maps.Keys(g.edges[ref])); len(to) > 0 {
			d.Dependencies = &to
		}
		out = append(out, d)
	}
	return &out
}

// compositions says which lists are whole: the components of the server, and
// the edges of each component. "unknown" edges are those no manifest records.
func (g *graph) compositions() *[]cdx.Composition {
	var exact, unknown []cdx.BOMReference
	for _, ref := range append(sorted(g.nodes), rootRef) {
		if g.exact[ref] {
			exact = append(exact, cdx.BOMReference(ref))
		} else {
			unknown = append(unknown, cdx.BOMReference(ref))
		}
	}
	slices.Sort(exact)
	slices.Sort(unknown)
	out := []cdx.Composition{{
		BOMRef: "composition/components", Aggregate: cdx.CompositionAggregate(g.level()),
		Assemblies: &[]cdx.BOMReference{rootRef},
	}}
	if len(exact) > 0 {
		aggregate := cdx.CompositionAggregateComplete
		if g.level() != Complete {
			aggregate = cdx.CompositionAggregateIncomplete
		}
		out = append(out, cdx.Composition{BOMRef: "composition/edges", Aggregate: aggregate, Dependencies: &exact})
	}
	if len(unknown) > 0 {
		out = append(out, cdx.Composition{BOMRef: "composition/edges-unknown", Aggregate: cdx.CompositionAggregateUnknown, Dependencies: &unknown})
	}
	return &out
}

func (n *node) component(ref string) *cdx.Component {
	c := &cdx.Component{
		BOMRef: ref, Type: cdx.ComponentTypeLibrary, Name: n.name, Version: n.version,
		PackageURL: n.purl, Licenses: licenses(n.licenses),
	}
	if n.application {
		c.Type = cdx.ComponentTypeApplication
	}
	if group, name, ok := strings.Cut(n.name, "/"); ok && n.kind == "npm" && strings.HasPrefix(n.name, "@") {
		c.Group, c.Name = group, name
	}
	if ref == rootRef {
		return c // its scope and evidence go without saying
	}
	c.Scope = map[scope]cdx.Scope{excluded: cdx.ScopeExcluded, optionally: cdx.ScopeOptional, required: cdx.ScopeRequired}[n.scope]
	var hashes []cdx.Hash
	for h := range n.hashes {
		alg := cdx.HashAlgorithm("SHA-" + strings.TrimPrefix(h.Algorithm, "sha"))
		hashes = append(hashes, cdx.Hash{Algorithm: alg, Value: h.Hex})
	}
	slices.SortFunc(hashes, func(a, b cdx.Hash) int {
		return cmp.Or(strings.Compare(string(a.Algorithm), string(b.Algorithm)), strings.Compare(a.Value, b.Value))
	})
	c.Hashes = optional(hashes)
	var seen []cdx.EvidenceOccurrence
	for _, at := range sorted(n.locations) {
		seen = append(seen, cdx.EvidenceOccurrence{Location: at})
	}
	if len(seen) > 0 {
		c.Evidence = &cdx.Evidence{Occurrences: &seen}
	}
	c.Properties = sortProperties(n.properties())
	return c
}

func (n *node) properties() []cdx.Property {
	var p []cdx.Property
	add := func(name, value string) {
		if value != "" {
			p = append(p, cdx.Property{Name: name, Value: value})
		}
	}
	add(propReplaces, valid(n.replaces))
	add(propModuleSum, valid(n.goSum))
	if n.kind == "npm" && n.scope == excluded {
		add(propDevelopment, "true")
	}
	add(propSource, valid(n.source))
	if n.bundled {
		add(propBundled, "true")
	}
	if n.kind == "pypi" && n.scope == excluded {
		add(propPyDev, "true")
	}
	if n.kind == "cargo" && n.scope == excluded {
		add(propCrateDev, "true")
	}
	if n.conditional {
		add(propPyCondition, "true")
	}
	for x := range n.notes {
		if x.name != propPyMarker || n.conditional {
			add(x.name, valid(x.value))
		}
	}
	return p
}

// licenses follows the schema: one SPDX expression, or a list of named licences.
func licenses(found []catalogue.License) *cdx.Licenses {
	found = slices.DeleteFunc(slices.Clone(found), func(l catalogue.License) bool {
		return len(l.Value) > maxLicense || !utf8.ValidString(l.Value)
	})
	slices.SortFunc(found, func(a, b catalogue.License) int {
		if c := strings.Compare(a.Value, b.Value); c != 0 || a.SPDX == b.SPDX {
			return c
		}
		if a.SPDX {
			return -1
		}
		return 1
	})
	found = slices.CompactFunc(found, func(a, b catalogue.License) bool { return a.Value == b.Value })
	switch {
	case len(found) == 0:
		return nil
	case len(found) == 1 && found[0].SPDX:
		return &cdx.Licenses{{Expression: found[0].Value}}
	}
	out := cdx.Licenses{}
	for _, l := range found {
		out = append(out, cdx.LicenseChoice{License: &cdx.License{Name: l.Value}})
	}
	return &out
}
