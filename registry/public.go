package registry

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Published is an approved version as the official registry API serves it.
type Published struct {
	admission.Version
	Latest bool   // the newest of its server that is not deleted
	Raw    []byte // server.json as it came
}

// LatestVersion stands for the newest version of a server.
const LatestVersion = "latest"

// ErrCursor is a cursor that no page ended with.
var ErrCursor = errors.New("registry: not a cursor of this registry")

// PublicQuery selects what the official API lists.
type PublicQuery struct {
	Search       string // substring of the name, whatever its case
	Version      string // "" all, LatestVersion, or one exact version
	UpdatedSince time.Time
	Deleted      bool   // with those that their publisher deleted
	After        string // cursor: "name:version" of the last one seen
	Limit        int
}

// Public lists approved versions by name and then by version, both as text (the
// order of the official API), and the cursor of the next page. Only what the
// signed snapshot holds is approved.
func (s *Service) Public(ctx context.Context, tenant string, q PublicQuery) (page []Published, next string, err error) {
	inForce, err := s.snapshots.inForceNow(ctx, tenant)
	if err != nil {
		return nil, "", err
	}
	at := publicRow{}
	if q.After != "" {
		var ok bool
		if at.name, at.version, ok = strings.Cut(q.After, ":"); !ok {
			return nil, "", ErrCursor
		}
	}
	find := s.matching
	if q.Version == LatestVersion {
		find = s.namesMatching
	}
	newest := map[string]string{}
	for {
		rows, err := find(ctx, tenant, q, at, max(256, 2*q.Limit))
		if err != nil || len(rows) == 0 {
			return page, "", err
		}
		for _, row := range rows {
			at = row
			if _, known := newest[row.name]; !known {
				if newest[row.name], err = s.newestPublic(ctx, tenant, row.name, q.Deleted, inForce); err != nil {
					return nil, "", err
				}
			}
			if q.Version == LatestVersion {
				if newest[row.name] == "" {
					continue
				}
				row.version = newest[row.name]
			} else if !s.visible(ctx, tenant, row, q.Deleted, inForce) {
				continue
			}
			p, err := s.published(ctx, tenant, row.name, row.version)
			if errors.Is(err, blob.ErrCorrupt) || errors.Is(err, ErrNotFound) { // it alone cannot be shown
				s.Logger.ErrorContext(ctx, "damaged server.json is not listed", "server", row.name, "version", row.version, "error", err)
				continue
			}
			if err != nil {
				return nil, "", err
			}
			if !q.UpdatedSince.IsZero() && !p.Updated.After(q.UpdatedSince) {
				continue
			}
			if len(page) == q.Limit {
				end := page[len(page)-1]
				return page, end.Name + ":" + end.Version.Version, nil
			}
			p.Latest = row.version == newest[row.name]
			page = append(page, *p)
		}
	}
}

// PublicVersions are all approved versions of one server, the newest first.
func (s *Service) PublicVersions(ctx context.Context, tenant, name string, deleted bool) ([]Published, error) {
	inForce, err := s.snapshots.inForceNow(ctx, tenant)
	if err != nil {
		return nil, err
	}
	rows, err := s.approvedRows(ctx, tenant, ` AND name = $2`, name)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row publicRow) bool { return !s.visible(ctx, tenant, row, deleted, inForce) })
	newest := newestOf(rows)
	var all []Published
	for _, row := range rows {
		p, err := s.published(ctx, tenant, row.name, row.version)
		if err != nil {
			return nil, err
		}
		p.Latest = row.version == newest
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Published) int { return compareVersions(a.Version, b.Version) })
	if len(all) == 0 {
		return nil, notFound("server")
	}
	return all, nil
}

