package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/secrets"
)

// house is a registry in this process, as serve opens it on an installation
// without a configuration, and a publisher whose key it knows.
type house struct {
	*registry.Service
	publisher *attest.Key
	scanners  int
	closers   []func() error
}

func (h *house) close() (err error) {
	for _, c := range slices.Backward(h.closers) {
		err = errors.Join(err, c())
	}
	return err
}

func openHouse(ctx context.Context, dir string) (h *house, err error) {
	h = &house{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	trust := filepath.Join(dir, "trust")
	if _, err := approval.InitTrust(ctx, trust, "registry.bench", time.Now()); err != nil {
		return h, err
	}
	var keys [3]*attest.Key
	for i, file := range []string{approval.ApprovalKeyFile, approval.SnapshotKeyFile, "sbom.key"} {
		if keys[i], err = attest.LoadOrMakeKey(filepath.Join(trust, file)); err != nil {
			return h, err
		}
	}
	live, finder, err := h.loadScanners(ctx, dir)
	if err != nil {
		return h, err
	}
	blobs, err := blob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return h, err
	}
	h.closers = append(h.closers, blobs.Close)
	log, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{Feature: "registry"})
	if err != nil {
		return h, err
	}
	h.closers = append(h.closers, log.Close)
	h.Service, err = registry.Open(ctx, registry.Config{
		DataDir: dir, Blobs: blobs, Audit: log, TrustPath: filepath.Join(trust, approval.TrustFile),
		ApprovalSigner: keys[0], SnapshotSigner: keys[1], SBOMSigner: keys[2], Scanners: live, Secrets: finder,
	})
	if err != nil {
		return h, err
	}
	h.closers = append(h.closers, h.Service.Close)
	if h.publisher, err = attest.GenerateKey(); err != nil {
		return h, err
	}
	_, err = h.AddSigner(ctx, as("root", identity.RoleAdmin), admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: string(h.publisher.Public().PEM())})
	return h, err
}

// loadScanners loads every scanner that Bartizan ships, and once more the one
// that looks for secrets in artifacts.
func (h *house) loadScanners(ctx context.Context, dir string) (*engine.Live, *secrets.Finder, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return nil, nil, err
	}
	h.closers = append(h.closers, func() error { return e.Close(context.WithoutCancel(ctx)) })
	var all []*engine.Scanner
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		s, err := e.Load(ctx, modules[name], engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			return nil, nil, err
		}
		all = append(all, s)
	}
	h.scanners = len(all)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	key, err := secrets.LoadKey(filepath.Join(dir, "secrets.key"))
	if err != nil {
		return nil, nil, err
	}
	looking, err := e.Load(ctx, modules[secrets.Scanner], engine.Options{})
	if err != nil {
		return nil, nil, err
	}
	finder, err := secrets.New(looking, key)
	return engine.NewLive(engine.NewSet(all...)), finder, err
}

// as is one who calls the registry.
func as(principal string, roles ...string) audit.Origin {
	return audit.Origin{Caller: identity.Caller{
		Tenant: approval.DefaultTenant, Principal: principal, Kind: identity.KindUser, Roles: roles, Namespaces: []string{"io.github.acme"},
	}}
}
