package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/gatewayrun"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/gateway"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/registry"
	"github.com/bartizan-mcp/bartizan/registry/secrets"
)

// registryDoor is door 1 as serve holds it.
type registryDoor struct {
	service   *registry.Service
	trustPath string
	log       *slog.Logger
}

func openRegistry(ctx context.Context, c config.Config, log *audit.Log, loaded *scanners.Loaded, logger *slog.Logger) (*registryDoor, error) {
	dir := trustDir(c.Data)
	keys, err := openSigners(ctx, dir, c.Registry.Signer)
	if err != nil {
		return nil, err
	}
	roots, err := openRoots(dir, c.Registry.TrustedRoot, logger)
	if err != nil {
		return nil, err
	}
	blobs, err := blob.Open(filepath.Join(c.Data, "blobs"))
	if err != nil {
		return nil, err
	}
	finder, err := findSecrets(ctx, c, loaded)
	if err != nil {
		return nil, err
	}
	owners, err := proofs(c)
	if err != nil {
		return nil, err
	}
	supply, err := supplyOf(c.Registry)
	if err != nil {
		return nil, err
	}
	prober, err := isolation(c, logger)
	if err != nil {
		return nil, err
	}
	door := &registryDoor{trustPath: filepath.Join(dir, approval.TrustFile), log: logger}
	door.service, err = registry.Open(ctx, registry.Config{
		DataDir: c.Data, Blobs: blobs, Audit: log, TrustPath: door.trustPath,
		ApprovalSigner: keys.approval, SnapshotSigner: keys.snapshot, SBOMSigner: keys.sbom,
		Scanners: loaded.Live, Secrets: finder, TrustedRoots: roots, Supply: supply, LoopbackUpstreams: config.Loopback(c.Registry.Addr), Ownership: owners, Logger: logger,
		Probe: prober, ProbeRequired: c.Registry.Probe.Mode == config.ProbeRequire,
	})
	return door, err
}

// secretsKeyFile makes the marks by which equal secrets are told.
const secretsKeyFile = "secrets.key"

// findSecrets makes what looks for credentials in publications.
func findSecrets(ctx context.Context, c config.Config, loaded *scanners.Loaded) (*secrets.Finder, error) {
	key, err := secrets.LoadKey(filepath.Join(c.Data, secretsKeyFile))
	if err != nil {
		return nil, err
	}
	scanner, err := loaded.Embedded(ctx, secrets.Scanner)
	if err != nil {
		return nil, err
	}
	return secrets.New(scanner, key)
}

// openRoots trusts the imported roots and the configured one.
func openRoots(trust, configured string, logger *slog.Logger) (*attest.Roots, error) {
	var paths []string
	if configured != "" {
		paths = append(paths, configured)
	}
	roots, err := attest.OpenRoots(rootsDir(trust), paths...)
	if err != nil {
		return nil, err
	}
	if root, err := roots.Current(); err == nil && root != nil {
		if err := root.Current(time.Now()); err != nil {
			logger.Warn("a trusted root serves signatures of its time only", "error", err)
		}
	}
	return roots, nil
}

// ensureTrust makes the trust document of a new installation. One that is
// there keeps its name, its keys and its version.
func ensureTrust(ctx context.Context, dir string) error {
	_, err := approval.LoadTrust(filepath.Join(dir, approval.TrustFile))
	if errors.Is(err, os.ErrNotExist) {
		_, err = approval.InitTrust(ctx, dir, newRegistryID(), time.Now())
	}
	return err
}

// newRegistryID names a new installation.
func newRegistryID() string { return "registry-" + strings.ToLower(rand.Text()[:12]) }

// greet says where the doors are and, on an installation without keys, issues
// the first admin key. It is printed and kept nowhere.
func (d *registryDoor) greet(ctx context.Context, c config.Config, registryURL, gatewayURL string) (hello, error) {
	h := hello{Registry: registryURL, Gateway: gatewayURL}
	keys, err := d.service.Keys(ctx, c.Tenant)
	if err != nil || len(keys) > 0 {
		return h, err
	}
	h.AdminKey, err = d.service.FirstKey(ctx, identity.KeySpec{
		Tenant: c.Tenant, Principal: "admin", Kind: identity.KindUser,
		Roles: []string{identity.RoleAdmin}, Namespaces: []string{identity.AnyNamespace},
		Lifetime: identity.MaxLifetime,
	})
	return h, err
}

// follow tells the gateway in this process of every change in the feed.
func (d *registryDoor) follow(tenant string) func(context.Context, func()) {
	return func(ctx context.Context, notify func()) {
		cursor := int64(-1) // the present end
		for ctx.Err() == nil {
			events, next, err := d.service.Feed(ctx, tenant, cursor, 30*time.Second)
			if err != nil {
				if ctx.Err() == nil {
					d.log.ErrorContext(ctx, "registry feed", "error", err)
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
				continue
			}
			cursor = next
			if len(events) > 0 {
				notify()
			}
		}
	}
}

// reportDrift keeps what the gateway observed as evidence for the reviewers.
func (d *registryDoor) reportDrift(ctx context.Context, drift gateway.Drift) {
	_, err := d.service.ReportDrift(ctx, gatewayrun.Origin(drift.Tenant), registry.DriftReport{
		Name: drift.Server, Version: drift.Version, Era: string(drift.Era),
		Kind: drift.Kind.String(), Key: drift.Key, Observed: drift.New,
	})
	if err != nil {
		d.log.ErrorContext(ctx, "drift report", "server", drift.Server, "error", fmt.Sprint(err))
	}
}

// artifactsOf is the registry in this process as the gateway reads it: what it
// yields is checked as if it came over the network.
type artifactsOf struct {
	service *registry.Service
	tenant  string
}

func (a artifactsOf) Artifact(ctx context.Context, digest string) (io.ReadCloser, error) {
	r, _, err := a.service.Artifact(ctx, a.tenant, digest)
	return r, err
}
