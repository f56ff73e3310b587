package api

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

type object = map[string]any

var pathParameter = regexp.MustCompile(`:([a-zA-Z]+)`)

// openAPI writes the OpenAPI 3.1 document of the routes. The routes are what
// is served, so the document cannot say anything else.
func openAPI(routes []route) ([]byte, error) {
	schemas := &schemas{components: object{}}
	problem := object{"description": "Problem (RFC 9457)", "content": object{registryapi.MediaProblem: object{"schema": schemas.of(registryapi.Problem{})}}}
	paths := map[string]object{}
	for _, r := range routes {
		path := pathParameter.ReplaceAllString(r.path, "{$1}")
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(r.method)] = r.operation(schemas)
	}
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Bartizan registry", "version": "1",
			"description": "Admission of MCP servers: publish, review, approve, follow. Names of servers hold a slash and are percent-encoded in paths (io.github.acme%2Fweather).",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"paths": paths,
		"components": object{
			"schemas":         schemas.components,
			"responses":       object{"Problem": problem},
			"securitySchemes": object{"key": object{"type": "http", "scheme": "bearer", "description": "API key"}},
		},
	}, json.Deterministic(true), jsontext.WithIndent("  "))
}

func (r route) operation(s *schemas) object {
	op := object{"operationId": r.id, "summary": r.summary, "parameters": r.parameters(), "responses": r.responses(s)}
	switch r.access {
	case withRole:
		op["security"] = []object{{"key": []string{}}}
		op["description"] = "Roles: " + strings.Join(r.roles, ", ")
	case publicRead:
		op["security"] = []object{{"key": []string{}}, {}}
		op["description"] = "Needs a key unless the registry is set to public reads"
	default:
		op["security"] = []object{}
	}
	switch {
	case r.multipart:
		op["requestBody"] = object{"required": true, "content": object{"multipart/form-data": object{"schema": multipartSchema(s)}}}
	case r.method != http.MethodGet && r.hasRequest():
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": s.of(r.request)}}}
	}
	return op
}

func (r route) hasRequest() bool { return r.request != nil }

func (r route) parameters() []object {
	out := []object{}
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		out = append(out, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range r.query {
		out = append(out, object{"name": p.name, "in": "query", "description": p.description, "schema": object{"type": p.kind}})
	}
	if r.ifMatch {
		out = append(out, object{"name": "If-Match", "in": "header", "required": true, "description": "the subject digest that the caller looked at, in quotes; stale: 409", "schema": object{"type": "string"}})
	}
	return out
}

func (r route) responses(s *schemas) object {
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	good := object{"description": http.StatusText(status)}
	switch {
	case r.response != nil:
		good["content"] = object{"application/json": object{"schema": s.of(r.response)}}
	case r.media != "":
		good["content"] = object{r.media: object{}}
	}
	return object{strconv.Itoa(status): good, "default": object{"$ref": "#/components/responses/Problem"}}
}

func multipartSchema(s *schemas) object {
	text := object{"type": "string", "contentMediaType": "application/json"}
	return object{"type": "object", "required": []string{registryapi.PartServer}, "properties": object{
		registryapi.PartServer:   object{"type": "string", "contentMediaType": "application/json", "description": "server.json; the first part"},
		registryapi.PartOptions:  s.of(registryapi.PublishOptions{}),
		registryapi.PartListing:  text,
		registryapi.PartBundle:   object{"type": "array", "items": text, "description": "Sigstore bundles, one part each"},
		registryapi.PartArtifact: object{"type": "string", "contentMediaType": "application/octet-stream"},
	}}
}

// described lists "METHOD /path" of every route, for the test that compares it
// with the document.
func described(routes []route) []string {
	all := map[string]bool{}
	for _, r := range routes {
		all[fmt.Sprintf("%s %s", r.method, pathParameter.ReplaceAllString(r.path, "{$1}"))] = true
	}
	return slices.Sorted(maps.Keys(all))
}
