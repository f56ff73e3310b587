package registry

import (
	"context"
	"database/sql"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// maxCandidates bounds how many approved entries one scan is compared with.
const maxCandidates = 20_000

// raw finds the wire object of an entry; nil for instructions and capabilities
// that are absent.
func (p *printed) raw(kind fingerprint.Kind, key string) jsontext.Value {
	l := &p.listing
	var list []jsontext.Value
	var member string
	switch kind {
	case fingerprint.KindInstructions:
		if l.Instructions == nil {
			return nil
		}
		b, err := jsontext.AppendQuote(nil, *l.Instructions)
		if err != nil {
			return nil
		}
		return b
	case fingerprint.KindCapabilities:
		return l.Capabilities
	case fingerprint.KindTool:
		list, member = l.Tools, "name"
	case fingerprint.KindPrompt:
		list, member = l.Prompts, "name"
	case fingerprint.KindTemplate:
		list, member = l.Templates, "uriTemplate"
	case fingerprint.KindResource:
		list, member = l.Resources, "uri"
	}
	for _, raw := range list {
		if keyOf(raw, member) == key {
			return raw
		}
	}
	return nil
}

func keyOf(raw jsontext.Value, member string) string {
	var o map[string]jsontext.Value
	var key string
	if json.Unmarshal(raw, &o) != nil || json.Unmarshal(o[member], &key) != nil {
		return ""
	}
	return key
}

// replaceEntries writes the fingerprints of a version and what other servers'
// scans need to know of its entries.
func replaceEntries(ctx context.Context, tx *sql.Tx, v *version, prints []printed) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM entries WHERE tenant = $1 AND name = $2 AND version = $3`, v.Tenant, v.Name, v.Version.Version); err != nil {
		return err
	}
	for _, p := range prints {
		for i, e := range p.set.Entries {
			summary := message.ContextEntry{Server: v.Name, Kind: e.Kind.String(), Name: e.Key}
			if raw := p.raw(e.Kind, e.Key); raw != nil {
				if c, err := message.ContextOf(v.Name, e.Kind, raw); err == nil {
					summary = c
				}
			}
			b, err := json.Marshal(summary)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO entries (tenant, name, version, era, kind, entry, position, whole, behavioural, summary) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				v.Tenant, v.Name, v.Version.Version, p.listing.Era, e.Kind.String(), e.Key, i, e.Whole.String(), e.Behavioural.String(), b); err != nil {
				return err
			}
		}
	}
	return nil
}

// Entries lists the fingerprints of a version.
func (s *Service) Entries(ctx context.Context, tenant, name, ver string) ([]admission.Entry, error) {
	out := []admission.Entry{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		if _, err := getVersion(ctx, tx, tenant, name, ver); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT era, kind, entry, whole, behavioural FROM entries WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY era, position`, tenant, name, ver)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e admission.Entry
			if err := rows.Scan(&e.Era, &e.Kind, &e.Key, &e.Whole, &e.Behavioural); err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}

// approvedElsewhere lists the entries of the tenant's other approved servers.
// An entry that two eras list alike counts once.
func (s *Service) approvedElsewhere(ctx context.Context, v *version) ([]message.ContextEntry, error) {
	var out []message.ContextEntry
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT DISTINCT e.name, e.kind, e.entry, e.summary FROM entries e
			JOIN versions v ON v.tenant = e.tenant AND v.name = e.name AND v.version = e.version
			WHERE e.tenant = $1 AND e.name <> $2 AND v.state = 'approved' AND e.kind IN ('tool', 'prompt')
			ORDER BY e.name, e.kind, e.entry LIMIT $3`, v.Tenant, v.Name, maxCandidates)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, kind, entry string
			var summary []byte
			if err := rows.Scan(&name, &kind, &entry, &summary); err != nil {
				return err
			}
			var c message.ContextEntry
			if err := json.Unmarshal(summary, &c); err != nil {
				return err
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	return out, err
}

// collisions are tools whose name, but for case and separators, another
// approved server already uses.
func collisions(prints []printed, others []message.ContextEntry) []checklist.Collision {
	taken := map[string]message.ContextEntry{}
	for _, o := range others {
		if o.Kind == fingerprint.KindTool.String() {
			taken[skeleton(o.Name)] = o
		}
	}
	var out []checklist.Collision
	seen := map[string]bool{}
	for _, p := range prints {
		for _, e := range p.set.Entries {
			other, collides := taken[skeleton(e.Key)]
			if e.Kind == fingerprint.KindTool && collides && !seen[e.Key] {
				seen[e.Key] = true
				out = append(out, checklist.Collision{Key: e.Key, Server: other.Server, Other: other.Name})
			}
		}
	}
	return out
}

func skeleton(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
