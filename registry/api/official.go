package api

import (
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

func (a *api) listServers(q *call) error {
	query, err := publicQuery(q)
	if err != nil {
		return err
	}
	page, next, err := a.service.Public(q.ctx, q.tenant(), query)
	if errors.Is(err, registry.ErrCursor) {
		return malformed(http.StatusBadRequest, "cursor is not one of this registry")
	}
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverList(page, next))
}

func (a *api) listServerVersions(q *call) error {
	deleted, _, err := includeDeleted(q)
	if err != nil {
		return err
	}
	all, err := a.service.PublicVersions(q.ctx, q.tenant(), q.Param("name"), deleted)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverList(all, ""))
}

func serverList(page []registry.Published, next string) registryapi.ServerList {
	out := registryapi.ServerList{Servers: serverResponses(page), Metadata: registryapi.ListMetadata{Count: len(page)}}
	if next != "" {
		out.Metadata.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(next))
	}
	return out
}

func serverResponses(page []registry.Published) []registryapi.ServerResponse {
	out := make([]registryapi.ServerResponse, len(page))
	for i := range page {
		out[i] = serverResponse(&page[i])
	}
	return out
}

func serverResponse(p *registry.Published) registryapi.ServerResponse {
	meta := registryapi.OfficialMeta{Status: admission.Active, StatusChangedAt: p.Created, PublishedAt: p.Created, UpdatedAt: p.Updated, IsLatest: p.Latest}
	if l := p.Lifecycle; l.Status != "" {
		meta.Status, meta.StatusMessage, meta.StatusChangedAt = l.Status, l.Message, l.Changed
	}
	return registryapi.ServerResponse{Server: jsontext.Value(p.Raw), Meta: registryapi.ServerMeta{Official: &meta}}
}

// public loads the approved version that the path names.
func (a *api) public(q *call) (*registry.Published, error) {
	deleted, _, err := includeDeleted(q)
	if err != nil {
		return nil, err
	}
	return a.service.PublicVersion(q.ctx, q.tenant(), q.Param("name"), q.Param("version"), deleted)
}

func (a *api) getServerVersion(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverResponse(p))
}

func (a *api) setStatus(q *call) error {
	version := q.Param("version")
	if version == "" { // else it would stand for all of them
		return refusal(http.StatusNotFound, registry.RefusedUnknown, "no such version")
	}
	changed, err := a.changeStatus(q, version)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverResponse(&changed[0]))
}

func (a *api) setStatusOfAll(q *call) error {
	changed, err := a.changeStatus(q, "")
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.ChangedStatuses{UpdatedCount: len(changed), Servers: serverResponses(changed)})
}

func (a *api) changeStatus(q *call, version string) ([]registry.Published, error) {
	var body registryapi.NewStatus
	if err := q.read(&body); err != nil {
		return nil, err
	}
	message := ""
	if body.StatusMessage != nil {
		message = *body.StatusMessage
	}
	return a.service.SetStatus(q.ctx, q.by, q.Param("name"), version, body.Status, message)
}

func (a *api) getSBOM(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	return a.blob(q, p.SBOM)
}

func (a *api) getDefinitions(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	if p.Definitions == "" { // published before there were any
		return refusal(http.StatusNotFound, registry.RefusedUnknown, "no definitions")
	}
	return a.blob(q, p.Definitions)
}

func (a *api) getApproval(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	return a.blob(q, p.Approval)
}

func (a *api) getFingerprints(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	entries, err := a.service.Entries(q.ctx, q.tenant(), p.Name, p.Version.Version)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Entries{Entries: entries})
}

func (a *api) getAttestations(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	out := registryapi.Bundles{Bundles: []jsontext.Value{}}
	for _, digest := range append(p.Bundles, p.SBOMBundle) {
		b, err := a.service.Blobs.Bytes(q.ctx, digest, attest.MaxBundle)
		if err != nil {
			return err
		}
		out.Bundles = append(out.Bundles, jsontext.Value(b))
	}
	return q.answer(http.StatusOK, out)
}

func (a *api) attach(q *call) error {
	var body registryapi.Attachment
	if err := q.read(&body); err != nil {
		return err
	}
	bundles := make([][]byte, len(body.Bundles))
	for i, b := range body.Bundles {
		bundles[i] = b
	}
	v, err := a.service.Attach(q.ctx, q.by, q.Param("name"), q.Param("version"), bundles)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}

func (a *api) identity(q *call) error {
	trust, err := approval.LoadTrust(a.service.TrustPath)
	if err != nil {
		return err
	}
	c := q.by.Caller
	return q.answer(http.StatusOK, registryapi.Identity{Registry: trust.Registry, Tenant: c.Tenant, Principal: c.Principal, Kind: c.Kind, Roles: c.Roles, Namespaces: c.Namespaces})
}
