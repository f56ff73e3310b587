package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// BenchmarkPublic reads pages of a registry of 1,000 servers with 10 versions
// each, and beside it what a list that reads every row would read.
func BenchmarkPublic(b *testing.B) {
	h := newHouse(b)
	crowd(b, h, 1000, 10)
	last := "io.github.acme/server-0989:1.9.0"
	for name, q := range map[string]PublicQuery{
		"first page":            {Limit: 100},
		"last page":             {Limit: 100, After: last},
		"latest":                {Limit: 100, Version: LatestVersion},
		"latest, last page":     {Limit: 100, Version: LatestVersion, After: "io.github.acme/server-0899:1.9.0"},
		"search, one of 1000":   {Limit: 100, Search: "server-0777"},
		"updated since, none":   {Limit: 100, UpdatedSince: h.now.Add(time.Hour)},
		"one version of a page": {Limit: 1},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, _, err := h.Public(b.Context(), "default", q)
				if err != nil || (len(page) == 0) != (name == "updated since, none") {
					b.Fatal(len(page), err)
				}
			}
		})
	}
	b.Run("one version by name", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.PublicVersion(b.Context(), "default", "io.github.acme/server-0500", LatestVersion, false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reference: every row", func(b *testing.B) {
		for b.Loop() {
			if all, err := h.List(b.Context(), "default", admission.Approved); err != nil || len(all) != 10_000 {
				b.Fatal(len(all), err)
			}
		}
	})
}

// crowd fills the table with approved versions, and the snapshot's memory with
// their approvals: 10,000 signatures are not what is measured.
func crowd(b *testing.B, h *house, servers, versions int) {
	b.Helper()
	raw, err := h.put(b.Context(), []byte(`{"name":"io.github.acme/crowd","description":"One of many","version":"1.0.0"}`))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := h.snapshots.current(b.Context(), "default"); err != nil {
		b.Fatal(err)
	}
	state := h.snapshots.tenants["default"]
	err = h.tx(b.Context(), func(tx *sql.Tx) error {
		for n := range servers * versions {
			v := &version{Tenant: "default", Version: admission.Version{
				Name: fmt.Sprintf("io.github.acme/server-%04d", n/versions), Version: fmt.Sprintf("1.%d.0", n%versions),
				State: admission.Approved, Review: fmt.Sprint("rv-", n), Alias: fmt.Sprint("s", n/versions),
				ServerJSON: raw, Created: h.now, Updated: h.now, Scopes: make([]string, 40),
			}}
			sum := sha256.Sum256([]byte(v.key()))
			v.Approval = "sha256:" + hex.EncodeToString(sum[:])
			if err := insertVersion(context.Background(), tx, v); err != nil {
				return err
			}
			state.listing[[2]string{v.Name, v.Version.Version}] = hexDigest(v.Approval)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
