package registry

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Show returns one version of the tenant, whatever its state.
func (s *Service) Show(ctx context.Context, tenant, name, ver string) (*admission.Version, error) {
	v, err := s.find(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	return &v.Version, nil
}

// List returns the tenant's versions, by name and newest first.
func (s *Service) List(ctx context.Context, tenant string, states ...admission.State) ([]admission.Version, error) {
	var all []*version
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		all, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1`, tenant)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := []admission.Version{}
	for _, v := range all {
		if len(states) == 0 || slices.Contains(states, v.State) {
			out = append(out, v.Version)
		}
	}
	sortVersions(out)
	return out, nil
}

// Published is an approved version as the official registry API serves it.
type Published struct {
	admission.Version
	Latest bool
	Raw    []byte // server.json as it came
}

// PublicQuery selects what the official API lists.
type PublicQuery struct {
	Name         string // exact; "" = all
	Search       string // substring of the name
	UpdatedSince time.Time
	LatestOnly   bool
	After        string // cursor: "name:version" of the last one seen
	Limit        int    // 1..100
}

// Public lists approved versions by name, newest first, and whether there are
// more. Only what the signed snapshot holds is approved.
func (s *Service) Public(ctx context.Context, tenant string, q PublicQuery) (page []Published, next string, err error) {
	inForce, err := s.snapshots.inForceNow(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	all, err := s.List(ctx, tenant, admission.Approved)
	if err != nil {
		return nil, "", err
	}
	var last string
	for _, v := range all {
		if a := inForce[[2]string{v.Name, v.Version}]; a == nil || a.Digest != hexDigest(v.Approval) {
			continue
		}
		latest := v.Name != last
		last = v.Name
		if q.Name != "" && v.Name != q.Name || q.LatestOnly && !latest || !v.Updated.After(q.UpdatedSince) && !q.UpdatedSince.IsZero() ||
			!strings.Contains(strings.ToLower(v.Name), strings.ToLower(q.Search)) || q.After != "" && !after(v, q.After) {
			continue
		}
		if len(page) == q.Limit {
			end := page[len(page)-1]
			return page, end.Name + ":" + end.Version.Version, nil
		}
		raw, err := s.get(ctx, v.ServerJSON, serverjson.MaxBytes)
		if err != nil {
			return nil, "", err
		}
		page = append(page, Published{v, latest, raw})
	}
	return page, "", nil
}

// after reports whether v comes after the cursor in the order of sortVersions.
func after(v admission.Version, cursor string) bool {
	name, ver, ok := strings.Cut(cursor, ":")
	return ok && compareVersions(v, admission.Version{Name: name, Version: ver}) > 0
}

// PublicVersion returns one approved version; "latest" is the newest.
func (s *Service) PublicVersion(ctx context.Context, tenant, name, ver string) (*Published, error) {
	page, _, err := s.Public(ctx, tenant, PublicQuery{Name: name, Limit: 10_000})
	if err != nil {
		return nil, err
	}
	for _, p := range page {
		if ver == "latest" && p.Latest || p.Version.Version == ver {
			return &p, nil
		}
	}
	return nil, notFound("version")
}

func sortVersions(all []admission.Version) { slices.SortFunc(all, compareVersions) }

// compareVersions orders by name and then the newest first; versions that
// differ in build metadata alone by their text.
func compareVersions(a, b admission.Version) int {
	switch {
	case a.Name != b.Name:
		return cmp.Compare(a.Name, b.Name)
	case serverjson.Newer(a.Version, b.Version):
		return -1
	case serverjson.Newer(b.Version, a.Version):
		return 1
	}
	return cmp.Compare(a.Version, b.Version)
}
