package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// predicateCycloneDX is what publishers use for an SBOM of their own
// (cosign attest --type cyclonedx).
const predicateCycloneDX = "https://cyclonedx.org/bom"

// billOfMaterials catalogues the artifact, adds what the listing says, and
// countersigns the result. The publisher's own SBOM is only compared.
func (s *Service) billOfMaterials(ctx context.Context, w *work) error {
	doc, err := s.catalogue(ctx, w)
	if err != nil {
		return err
	}
	if err := s.comparePublishers(w, doc); err != nil {
		return err
	}
	if err := s.keepDefinitions(ctx, w); err != nil {
		return err
	}
	if err := doc.Enrich(enrichment(w)); err != nil {
		return refuse(ErrInvalid, RefusedArtifact, "the SBOM cannot be enriched with this listing")
	}
	encoded, err := doc.Encode()
	if err != nil {
		return err
	}
	if w.v.SBOM, err = s.keepBytes(ctx, w, encoded, mediaSBOM); err != nil {
		return err
	}
	w.document, w.bill = doc, summary(doc, w.v.SBOM)
	statement, err := doc.Statement()
	if err != nil {
		return err
	}
	signed, err := beside(s.SBOMSigner, encoded).Sign(ctx, statement)
	if err != nil {
		s.Logger.ErrorContext(ctx, "countersign SBOM", "error", err)
		return refuse(ErrUnavailable, RefusedSigning, "the SBOM cannot be countersigned now")
	}
	w.v.SBOMBundle, err = s.keepBytes(ctx, w, signed, mediaBundle)
	return err
}

// catalogue reads the artifact; without one the document says of itself that
// it is incomplete.
func (s *Service) catalogue(ctx context.Context, w *work) (*sbom.Document, error) {
	file, err := s.export(ctx, w)
	if err != nil {
		return nil, err
	}
	in := sbom.Input{Artifact: file, Kind: sbom.KindAuto, Tree: w.tree}
	if w.v.Artifact == "" {
		in.Kind = sbom.KindDirectory
	}
	doc, err := sbom.Generate(ctx, in, sbom.Options{})
	for _, known := range []error{sbom.ErrHostileArchive, sbom.ErrTooLarge, sbom.ErrUnsupported, sbom.ErrMalformed, sbom.ErrCatalogue} {
		if errors.Is(err, known) {
			return nil, refuse(ErrInvalid, RefusedArtifact, "the artifact was refused: %s", known)
		}
	}
	return doc, err
}

// comparePublishers quarantines a version whose publisher signed an SBOM that
// leaves out what the artifact holds.
func (s *Service) comparePublishers(w *work, ours *sbom.Document) error {
	for _, v := range w.verified {
		if v.Statement == nil || !strings.HasPrefix(v.Statement.PredicateType, predicateCycloneDX) {
			continue
		}
		theirs, err := sbom.DecodeForeign(v.Statement.Predicate)
		if err != nil {
			w.quarantine(admission.ReasonPublisherSBOMMismatch, "the publisher's SBOM cannot be read")
			continue
		}
		have := map[string]bool{}
		for _, c := range theirs.Components() {
			have[packageURL(c)] = true
		}
		var left []string
		for _, c := range ours.Components() {
			if u := packageURL(c); u != "" && !have[u] {
				left = append(left, u)
			}
		}
		if len(left) > 0 {
			w.quarantine(admission.ReasonPublisherSBOMMismatch, fmt.Sprintf("the publisher's SBOM lacks %d components that the artifact holds", len(left)))
		}
	}
	return nil
}

// packageURL is a component's package URL without qualifiers, which tools add
// as they like.
func packageURL(c sbom.Component) string {
	u, _, _ := strings.Cut(c.Purl, "?")
	u, _, _ = strings.Cut(u, "#")
	return u
}

func enrichment(w *work) sbom.MCP {
	v := w.v
	m := sbom.MCP{Name: v.Name, Version: v.Version.Version, Endpoint: v.Launch.URL, Scopes: v.Scopes,
		Transport: transportOf(v.Launch), Authenticated: authenticated(w), TLS: sealed(v.TLS), Permissions: v.Permissions, Definitions: v.Definitions}
	if v.Artifact != "" {
		m.ArtifactSHA256 = w.digests["sha256"]
		m.ArtifactSHA512 = w.digests["sha512"]
	}
	for _, p := range w.prints {
		m.Listings = append(m.Listings, sbom.MCPListing{Era: string(p.listing.Era), ProtocolVersion: p.listing.ProtocolVersion, Root: p.set.Root.String()})
		for _, e := range p.set.Entries {
			m.Entries = append(m.Entries, sbom.MCPEntry{Kind: e.Kind.String(), Key: e.Key, Fingerprint: e.Behavioural.String(), Whole: e.Whole.String(), Era: string(p.listing.Era),
				Needs: needsOf(v.Permissions, e.Kind.String(), e.Key)})
		}
	}
	return m
}

// keepDefinitions stores what the fingerprints are of, beside the SBOM.
func (s *Service) keepDefinitions(ctx context.Context, w *work) error {
	var f definition.File
	for _, p := range w.prints {
		f.Add(string(p.listing.Era), p.set)
	}
	b, err := f.Marshal()
	if err != nil {
		return err
	}
	w.v.Definitions, err = s.keepBytes(ctx, w, b, definition.MediaType)
	return err
}

func summary(doc *sbom.Document, digest string) checklist.SBOM {
	c := doc.Completeness()
	out := checklist.SBOM{Digest: digest, Complete: c.Level == sbom.Complete, Reasons: c.Reasons, Resolved: doc.Resolved()}
	for _, component := range doc.Components() {
		out.Components++
		if len(component.Licenses) == 0 {
			out.Unlicensed = append(out.Unlicensed, component.Name+"@"+component.Version)
		}
	}
	slices.Sort(out.Unlicensed)
	out.Unlicensed = out.Unlicensed[:min(len(out.Unlicensed), 200)]
	return out
}

// heldEntries are keys that one listing holds twice.
func heldEntries(prints []printed) []checklist.Entry {
	var out []checklist.Entry
	for _, p := range prints {
		for _, h := range p.set.Held {
			out = append(out, checklist.Entry{Era: string(p.listing.Era), Kind: h.Kind.String(), Key: h.Key})
		}
	}
	return out
}

func roots(prints []printed) map[string]fingerprint.Digest {
	out := map[string]fingerprint.Digest{}
	for _, p := range prints {
		out[string(p.listing.Era)] = p.set.Root
	}
	return out
}
