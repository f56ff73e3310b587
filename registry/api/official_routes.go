package api

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/definition"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

const (
	officialPath = "/v0.1"
	// olderPath is where mcp-publisher up to 1.8 sends the same requests.
	olderPath = "/v0"
)

var publishers = []string{identity.RolePublisher, identity.RoleAdmin}

// official is the MCP registry API v0.1 with our extensions.
func (a *api) official() []route {
	extension := registryapi.ExtensionPath + "/servers/:name/versions/:version"
	server, version := officialPath+"/servers/:name", officialPath+"/servers/:name/versions/:version"
	deleted := parameter{"include_deleted", "boolean", "also what its publisher deleted; default false, with updated_since always true"}
	routes := []route{
		{method: "GET", path: officialPath + "/servers", id: "listServers", summary: "Approved versions of all servers, by name and version as text", access: publicRead, response: registryapi.ServerList{}, handle: a.listServers,
			query: []parameter{{"cursor", "string", "metadata.nextCursor of the page before"}, {"limit", "integer", "1 to 100, default 30"}, {"search", "string", "substring of the name, at least 3 characters"}, {"updated_since", "string", "RFC 3339"}, {"version", "string", "\"latest\" or one exact version"}, deleted}},
		{method: "GET", path: server + "/versions", id: "listServerVersions", summary: "Approved versions of one server, newest first", access: publicRead, response: registryapi.ServerList{}, handle: a.listServerVersions, query: []parameter{deleted}},
		{method: "GET", path: version, id: "getServerVersion", summary: "One approved version, or \"latest\"", access: publicRead, response: registryapi.ServerResponse{}, handle: a.getServerVersion, query: []parameter{deleted}},
		{method: "PATCH", path: version + "/status", id: "setStatus", summary: "Deprecate, delete or restore an approved version", access: withRole, roles: publishers, request: registryapi.NewStatus{}, response: registryapi.ServerResponse{}, handle: a.setStatus, maxBody: 64 << 10},
		{method: "PATCH", path: server + "/status", id: "setStatusOfAll", summary: "The same for all approved versions of a server, in one transaction", access: withRole, roles: publishers, request: registryapi.NewStatus{}, response: registryapi.ChangedStatuses{}, handle: a.setStatusOfAll, maxBody: 64 << 10},
		{method: "POST", path: officialPath + "/publish", id: "publishServer", summary: "Publish a server.json of a remote server, unsigned", access: withRole, roles: publishers,
			request: jsontext.Value(nil), response: registryapi.ServerResponse{}, handle: a.publishOfficial},
		{method: "POST", path: officialPath + "/validate", id: "validateServer", summary: "Check a server.json", access: open, request: jsontext.Value(nil), response: registryapi.Validation{}, handle: a.validate, maxBody: serverjson.MaxBytes + 1},
		{method: "GET", path: officialPath + "/health", id: "officialHealth", summary: "The process answers", access: open, response: registryapi.OfficialHealth{},
			handle: func(q *call) error {
				return q.answer(http.StatusOK, registryapi.OfficialHealth{Status: "ok"})
			}},
		{method: "GET", path: officialPath + "/ping", id: "ping", summary: "The process answers", access: open, response: registryapi.Pong{},
			handle: func(q *call) error { return q.answer(http.StatusOK, registryapi.Pong{Pong: true}) }},
		{method: "GET", path: officialPath + "/version", id: "officialVersion", summary: "Version of the registry", access: publicRead, response: registryapi.OfficialVersion{},
			handle: func(q *call) error {
				return q.answer(http.StatusOK, registryapi.OfficialVersion{Version: a.Version, GitCommit: "unknown", BuildTime: "unknown"})
			}},
	}
	for i := range routes {
		routes[i].official = true
	}
	return append(routes,
		route{method: "GET", path: extension + "/sbom", id: "getSBOM", summary: "The registry's CycloneDX SBOM", access: publicRead, media: "application/vnd.cyclonedx+json", handle: a.getSBOM},
		route{method: "GET", path: extension + "/definitions", id: "getDefinitions", summary: "The canonical definitions that the SBOM's fingerprints are of", access: publicRead, media: definition.MediaType, handle: a.getDefinitions},
		route{method: "GET", path: extension + "/attestations", id: "getAttestations", summary: "The publisher's bundles and the registry's countersignature", access: publicRead, response: registryapi.Bundles{}, handle: a.getAttestations},
		route{method: "GET", path: extension + "/fingerprints", id: "getFingerprints", summary: "Fingerprints of every entry", access: publicRead, response: registryapi.Entries{}, handle: a.getFingerprints},
		route{method: "GET", path: extension + "/approval", id: "getApproval", summary: "The signed approval", access: publicRead, media: attest.MediaType, handle: a.getApproval},
		route{method: "POST", path: extension + "/attestations", id: "attach", summary: "Attach bundles to an unsigned version", access: withRole, roles: []string{identity.RolePublisher, identity.RoleReviewer, identity.RoleAdmin},
			request: registryapi.Attachment{}, response: admission.Version{}, handle: a.attach, maxBody: 64 << 20},
	)
}

// paths of a route: an official one answers under its older path as well.
func (r route) paths() []string {
	if rest, found := strings.CutPrefix(r.path, officialPath+"/"); found && r.official {
		return []string{r.path, olderPath + "/" + rest}
	}
	return []string{r.path}
}