// PublicVersion returns one approved version; LatestVersion is the newest.
func (s *Service) PublicVersion(ctx context.Context, tenant, name, ver string, deleted bool) (*Published, error) {
	inForce, err := s.snapshots.inForceNow(ctx, tenant)
	if err != nil {
		return nil, err
	}
	newest, err := s.newestPublic(ctx, tenant, name, deleted, inForce)
	if err != nil {
		return nil, err
	}
	if ver == LatestVersion {
		ver = newest
	}
	rows, err := s.approvedRows(ctx, tenant, ` AND name = $2 AND version = $3`, name, ver)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || !s.visible(ctx, tenant, rows[0], deleted, inForce) {
		return nil, notFound("version")
	}
	p, err := s.published(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	p.Latest = ver == newest
	return p, nil
}

// publicRow is what a page is chosen by. All of it is in the index
// versions_public.
type publicRow struct {
	name, version, approval string
	status                  admission.Status
}

// visible reports whether a row may be shown: what is in the signed snapshot,
// and with deleted also what was and its publisher took back.
func (s *Service) visible(ctx context.Context, tenant string, row publicRow, deleted bool, inForce map[[2]string]string) bool {
	if row.status == admission.Deleted {
		return deleted && s.snapshots.deletedAuthentic(ctx, tenant, row)
	}
	return row.approval != "" && inForce[[2]string{row.name, row.version}] == hexDigest(row.approval)
}

// newestPublic is the newest visible version of a server, "" without any.
func (s *Service) newestPublic(ctx context.Context, tenant, name string, deleted bool, inForce map[[2]string]string) (string, error) {
	rows, err := s.approvedRows(ctx, tenant, ` AND name = $2`, name)
	if err != nil {
		return "", err
	}
	return newestOf(slices.DeleteFunc(rows, func(row publicRow) bool { return !s.visible(ctx, tenant, row, deleted, inForce) })), nil
}

// newestOf prefers what is not deleted.
func newestOf(rows []publicRow) string {
	var newest publicRow
	for _, row := range rows {
		switch gone, was := row.status == admission.Deleted, newest.status == admission.Deleted; {
		case newest.version == "", was && !gone:
			newest = row
		case gone == was && compareVersions(admission.Version{Version: row.version}, admission.Version{Version: newest.version}) < 0:
			newest = row
		}
	}
	return newest.version
}

// matching are rows after at, in the order of the list.
func (s *Service) matching(ctx context.Context, tenant string, q PublicQuery, at publicRow, limit int) ([]publicRow, error) {
	c := conditions{args: []any{tenant}}
	c.add(`(name, version) > (?, ?)`, at.name, at.version)
	c.filter(q)
	if q.Version != "" {
		c.add(`version = ?`, q.Version)
	}
	c.tail(` ORDER BY name, version LIMIT ?`, limit)
	return s.approvedRows(ctx, tenant, c.text, c.args[1:]...)
}

// namesMatching are the names after at, without versions.
func (s *Service) namesMatching(ctx context.Context, tenant string, q PublicQuery, at publicRow, limit int) (rows []publicRow, err error) {
	c := conditions{args: []any{tenant}}
	c.add(`name > ?`, at.name)
	c.filter(q)
	c.tail(` ORDER BY name LIMIT ?`, limit)
	err = s.view(ctx, func(tx *sql.Tx) error {
		found, err := tx.QueryContext(ctx, `SELECT DISTINCT name FROM versions WHERE tenant = $1 AND state = 'approved'`+c.text, c.args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var row publicRow
			if err := found.Scan(&row.name); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return found.Err()
	})
	return rows, err
}

// approvedRows reads rows by a condition that continues "WHERE tenant = $1 AND
// state = 'approved'" and numbers its arguments from $2.
func (s *Service) approvedRows(ctx context.Context, tenant, condition string, args ...any) (rows []publicRow, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		found, err := tx.QueryContext(ctx, `SELECT name, version, approval, status FROM versions WHERE tenant = $1 AND state = 'approved'`+condition, slices.Concat([]any{tenant}, args)...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var row publicRow
			if err := found.Scan(&row.name, &row.version, &row.approval, &row.status); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return found.Err()
	})
	return rows, err
}

func (s *Service) published(ctx context.Context, tenant, name, ver string) (*Published, error) {
	v, err := s.find(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	raw, err := s.get(ctx, v.ServerJSON, serverjson.MaxBytes)
	if err != nil {
		return nil, err
	}
	return &Published{Version: v.Version, Raw: raw}, nil
}

// conditions builds the rest of a WHERE clause; "?" becomes the next "$n".
type conditions struct {
	text string
	args []any
}

func (c *conditions) add(condition string, args ...any) { c.tail(` AND `+condition, args...) }

func (c *conditions) tail(text string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		text = strings.Replace(text, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.text += text
}

var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// filter adds what the index can answer.
func (c *conditions) filter(q PublicQuery) {
	if !q.Deleted {
		c.add(`status <> 'deleted'`)
	}
	if !q.UpdatedSince.IsZero() {
		c.add(`updated > ?`, store.Millis(q.UpdatedSince))
	}
	if q.Search != "" {
		c.add(`LOWER(name) LIKE ? ESCAPE '\'`, `%`+likeText.Replace(strings.ToLower(q.Search))+`%`)
	}
}
