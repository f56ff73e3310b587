package registry

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

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
