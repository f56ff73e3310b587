package api

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

func (a *api) listServers(q *call) error {
	query := registry.PublicQuery{Search: q.Query("search"), Limit: 30}
	if s := q.Query("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 100 {
			return refusal(http.StatusBadRequest, "malformed_query", "limit is 1 to 100")
		}
		query.Limit = n
	}
	if s := q.Query("updated_since"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return refusal(http.StatusBadRequest, "malformed_query", "updated_since is an RFC 3339 time")
		}
		query.UpdatedSince = t
	}
	switch q.Query("version") {
	case "":
	case "latest":
		query.LatestOnly = true
	default:
		return refusal(http.StatusBadRequest, "malformed_query", "version knows only latest")
	}
	cursor, err := base64.RawURLEncoding.DecodeString(q.Query("cursor"))
	if err != nil {
		return refusal(http.StatusBadRequest, "malformed_query", "cursor is not one of this registry")
	}
	query.After = string(cursor)
	return a.serverList(q, query)
}

func (a *api) listServerVersions(q *call) error {
	query := registry.PublicQuery{Name: q.Param("name"), Limit: 10_000}
	page, _, err := a.service.Public(q.ctx, q.tenant(), query)
	if err != nil {
		return err
	}
	if len(page) == 0 {
		return refusal(http.StatusNotFound, registry.RefusedUnknown, "no such server")
	}
	return q.answer(http.StatusOK, serverList(page, ""))
}

func (a *api) serverList(q *call, query registry.PublicQuery) error {
	page, next, err := a.service.Public(q.ctx, q.tenant(), query)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverList(page, next))
}

func serverList(page []registry.Published, next string) registryapi.ServerList {
	out := registryapi.ServerList{Servers: []registryapi.ServerResponse{}, Metadata: registryapi.ListMetadata{Count: len(page)}}
	for _, p := range page {
		out.Servers = append(out.Servers, serverResponse(&p))
	}
	if next != "" {
		out.Metadata.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(next))
	}
	return out
}

func serverResponse(p *registry.Published) registryapi.ServerResponse {
	return registryapi.ServerResponse{Server: jsontext.Value(p.Raw), Meta: registryapi.ServerMeta{
		Official: &registryapi.OfficialMeta{Status: "active", PublishedAt: p.Created, UpdatedAt: p.Updated, IsLatest: p.Latest},
	}}
}

// public loads the approved version that the path names.
func (a *api) public(q *call) (*registry.Published, error) {
	return a.service.PublicVersion(q.ctx, q.tenant(), q.Param("name"), q.Param("version"))
}

func (a *api) getServerVersion(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, serverResponse(p))
}

func (a *api) getSBOM(q *call) error {
	p, err := a.public(q)
	if err != nil {
		return err
	}
	return a.blob(q, p.SBOM)
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
