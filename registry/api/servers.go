package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry"
)

// states reads the repeatable query parameter state; "all" is none.
func states(q *call, fallback ...admission.State) ([]admission.State, error) {
	names := q.QueryArray("state")
	if len(names) == 0 {
		return fallback, nil
	}
	var out []admission.State
	for _, n := range names {
		switch s := admission.State(n); s {
		case "all":
			return nil, nil
		case admission.Received, admission.InReview, admission.Quarantined, admission.Approved, admission.Rejected:
			out = append(out, s)
		default:
			return nil, refusal(http.StatusBadRequest, "malformed_query", "unknown state")
		}
	}
	return out, nil
}

func (a *api) listVersions(q *call) error {
	wanted, err := states(q)
	if err != nil {
		return err
	}
	all, err := a.service.List(q.ctx, q.tenant(), wanted...)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Versions{Versions: all})
}

func (a *api) listVersionsOf(q *call) error {
	all, err := a.service.List(q.ctx, q.tenant())
	if err != nil {
		return err
	}
	out := registryapi.Versions{Versions: []admission.Version{}}
	for _, v := range all {
		if v.Name == q.Param("name") {
			out.Versions = append(out.Versions, v)
		}
	}
	if len(out.Versions) == 0 {
		return refusal(http.StatusNotFound, registry.RefusedUnknown, "no such server")
	}
	return q.answer(http.StatusOK, out)
}

func (a *api) getVersion(q *call) error {
	v, err := a.service.Show(q.ctx, q.tenant(), q.Param("name"), q.Param("version"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}

func (a *api) judgements(q *call) error {
	all, err := a.service.Judgements(q.ctx, q.tenant(), q.Param("name"), q.Param("version"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Judgements{Judgements: all})
}

func (a *api) diff(q *call) error {
	name, to, from := q.Param("name"), q.Param("version"), q.Query("from")
	out := registryapi.Diff{Name: name, From: from, To: to, Changes: []admission.Change{}}
	var err error
	if from != "" {
		if out.Changes, err = a.service.Diff(q.ctx, q.tenant(), name, from, to); err != nil {
			return err
		}
	}
	if out.Drifts, err = a.service.Drifts(q.ctx, q.tenant(), name, to); err != nil {
		return err
	}
	return q.answer(http.StatusOK, out)
}

func (a *api) quarantine(q *call) error {
	var body registryapi.Because
	if err := q.read(&body); err != nil {
		return err
	}
	v, err := a.service.Quarantine(q.ctx, q.by, q.Param("name"), q.Param("version"), body.Reason)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}

func (a *api) release(q *call) error {
	var body registryapi.Because
	if err := q.read(&body); err != nil {
		return err
	}
	v, err := a.service.Release(q.ctx, q.by, q.Param("name"), q.Param("version"), body.Reason)
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, v)
}

func (a *api) getBlob(q *call) error { return a.blob(q, q.Param("digest")) }

// blob streams a blob as a download: whatever it holds, it is never a page.
func (a *api) blob(q *call, digest string) error {
	r, media, size, err := a.service.Blob(q.ctx, q.tenant(), digest)
	if err != nil {
		return err
	}
	return q.download(r, media, size)
}

// getApprovedArtifact is for gateways: they read no other blob.
func (a *api) getApprovedArtifact(q *call) error {
	r, size, err := a.service.Artifact(q.ctx, q.tenant(), q.Param("digest"))
	if err != nil {
		return err
	}
	return q.download(r, "application/octet-stream", size)
}

// download streams stored bytes and closes them.
func (q *call) download(r io.ReadCloser, media string, size int64) error {
	defer r.Close()
	q.Header("Content-Type", media)
	q.Header("Content-Length", strconv.FormatInt(size, 10))
	q.Header("Content-Disposition", "attachment")
	q.Status(http.StatusOK)
	q.Writer.WriteHeaderNow()
	// A damaged blob ends in an error after the header: the connection is cut,
	// so that nobody takes the bytes for whole.
	_, err := io.Copy(q.Writer, r)
	return err
}

func (a *api) getSnapshot(q *call) error {
	b, err := a.service.Source(q.tenant()).Snapshot(q.ctx)
	if err != nil {
		return err
	}
	return q.bytes(http.StatusOK, attest.MediaType, b)
}

func (a *api) getApprovalBundle(q *call) error {
	b, err := a.service.Source(q.tenant()).Approval(q.ctx, q.Param("digest"))
	if err != nil {
		return err
	}
	return q.bytes(http.StatusOK, attest.MediaType, b)
}

func (a *api) getKeyRecord(q *call) error {
	key, err := a.service.TenantKey(q.ctx, q.tenant(), q.Param("id"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, key)
}

func (a *api) follow(q *call) error {
	cursor, wait, err := feedQuery(q)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(q.ctx)
	defer stop()
	defer context.AfterFunc(a.Closing, stop)()
	events, next, err := a.service.Feed(ctx, q.tenant(), cursor, wait)
	if err != nil && a.Closing.Err() != nil {
		return refusal(http.StatusServiceUnavailable, "closing", "this registry is going down")
	}
	if err != nil {
		return err
	}
	return q.answer(http.StatusOK, registryapi.Feed{Events: events, Cursor: next})
}

func (a *api) reportDrift(q *call) error {
	var body registryapi.NewDrift
	if err := q.read(&body); err != nil {
		return err
	}
	d, err := a.service.ReportDrift(q.ctx, q.by, registry.DriftReport{Name: body.Server, Version: body.Version, Era: body.Era, Kind: body.Kind, Key: body.Key, Observed: body.Observed})
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, d)
}

func (a *api) searchAudit(q *call) error {
	query, err := auditQuery(q)
	if err != nil {
		return err
	}
	found, err := audit.Search(q.ctx, a.AuditPath, query)
	if errors.Is(err, audit.ErrDevice) {
		return refusal(http.StatusServiceUnavailable, registry.RefusedAudit, "the audit log is a device, which keeps no records to search")
	}
	if err != nil {
		return err
	}
	out := registryapi.Events{}
	for _, r := range found {
		out.Events = append(out.Events, r.Raw)
	}
	return q.answer(http.StatusOK, out)
}
