package api

import (
	"net/http"
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

// access says who may use a route at all; the domain decides the rest.
type access int

const (
	open       access = iota // everyone
	publicRead               // a key, or nobody's with Config.PublicReads
	withRole                 // a key with one of the roles
)

// route is one operation: what the router serves and the OpenAPI document says.
type route struct {
	method, path string
	id, summary  string
	access       access
	roles        []string
	handle       func(*call) error
	query        []parameter
	ifMatch      bool
	request      any // JSON body; nil: none
	multipart    bool
	status       int
	response     any // JSON body; nil: see media
	media        string
	maxBody      int64
	official     bool // answers errors as the official registry does
}

// parameter is one query parameter.
type parameter struct{ name, kind, description string }

const maxJSON = 4 << 20

func (r route) limit() int64 {
	if r.maxBody > 0 {
		return r.maxBody
	}
	return maxJSON
}

var (
	readers   = []string{identity.RoleAdmin, identity.RoleAuditor, identity.RoleReviewer, identity.RolePublisher}
	reviewers = []string{identity.RoleAdmin, identity.RoleReviewer}
	admins    = []string{identity.RoleAdmin}
	auditors  = []string{identity.RoleAdmin, identity.RoleAuditor}
	gateways  = []string{identity.RoleAdmin, identity.RoleGateway}
)

func (a *api) routes() []route {
	return slices.Concat(a.operational(), a.official(), a.exchanges(), a.admission(), a.reviewing(), a.administration(), a.following())
}

func (a *api) operational() []route {
	routes := []route{
		{method: "GET", path: "/healthz", id: "health", summary: "The process answers", access: open, media: "text/plain",
			handle: func(q *call) error { return q.plain("ok\n") }},
		{method: "GET", path: "/readyz", id: "ready", summary: "Database and trust can be used", access: open, media: "text/plain", handle: a.ready},
		{method: "GET", path: "/api/v1/openapi.json", id: "openapi", summary: "This document", access: open, media: "application/json",
			handle: func(q *call) error { return q.bytes(http.StatusOK, "application/json", a.openapi) }},
		{method: "GET", path: "/api/v1/identity", id: "identity", summary: "Who the key's owner is, and which registry this is", access: withRole, roles: identity.Roles(),
			response: registryapi.Identity{}, handle: a.identity},
		{method: "GET", path: "/api/v1/scanners", id: "listScanners", summary: "The scanners in force, how they are bound and how they fare", access: withRole, roles: reviewers,
			response: registryapi.Scanners{}, handle: a.listScanners},
	}
	if a.Metrics != nil {
		routes = append(routes, route{method: "GET", path: "/metrics", id: "metrics", summary: "Counters for Prometheus", access: withRole, roles: auditors, media: "text/plain", handle: a.metrics})
	}
	return routes
}

func (a *api) admission() []route {
	version := "/api/v1/servers/:name/versions/:version"
	return []route{
		{method: "POST", path: "/api/v1/publications", id: "publish", summary: "Publish a version", access: withRole, roles: []string{identity.RolePublisher, identity.RoleAdmin},
			multipart: true, status: http.StatusCreated, response: admission.Version{}, handle: a.publish, maxBody: maxPublication},
		{method: "GET", path: "/api/v1/servers", id: "listVersions", summary: "All versions, whatever their state", access: withRole, roles: readers, response: registryapi.Versions{}, handle: a.listVersions,
			query: []parameter{{"state", "string", "received | in_review | quarantined | approved | rejected; repeatable"}}},
		{method: "GET", path: "/api/v1/servers/:name/versions", id: "listVersionsOf", summary: "All versions of one server", access: withRole, roles: readers, response: registryapi.Versions{}, handle: a.listVersionsOf},
		{method: "GET", path: version, id: "getVersion", summary: "One version", access: withRole, roles: readers, response: admission.Version{}, handle: a.getVersion},
		{method: "GET", path: version + "/judgements", id: "judgements", summary: "Every time that the version was judged, newest first, with the evidence of each", access: withRole, roles: readers, response: registryapi.Judgements{}, handle: a.judgements},
		{method: "GET", path: version + "/diff", id: "diff", summary: "What changed since another version, and what gateways observed", access: withRole, roles: readers, response: registryapi.Diff{}, handle: a.diff,
			query: []parameter{{"from", "string", "the older version"}}},
		{method: "POST", path: version + "/quarantine", id: "quarantine", summary: "Take a version out of circulation", access: withRole, roles: reviewers, request: registryapi.Because{}, response: admission.Version{}, handle: a.quarantine},
		{method: "POST", path: version + "/release", id: "release", summary: "Let a version out of quarantine", access: withRole, roles: reviewers, request: registryapi.Because{}, response: admission.Version{}, handle: a.release},
		{method: "GET", path: "/api/v1/blobs/:digest", id: "getBlob", summary: "A stored blob: evidence, SBOM, bundle, capture, artifact", access: withRole, roles: readers, media: "application/octet-stream", handle: a.getBlob},
	}
}

func (a *api) reviewing() []route {
	review := "/api/v1/reviews/:id"
	return []route{
		{method: "GET", path: "/api/v1/reviews", id: "listReviews", summary: "Reviews", access: withRole, roles: readers, response: registryapi.Reviews{}, handle: a.listReviews,
			query: []parameter{{"state", "string", "of the version, default in_review; repeatable; \"all\""}}},
		{method: "GET", path: review, id: "getReview", summary: "One review; ETag is its subject", access: withRole, roles: readers, response: admission.Review{}, handle: a.getReview},
		{method: "PUT", path: review + "/items/:code", id: "answerItem", summary: "Answer or waive a checklist item", access: withRole, roles: reviewers, request: registryapi.Answer{}, response: admission.Item{}, handle: a.answerItem},
		{method: "POST", path: review + "/votes", id: "vote", summary: "Vote", access: withRole, roles: reviewers, ifMatch: true, request: registryapi.Ballot{}, status: http.StatusCreated, response: admission.Vote{}, handle: a.vote},
		{method: "POST", path: review + "/waivers", id: "waive", summary: "Accept one finding", access: withRole, roles: reviewers, ifMatch: true, request: registryapi.NewWaiver{}, status: http.StatusCreated, response: admission.Review{}, handle: a.waive},
		{method: "POST", path: review + "/approve", id: "approve", summary: "Sign the approval", access: withRole, roles: reviewers, ifMatch: true, response: admission.Version{}, handle: a.approve},
		{method: "POST", path: review + "/reject", id: "reject", summary: "Decide against the version", access: withRole, roles: reviewers, ifMatch: true, request: registryapi.Because{}, response: admission.Version{}, handle: a.reject},
	}
}

func (a *api) administration() []route {
	signers := "/api/v1/namespaces/:namespace/signers"
	return []route{
		{method: "GET", path: "/api/v1/keys", id: "listKeys", summary: "API keys", access: withRole, roles: auditors, response: registryapi.Keys{}, handle: a.listKeys},
		{method: "POST", path: "/api/v1/keys", id: "issueKey", summary: "Issue an API key; its token is in this answer only", access: withRole, roles: admins, request: registryapi.NewKey{}, status: http.StatusCreated, response: registryapi.IssuedKey{}, handle: a.issueKey},
		{method: "DELETE", path: "/api/v1/keys/:id", id: "revokeKey", summary: "Revoke an API key at once", access: withRole, roles: admins, response: admission.APIKey{}, handle: a.revokeKey},
		{method: "GET", path: signers, id: "listSigners", summary: "Who may sign for a namespace", access: withRole, roles: readers, response: registryapi.Signers{}, handle: a.listSigners},
		{method: "POST", path: signers, id: "addSigner", summary: "Let a key or identity sign for a namespace", access: withRole, roles: admins, request: registryapi.NewSigner{}, status: http.StatusCreated, response: admission.NamespaceSigner{}, handle: a.addSigner},
		{method: "DELETE", path: signers + "/:id", id: "removeSigner", summary: "Take a signer off a namespace", access: withRole, roles: admins, status: http.StatusNoContent, handle: a.removeSigner},
		{method: "GET", path: "/api/v1/audit", id: "searchAudit", summary: "Search the audit log", access: withRole, roles: auditors, response: registryapi.Events{}, handle: a.searchAudit,
			query: []parameter{{"since", "string", "RFC 3339"}, {"until", "string", "RFC 3339"}, {"text", "string", "anywhere in the record"}, {"server", "string", "name"}, {"entry", "string", "tool, prompt or resource"}, {"principal", "string", ""}, {"reason", "string", ""}, {"id", "string", "audit or correlation id"}, {"limit", "integer", "1 to 10000, default 100"}}},
	}
}

func (a *api) following() []route {
	return []route{
		{method: "GET", path: "/api/v1/gateway/snapshot", id: "getSnapshot", summary: "The signed snapshot of approvals in force", access: withRole, roles: gateways, media: attest.MediaType, handle: a.getSnapshot},
		{method: "GET", path: "/api/v1/gateway/artifacts/:digest", id: "getApprovedArtifact", summary: "The artifact of an approved version that is started from it, by hex SHA-256", access: withRole, roles: gateways, media: "application/octet-stream", handle: a.getApprovedArtifact},
		{method: "GET", path: "/api/v1/gateway/approvals/:digest", id: "getApprovalBundle", summary: "An approval by the hex SHA-256 of its bytes", access: withRole, roles: gateways, media: attest.MediaType, handle: a.getApprovalBundle},
		{method: "GET", path: "/api/v1/gateway/keys/:id", id: "getKeyRecord", summary: "The record of an API key, hash included", access: withRole, roles: gateways, response: identity.KeyRecord{}, handle: a.getKeyRecord},
		{method: "GET", path: "/api/v1/gateway/feed", id: "follow", summary: "Changes after a cursor", access: withRole, roles: gateways, response: registryapi.Feed{}, handle: a.follow,
			query: []parameter{{"cursor", "integer", "-1: the present end"}, {"wait", "integer", "seconds to wait for a change, at most 30"}}},
		{method: "POST", path: "/api/v1/gateway/drift", id: "reportDrift", summary: "Report an entry that is not what was approved", access: withRole, roles: gateways, request: registryapi.NewDrift{}, status: http.StatusCreated, response: admission.Drift{}, handle: a.reportDrift, maxBody: 8 << 20},
	}
}

// maxPublication bounds a whole multipart body: every part at its limit.
const maxPublication = registry.MaxArtifact + registry.MaxListing + (64 << 20)
