package sbom

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Enrich names the server and writes its endpoint and entries as services. It
// replaces an earlier enrichment, so enriching twice changes nothing.
func (d *Document) Enrich(m MCP) error {
	if d.bom.Metadata == nil || d.bom.Metadata.Component == nil {
		return fmt.Errorf("%w: no metadata.component", ErrMalformed)
	}
	root, err := enrichRoot(*d.bom.Metadata.Component, m)
	if err != nil {
		return err
	}
	service, err := endpointService(m, root)
	if err != nil {
		return err
	}
	d.bom.Metadata.Component = &root
	d.bom.Services = &[]cdx.Service{service}
	d.linkService()
	return nil
}

func enrichRoot(root cdx.Component, m MCP) (cdx.Component, error) {
	if m.Purl != "" && !strings.HasPrefix(m.Purl, "pkg:") {
		return root, fmt.Errorf("%w: package URL %q", ErrMalformed, m.Purl)
	}
	// What the artifact says of itself stays visible when server.json says otherwise.
	if m.Purl != "" && root.PackageURL != "" && m.Purl != root.PackageURL && !hasProperty(&root, propManifest) {
		root.Properties = sortProperties(append(propertiesOf(root.Properties), cdx.Property{Name: propManifest, Value: root.PackageURL}))
	}
	if m.Name != "" {
		root.Group, root.Name = "", m.Name
	}
	root.Version = cmp.Or(m.Version, root.Version)
	root.PackageURL = cmp.Or(m.Purl, root.PackageURL)
	hashes := map[cdx.HashAlgorithm]string{}
	for h := range each(root.Hashes) {
		hashes[h.Algorithm] = h.Value
	}
	for alg, digest := range map[cdx.HashAlgorithm]string{cdx.HashAlgoSHA256: m.ArtifactSHA256, cdx.HashAlgoSHA512: m.ArtifactSHA512} {
		if digest == "" {
			continue
		}
		size := map[cdx.HashAlgorithm]int{cdx.HashAlgoSHA256: 32, cdx.HashAlgoSHA512: 64}[alg]
		clean, err := digestHex(digest, size)
		if err != nil {
			return root, fmt.Errorf("artifact %s: %w", alg, err)
		}
		if have, ok := hashes[alg]; ok && have != clean {
			return root, fmt.Errorf("%w: artifact %s differs from the catalogued bytes", ErrMalformed, alg)
		}
		hashes[alg] = clean
	}
	root.Hashes = sortedHashes(hashes)
	return root, nil
}

func endpointService(m MCP, root cdx.Component) (cdx.Service, error) {
	s := cdx.Service{BOMRef: serviceRef, Name: root.Name, Version: root.Version, Authenticated: m.Authenticated}
	props := []cdx.Property{{Name: propMCPKind, Value: "server"}, {Name: propMCPAlg, Value: fingerprintAlg}}
	if m.Endpoint != "" {
		u, err := url.Parse(m.Endpoint)
		if err != nil || u.Host == "" || u.User != nil {
			// The URL itself stays out of the error: it may hold credentials.
			return s, fmt.Errorf("%w: endpoint is not an absolute URL without user information", ErrMalformed)
		}
		s.Endpoints = &[]string{u.String()}
		s.CrossesTrustBoundary = cdx.Bool(true)
	}
	for _, scope := range m.Scopes {
		props = append(props, cdx.Property{Name: propMCPScope, Value: scope})
	}
	if m.Transport != "" {
		props = append(props, cdx.Property{Name: propMCPTransport, Value: m.Transport})
	}
	if m.Permissions != nil {
		props = append(props, needsProperties(m.Permissions.Needs)...)
		s.Data = dataOf(flowsOf(m.Permissions.Data))
		if s.CrossesTrustBoundary == nil {
			s.CrossesTrustBoundary = crosses(m.Permissions.Needs)
		}
	}
	sealed, err := tlsProperties(m.TLS)
	if err != nil {
		return s, err
	}
	props = append(props, sealed...)
	if m.Definitions != "" {
		digest, err := digestHex(m.Definitions, 32)
		if err != nil {
			return s, fmt.Errorf("definitions: %w", err)
		}
		props = append(props, cdx.Property{Name: propMCPDefinitions, Value: digest})
		s.ExternalReferences = &[]cdx.ExternalReference{definitionsReference(digest)}
	}
	eras := map[string]bool{}
	for _, l := range m.Listings {
		if eras[l.Era] {
			return s, fmt.Errorf("%w: two listings of era %q", ErrMalformed, l.Era)
		}
		eras[l.Era] = true
		digest, err := digestHex(l.Root, 32)
		if err != nil {
			return s, fmt.Errorf("listing root: %w", err)
		}
		name := propMCPRoot
		if l.Era != "" {
			name += ":" + l.Era
		}
		props = append(props, cdx.Property{Name: name, Value: digest})
		if l.ProtocolVersion != "" {
			props = append(props, cdx.Property{Name: propMCPProtocol, Value: l.ProtocolVersion})
		}
	}
	entries, err := entryServices(m.Entries)
	if err != nil {
		return s, err
	}
	s.Services = optional(entries)
	s.Properties = sortProperties(props)
	return s, nil
}

