package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Submission is what a publisher sends.
type Submission struct {
	ServerJSON []byte
	Artifact   string // digest of a stored blob, "" without an artifact
	Listing    []byte // a capture, nil to let the registry capture it
	Bundles    [][]byte
	Options    PublishOptions
}

// PublishOptions say how the server is started and served.
type PublishOptions struct {
	Launch        admission.Launch `json:"launch"`
	Alias         string           `json:"alias,omitzero"`  // default: the last part of the name
	Tier          string           `json:"tier,omitzero"`   // default: standard
	Scopes        []string         `json:"scopes,omitzero"` // nil: not declared; empty: needs none
	ListingSource string           `json:"listingSource,omitzero"`
	// Permissions are declared here or in server.json.
	Permissions jsontext.Value `json:"permissions,omitzero"`
}

var aliasPattern = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

// MayPublish checks that the caller may publish the server that this
// server.json describes, before anything large is read. It returns the parsed
// document.
func (s *Service) MayPublish(by identity.Caller, serverJSON []byte) (*serverjson.Document, error) {
	if !by.HasRole(identity.RolePublisher, identity.RoleAdmin) {
		return nil, refuse(ErrForbidden, RefusedRole, "publishing needs the role publisher")
	}
	doc, err := serverjson.Parse(serverJSON)
	if err != nil {
		r := &Refusal{Class: ErrInvalid, Reason: RefusedServerJSON, Detail: "server.json is not valid"}
		errors.As(err, (*serverjson.Problems)(&r.Problems))
		return nil, r
	}
	if !by.OwnsNamespace(doc.Namespace()) {
		return nil, refuse(ErrForbidden, RefusedNamespace, "this key does not cover the namespace %s", doc.Namespace())
	}
	return doc, nil
}

// StoreArtifact keeps an artifact's bytes ahead of its publication.
func (s *Service) StoreArtifact(ctx context.Context, r io.Reader) (digest string, err error) {
	digest, _, err = s.Blobs.Put(ctx, r, MaxArtifact)
	return digest, classifyBlob(err)
}

// Publish takes a submission in and runs it through the pipeline. The same
// content by the same publisher gets the same answer again, and other content
// for the same version is a conflict. Signatures are about the content and not
// part of it: published again with some, a version that lacked them goes on as
// if they had been attached.
func (s *Service) Publish(ctx context.Context, by audit.Origin, sub Submission) (*admission.Version, error) {
	doc, err := s.MayPublish(by.Caller, sub.ServerJSON)
	if err != nil {
		return nil, err
	}
	v, err := s.prepare(by, doc, &sub)
	if err != nil {
		return nil, err
	}
	stored, err := s.admit(ctx, by, v, &sub)
	if err != nil {
		return nil, err
	}
	if stored != v && len(sub.Bundles) > 0 && stored.unsignedOnly() {
		return s.Attach(ctx, by, v.Name, v.Version.Version, sub.Bundles)
	}
	return &stored.Version, nil
}

// admit stores the parts and the version, or finds the one that is there, and
// runs the pipeline if it has not run.
func (s *Service) admit(ctx context.Context, by audit.Origin, v *version, sub *Submission) (*version, error) {
	unlock := s.busy.lock(v.key())
	defer unlock()
	if err := s.storeParts(ctx, v, sub); err != nil {
		return nil, err
	}
	s.failpoint("parts")
	stored, err := s.receive(ctx, by, v)
	if err != nil {
		return nil, err
	}
	s.failpoint("received")
	if stored.State != admission.Received {
		return stored, nil
	}
	done, err := s.process(ctx, by, stored)
	if err != nil || stored != v {
		return done, err
	}
	*v = *done
	return v, nil
}

