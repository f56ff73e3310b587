package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// version is a row of versions. The columns are authoritative for what they
// hold; the record is the rest.
type version struct {
	admission.Version
	Tenant     string
	Submission string
	Publication
}

// Publication is what the publisher's request said beside its parts; a resumed
// pipeline needs it again.
type Publication struct {
	KeyNamespaces  []string `json:"keyNamespaces"`
	ScopesDeclared bool     `json:"scopesDeclared"`
	// ScannerBindings are those of its server.json.
	ScannerBindings []approval.ScannerBinding `json:"scannerBindings,omitzero"`
	// Denied are the components whose licence the policy denies.
	Denied []string `json:"denied,omitzero"`
	// Accepted is what stood against the version when people let it pass: they
	// approved or released it in sight of that.
	Accepted []string `json:"accepted,omitzero"`
}

type versionRecord struct {
	Version     admission.Version `json:"version"`
	Publication Publication       `json:"publication"`
}

const (
	insertColumns  = `tenant, name, version, state, review, alias, approval, submission, record, created, updated`
	versionColumns = insertColumns + `, status, status_message, status_changed`
)

func scanVersion(row interface{ Scan(...any) error }) (*version, error) {
	var v version
	var record []byte
	var name, ver, state, review, alias, approved string
	var created, updated, changed int64
	var status, message string
	if err := row.Scan(&v.Tenant, &name, &ver, &state, &review, &alias, &approved, &v.Submission, &record, &created, &updated, &status, &message, &changed); err != nil {
		return nil, err
	}
	var r versionRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return nil, fmt.Errorf("registry: record of %s %s: %w", name, ver, err)
	}
	v.Version, v.Publication = r.Version, r.Publication
	v.Name, v.Version.Version, v.State, v.Review, v.Alias, v.Approval = name, ver, admission.State(state), review, alias, approved
	v.Created, v.Updated, v.Lifecycle = store.Time(created), store.Time(updated), admission.Lifecycle{}
	if changed != 0 {
		v.Lifecycle = admission.Lifecycle{Status: admission.Status(status), Message: message, Changed: store.Time(changed)}
	}
	return &v, nil
}

func (v *version) encode() ([]byte, error) {
	return json.Marshal(versionRecord{v.Version, v.Publication}, json.Deterministic(true))
}

// key names the version in locks and logs.
func (v *version) key() string { return v.Tenant + "\x00" + v.Name + "\x00" + v.Version.Version }

// signed is the digest that a publisher's signature has to speak of: the
// artifact's, or server.json's where there is no artifact.
func (v *version) signed() string {
	if v.Artifact != "" {
		return v.Artifact
	}
	return v.ServerJSON
}

// getVersion loads a version of a tenant; another tenant's does not exist.
func getVersion(ctx context.Context, tx *sql.Tx, tenant, name, ver string) (*version, error) {
	v, err := scanVersion(tx.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND name = $2 AND version = $3`, tenant, name, ver))
	if err != nil {
		return nil, absent(err, "version")
	}
	return v, nil
}

func getReview(ctx context.Context, tx *sql.Tx, tenant, review string) (*version, error) {
	v, err := scanVersion(tx.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND review = $2`, tenant, review))
	if err != nil {
		return nil, absent(err, "review")
	}
	return v, nil
}

func queryVersions(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]*version, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*version
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

func insertVersion(ctx context.Context, tx *sql.Tx, v *version) error {
	record, err := v.encode()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO versions (`+insertColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		v.Tenant, v.Name, v.Version.Version, v.State, v.Review, v.Alias, v.Approval, v.Submission, record, store.Millis(v.Created), store.Millis(v.Updated))
	return err
}

// updateVersion writes v if the row is still in one of the states that the
// caller decided on.
func updateVersion(ctx context.Context, tx *sql.Tx, v *version, from admission.State) error {
	record, err := v.encode()
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE versions SET state = $1, approval = $2, record = $3, updated = $4 WHERE tenant = $5 AND name = $6 AND version = $7 AND state = $8`,
		v.State, v.Approval, record, store.Millis(v.Updated), v.Tenant, v.Name, v.Version.Version, from)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n != 1 {
		return refuse(ErrConflict, RefusedState, "the version changed meanwhile")
	}
	return nil
}

func deleteVersion(ctx context.Context, tx *sql.Tx, v *version) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM versions WHERE tenant = $1 AND name = $2 AND version = $3 AND state = 'received'`, v.Tenant, v.Name, v.Version.Version)
	return err
}

// refBlob lets a tenant open a blob.
func refBlob(ctx context.Context, tx *sql.Tx, tenant, digest, media string) error {
	if digest == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO blob_refs (tenant, digest, media) VALUES ($1, $2, $3) ON CONFLICT (tenant, digest) DO NOTHING`, tenant, digest, media)
	return err
}

func absent(err error, what string) error {
	if errors.Is(store.Classify(err), store.ErrNotFound) {
		return notFound(what)
	}
	return err
}

func migrationFiles() (fs.FS, error) { return fs.Sub(migrations, "migrations") }
