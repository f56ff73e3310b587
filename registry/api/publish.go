package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

const maxParts = registry.MaxBundles + 4

// publish reads the parts as a stream: who may publish is settled on the first
// one, before anything large is read.
func (a *api) publish(q *call) error {
	media, params, err := mime.ParseMediaType(q.Request.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return refusal(http.StatusUnsupportedMediaType, "media_type", "send multipart/form-data")
	}
	var sub registry.Submission
	seen := map[string]bool{}
	parts := multipart.NewReader(q.Request.Body, params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return malformedParts(err)
		}
		if n == maxParts {
			return refusal(http.StatusBadRequest, "malformed_body", "too many parts")
		}
		name := part.FormName()
		if seen[name] && name != registryapi.PartBundle {
			return refusal(http.StatusBadRequest, "malformed_body", "a part came twice")
		}
		seen[name] = true
		if err := a.part(q, &sub, name, part); err != nil {
			return err
		}
	}
	if sub.ServerJSON == nil {
		return refusal(http.StatusBadRequest, "malformed_body", "the part server is missing")
	}
	version, err := a.service.Publish(q.ctx, q.by, sub)
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, version)
}

func (a *api) part(q *call, sub *registry.Submission, name string, r io.Reader) (err error) {
	if name != registryapi.PartServer && sub.ServerJSON == nil {
		return refusal(http.StatusBadRequest, "part_order", "the part server comes first")
	}
	switch name {
	case registryapi.PartServer:
		if sub.ServerJSON, err = readPart(r, serverjson.MaxBytes); err != nil {
			return err
		}
		_, err = a.service.MayPublish(q.by.Caller, sub.ServerJSON)
		return err
	case registryapi.PartOptions:
		raw, err := readPart(r, 1<<20)
		if err != nil {
			return err
		}
		return readOptions(raw, &sub.Options)
	case registryapi.PartListing:
		sub.Listing, err = readPart(r, registry.MaxListing)
		return err
	case registryapi.PartBundle:
		b, err := readPart(r, attest.MaxBundle)
		sub.Bundles = append(sub.Bundles, b)
		return err
	case registryapi.PartArtifact:
		sub.Artifact, err = a.service.StoreArtifact(q.ctx, r)
		return malformedParts(err)
	}
	return refusal(http.StatusBadRequest, "malformed_body", "unknown part")
}

func readOptions(raw []byte, into *registry.PublishOptions) error {
	var o registryapi.PublishOptions
	if err := json.Unmarshal(raw, &o, json.RejectUnknownMembers(true)); err != nil {
		return refusal(http.StatusBadRequest, "malformed_body", "the part options is not the JSON object that it should be")
	}
	*into = registry.PublishOptions{Launch: o.Launch, Alias: o.Alias, Tier: o.Tier, ListingSource: o.ListingSource, Permissions: o.Permissions}
	if o.Scopes != nil {
		into.Scopes = append([]string{}, *o.Scopes...)
	}
	return nil
}

func readPart(r io.Reader, max int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, max+1))
	if err != nil {
		return nil, malformedParts(err)
	}
	if int64(len(b)) > max {
		return nil, refusal(http.StatusRequestEntityTooLarge, registry.RefusedTooLarge, "a part is larger than its limit")
	}
	return b, nil
}

// malformedParts keeps refusals and limits apart from a body that ends early.
func malformedParts(err error) error {
	var tooLarge *http.MaxBytesError
	var r *registry.Refusal
	switch {
	case err == nil, errors.As(err, &tooLarge), errors.As(err, &r):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refusal(http.StatusBadRequest, "malformed_body", "the multipart body ends early")
	}
	return err
}

// publishOfficial takes what the official publishing tool sends: the
// server.json of a remote server and nothing else.
func (a *api) publishOfficial(q *call) error {
	raw, err := q.body()
	if err != nil {
		return err
	}
	v, err := a.service.Publish(q.ctx, q.by, registry.Submission{ServerJSON: raw})
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.ServerResponse{Server: jsontext.Value(raw), Meta: registryapi.ServerMeta{
		Bartizan: &registryapi.BartizanMeta{State: v.State, Reasons: v.Reasons, Review: v.Review},
	}})
}

// validate answers in the shape of the official registry, whose tool asks
// without a key.
func (a *api) validate(q *call) error {
	raw, err := q.body()
	if err != nil {
		return err
	}
	out := registryapi.Validation{Valid: true, Issues: []registryapi.ValidationIssue{}}
	var problems serverjson.Problems
	if _, err := serverjson.Parse(raw); errors.As(err, &problems) {
		out.Valid = false
		for _, p := range problems {
			out.Issues = append(out.Issues, registryapi.ValidationIssue{Type: "schema", Path: pathOf(p.Pointer), Message: p.Message, Severity: "error", Reference: "#" + p.Pointer})
		}
	}
	return q.answer(http.StatusOK, out)
}

// pathOf writes a JSON Pointer as the official registry writes places:
// packages[0].transport.url.
func pathOf(pointer string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch _, err := strconv.ParseUint(part, 10, 32); {
		case err == nil && b.Len() > 0:
			b.WriteString("[" + part + "]")
		case b.Len() > 0:
			b.WriteString("." + part)
		default:
			b.WriteString(part)
		}
	}
	return b.String()
}
