package registry

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// Diff compares the listings of two versions of one server.
func (s *Service) Diff(ctx context.Context, tenant, name, oldVersion, newVersion string) ([]admission.Change, error) {
	before, err := s.printsOf(ctx, tenant, name, oldVersion)
	if err != nil {
		return nil, err
	}
	after, err := s.printsOf(ctx, tenant, name, newVersion)
	if err != nil {
		return nil, err
	}
	changes := []admission.Change{}
	for _, era := range eras(before, after) {
		was, is := ofEra(before, era), ofEra(after, era)
		for _, id := range entryIDs(was, is) {
			c, err := differences(era, id, was.raw(id.kind, id.key), is.raw(id.kind, id.key))
			if err != nil {
				return nil, err
			}
			changes = append(changes, c...)
		}
	}
	return changes, nil
}

func (s *Service) printsOf(ctx context.Context, tenant, name, ver string) ([]printed, error) {
	v, err := s.find(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	w, err := s.repeatRun(ctx, v)
	if err != nil {
		return nil, err
	}
	return w.prints, nil
}

type entryID struct {
	kind fingerprint.Kind
	key  string
}

// differences compares one entry leaf by leaf. An entry that is only on one
// side is one change at its root.
func differences(era string, id entryID, was, is jsontext.Value) ([]admission.Change, error) {
	changed := func(pointer, old, new string) admission.Change {
		return admission.Change{Era: era, Kind: id.kind.String(), Key: admission.Visible(id.key), Pointer: admission.Visible(pointer), Old: admission.Visible(old), New: admission.Visible(new)}
	}
	text := func(raw jsontext.Value) (string, error) {
		if raw == nil {
			return "", nil
		}
		b, err := fingerprint.Canonical(raw)
		return string(b), err
	}
	if was == nil || is == nil {
		old, err := text(was)
		if err != nil {
			return nil, err
		}
		new, err := text(is)
		if err != nil || old == new {
			return nil, err
		}
		return []admission.Change{changed("", old, new)}, nil
	}
	leaves, err := fingerprint.Diff(was, is)
	if err != nil {
		return nil, err
	}
	out := make([]admission.Change, 0, len(leaves))
	for _, l := range leaves {
		out = append(out, changed(l.Pointer, l.Old, l.New))
	}
	return out, nil
}

func eras(sides ...[]printed) []string {
	var out []string
	for _, side := range sides {
		for _, p := range side {
			if !slices.Contains(out, string(p.listing.Era)) {
				out = append(out, string(p.listing.Era))
			}
		}
	}
	return out
}

func ofEra(all []printed, era string) *printed {
	for i := range all {
		if string(all[i].listing.Era) == era {
			return &all[i]
		}
	}
	return &printed{set: &fingerprint.Set{}}
}

func entryIDs(sides ...*printed) []entryID {
	var out []entryID
	seen := map[entryID]bool{}
	for _, side := range sides {
		for _, e := range side.set.Entries {
			id := entryID{e.Kind, e.Key}
			if !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}