// prepare checks everything that can be checked without storing anything.
func (s *Service) prepare(by audit.Origin, doc *serverjson.Document, sub *Submission) (*version, error) {
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	o := &sub.Options
	if o.Tier == "" {
		o.Tier = approval.TierStandard
	}
	if _, known := trust.Tiers[o.Tier]; !known {
		return nil, refuse(ErrInvalid, RefusedOptions, "the trust document knows no tier %q", o.Tier)
	}
	if o.Alias == "" {
		o.Alias = defaultAlias(doc.Name)
	}
	if !aliasPattern.MatchString(o.Alias) {
		return nil, refuse(ErrInvalid, RefusedOptions, "alias must match [a-z0-9-]{1,20}")
	}
	if len(o.Scopes) > 256 || slices.ContainsFunc(o.Scopes, badScope) {
		return nil, refuse(ErrInvalid, RefusedOptions, "at most 256 scopes, each 1 to 200 printable characters without spaces")
	}
	if len(sub.Bundles) > MaxBundles {
		return nil, refuse(ErrInvalid, RefusedBundle, "at most %d bundles", MaxBundles)
	}
	for _, b := range sub.Bundles {
		if len(b) > attest.MaxBundle {
			return nil, refuse(ErrTooLarge, RefusedTooLarge, "a bundle has more than %d bytes", attest.MaxBundle)
		}
	}
	launch, binding, err := bind(doc, o.Launch, sub.Artifact != "")
	if err != nil {
		return nil, err
	}
	source, err := s.listingSource(doc, sub)
	if err != nil {
		return nil, err
	}
	permissions, err := declared(doc, o)
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC()
	return &version{
		Tenant: by.Caller.Tenant,
		Version: admission.Version{
			Name: doc.Name, Version: doc.Version, State: admission.Received,
			Review: "rv-" + strings.ToLower(rand.Text()[:20]), Publisher: by.Caller.Principal,
			Alias: o.Alias, Tier: o.Tier, Binding: string(binding), Launch: launch, Scopes: scopes(o.Scopes, permissions), Permissions: permissions,
			Artifact: sub.Artifact, Source: source, Created: now, Updated: now,
		},
		Publication: Publication{KeyNamespaces: by.Caller.Namespaces, ScopesDeclared: o.Scopes != nil || permissions != nil, ScannerBindings: doc.ScannerBindings},
	}, nil
}

// listingSource reads a supplied capture, so that a bad one is refused before
// anything is stored.
func (s *Service) listingSource(doc *serverjson.Document, sub *Submission) (string, error) {
	_, remote := doc.Endpoint()
	local := !remote || len(sub.Options.Launch.Command) > 0
	if sub.Listing == nil {
		switch {
		case !local:
			return listing.SourceRegistry, nil
		case s.Probe == nil:
			return "", refuse(ErrInvalid, RefusedListingMissing, "the registry starts no servers: supply the listing (publish --listing FILE)")
		case sub.Artifact == "":
			return "", refuse(ErrInvalid, RefusedListingMissing, "the registry starts only what was published: send the artifact too (publish --artifact), or supply the listing (publish --listing FILE)")
		}
		return listing.SourceProbe, nil
	}
	if local && s.ProbeRequired {
		return "", refuse(ErrInvalid, RefusedProbe, "this registry lists local servers itself: publish the artifact and no listing")
	}
	if len(sub.Listing) > MaxListing {
		return "", refuse(ErrTooLarge, RefusedTooLarge, "the listing has more than %d bytes", MaxListing)
	}
	capture, err := listing.ParseCapture(sub.Listing)
	if err != nil {
		return "", refuse(ErrInvalid, RefusedListing, "the listing cannot be read: %s", hostText(err, listing.ErrMalformed, listing.ErrTooLarge))
	}
	if _, err := fingerprints(capture.Listings); err != nil {
		return "", err
	}
	if sub.Options.ListingSource == listing.SourceUnsafeRun {
		return listing.SourceUnsafeRun, nil
	}
	return listing.SourceOperator, nil
}