// entryServices makes one service per distinct entry. The same entry in the
// listings of two eras is one service with two era properties.
func entryServices(entries []MCPEntry) ([]cdx.Service, error) {
	type id struct{ kind, key, behavioural, whole string }
	merged := map[id]*cdx.Service{}
	variants := map[[2]string][]id{}
	for _, e := range entries {
		if !slices.Contains(entryKinds, e.Kind) {
			return nil, fmt.Errorf("%w: entry kind %q", ErrMalformed, e.Kind)
		}
		if !utf8.ValidString(e.Key) {
			return nil, fmt.Errorf("%w: key of a %s is not UTF-8", ErrMalformed, e.Kind)
		}
		behavioural, err := digestHex(e.Fingerprint, 32)
		if err != nil {
			return nil, fmt.Errorf("fingerprint of %s: %w", e.Kind, err)
		}
		whole := ""
		if e.Whole != "" {
			if whole, err = digestHex(e.Whole, 32); err != nil {
				return nil, fmt.Errorf("whole fingerprint of %s: %w", e.Kind, err)
			}
		}
		k := id{e.Kind, e.Key, behavioural, whole}
		s := merged[k]
		if s == nil {
			s = &cdx.Service{Name: cmp.Or(e.Key, e.Kind)}
			merged[k] = s
			variants[[2]string{e.Kind, e.Key}] = append(variants[[2]string{e.Kind, e.Key}], k)
		}
		if err := addEntry(s, e, behavioural, whole); err != nil {
			return nil, err
		}
	}
	out := make([]cdx.Service, 0, len(merged))
	for key, ids := range variants {
		for _, k := range ids {
			s := merged[k]
			s.BOMRef = serviceRef + "/" + key[0] + "/" + url.PathEscape(key[1])
			if len(ids) > 1 { // the eras disagree: both variants are listed
				s.BOMRef += "#" + k.behavioural + k.whole
			}
			s.Properties = sortProperties(*s.Properties)
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(a, b cdx.Service) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	return out, nil
}

func addEntry(s *cdx.Service, e MCPEntry, behavioural, whole string) error {
	props := append(propertiesOf(s.Properties),
		cdx.Property{Name: propMCPKind, Value: e.Kind},
		cdx.Property{Name: propFingerprint(e.Kind, false), Value: behavioural})
	if whole != "" {
		props = append(props, cdx.Property{Name: propFingerprint(e.Kind, true), Value: whole})
	}
	if e.Era != "" {
		props = append(props, cdx.Property{Name: propMCPEra, Value: e.Era})
	}
	for _, scope := range e.Scopes {
		props = append(props, cdx.Property{Name: propMCPScope, Value: scope})
	}
	s.Properties = &props
	flows := slices.Clone(e.Flows)
	for d := range each(s.Data) {
		flows = append(flows, Flow{Direction: string(d.Flow), Classification: d.Classification})
	}
	if e.Needs != nil {
		for _, scope := range e.Needs.Scopes() {
			props = append(props, cdx.Property{Name: propMCPScope, Value: scope})
		}
		props = append(props, needsProperties(*e.Needs)...)
		flows = append(flows, flowsOf(e.Needs.Data)...)
		s.CrossesTrustBoundary = crosses(*e.Needs)
	}
	for _, f := range flows {
		switch cdx.DataFlow(f.Direction) {
		case cdx.DataFlowInbound, cdx.DataFlowOutbound, cdx.DataFlowBidirectional, cdx.DataFlowUnknown:
		default:
			return fmt.Errorf("%w: data flow %q", ErrMalformed, f.Direction)
		}
	}
	s.Data = dataOf(flows)
	return nil
}

// linkService says that the endpoint is provided by the server component.
func (d *Document) linkService() {
	var deps []cdx.Dependency
	for dep := range each(d.bom.Dependencies) {
		if dep.Ref != serviceRef {
			deps = append(deps, *dep)
		}
	}
	deps = append(deps, cdx.Dependency{Ref: serviceRef, Dependencies: &[]string{rootRef}})
	slices.SortFunc(deps, func(a, b cdx.Dependency) int { return strings.Compare(a.Ref, b.Ref) })
	d.bom.Dependencies = &deps
}

func digestHex(s string, size int) (string, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(s, "sha256:"))
	if err != nil || len(raw) != size {
		return "", fmt.Errorf("%w: not a %d-byte hex digest", ErrMalformed, size)
	}
	return hex.EncodeToString(raw), nil
}

func sortedHashes(m map[cdx.HashAlgorithm]string) *[]cdx.Hash {
	var out []cdx.Hash
	for alg, v := range m {
		out = append(out, cdx.Hash{Algorithm: alg, Value: v})
	}
	slices.SortFunc(out, func(a, b cdx.Hash) int { return strings.Compare(string(a.Algorithm), string(b.Algorithm)) })
	return optional(out)
}

func propertiesOf(p *[]cdx.Property) []cdx.Property {
	if p == nil {
		return nil
	}
	return slices.Clone(*p)
}

func hasProperty(c *cdx.Component, name string) bool {
	for p := range each(c.Properties) {
		if p.Name == name {
			return true
		}
	}
	return false
}