// storeParts puts every part into the blob store: content first, then rows
// that name it.
func (s *Service) storeParts(ctx context.Context, v *version, sub *Submission) error {
	var err error
	if v.ServerJSON, err = s.put(ctx, sub.ServerJSON); err != nil {
		return err
	}
	if sub.Listing != nil {
		if v.Listing, err = s.put(ctx, sub.Listing); err != nil {
			return err
		}
	}
	for _, b := range sub.Bundles {
		digest, err := s.put(ctx, b)
		if err != nil {
			return err
		}
		if !slices.Contains(v.Bundles, digest) {
			v.Bundles = append(v.Bundles, digest)
		}
	}
	v.Submission, err = submissionDigest(v, sub.Options)
	return err
}

// receive inserts the version, or finds the one that is there.
func (s *Service) receive(ctx context.Context, by audit.Origin, v *version) (*version, error) {
	existing, err := s.find(ctx, v.Tenant, v.Name, v.Version.Version)
	if err == nil {
		return s.same(existing, v)
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err := s.aliasFree(ctx, v); err != nil {
		return nil, err
	}
	if err := s.record(ctx, audit.Published(s.change(by, v))); err != nil {
		return nil, err
	}
	if v.Source == listing.SourceUnsafeRun {
		if err := s.record(ctx, audit.UnsafeUsed(by, "unsafe-run", v.Name)); err != nil {
			return nil, err
		}
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range v.blobs() {
			if err := refBlob(ctx, tx, v.Tenant, digest, media); err != nil {
				return err
			}
		}
		return insertVersion(ctx, tx, v)
	})
	if store.IsUnique(err) { // another replica was faster
		if existing, err = s.find(ctx, v.Tenant, v.Name, v.Version.Version); err != nil {
			return nil, err
		}
		return s.same(existing, v)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// same answers a repeated publication.
func (s *Service) same(existing, v *version) (*version, error) {
	if existing.Submission == v.Submission && existing.Publisher == v.Publisher {
		return existing, nil
	}
	return nil, refuse(ErrConflict, RefusedVersionExists, "%s %s is published already; versions never change", v.Name, v.Version.Version)
}

// aliasFree keeps one server from answering under another's address.
func (s *Service) aliasFree(ctx context.Context, v *version) error {
	var other string
	err := s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT name FROM versions WHERE tenant = $1 AND alias = $2 AND name <> $3 AND state <> 'rejected' ORDER BY created LIMIT 1`, v.Tenant, v.Alias, v.Name).Scan(&other)
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return refuse(ErrConflict, RefusedAlias, "the alias %s belongs to another server; choose one with --alias", v.Alias)
}

// blobs are the blobs that a received version names, with their media types.
func (v *version) blobs() map[string]string {
	out := map[string]string{v.ServerJSON: mediaJSON}
	if v.Artifact != "" {
		out[v.Artifact] = mediaBinary
	}
	if v.Listing != "" {
		out[v.Listing] = mediaJSON
	}
	for _, b := range v.Bundles {
		out[b] = mediaBundle
	}
	return out
}

// submissionDigest identifies what the publisher said, whoever signed it.
func submissionDigest(v *version, o PublishOptions) (string, error) {
	b, err := json.Marshal([]any{v.ServerJSON, v.Artifact, v.Listing, v.Source, o}, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("registry: digest of a submission: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func defaultAlias(name string) string {
	_, last, _ := strings.Cut(name, "/")
	var b strings.Builder
	for _, r := range strings.ToLower(last) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 {
			b.WriteByte('-')
		}
	}
	alias := b.String()
	return strings.Trim(alias[:min(len(alias), 20)], "-")
}

func badText(s string) bool {
	_, deceptive := admission.Deceptive(s)
	return deceptive || len(s) > 4096 || strings.ContainsAny(s, "\n\r\t\x00")
}

func badScope(s string) bool {
	return s == "" || len(s) > 200 || strings.ContainsAny(s, " ") || badText(s)
}
