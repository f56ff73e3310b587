package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	signing "github.com/bartizan-mcp/bartizan/internal/signer"
)

// signers are what the registry signs with.
type signers struct{ approval, snapshot, sbom attest.Signer }

// openSigners asks the separate signer at socket, or loads the keys under dir,
// which are made with the trust document at the first start.
func openSigners(ctx context.Context, dir, socket string) (*signers, error) {
	if socket != "" {
		return dialSigners(ctx, dir, socket)
	}
	if err := ensureTrust(ctx, dir); err != nil {
		return nil, err
	}
	approvals, err := attest.LoadKey(filepath.Join(dir, approval.ApprovalKeyFile))
	if err != nil {
		return nil, err
	}
	snapshots, err := attest.LoadKey(filepath.Join(dir, approval.SnapshotKeyFile))
	if err != nil {
		return nil, err
	}
	bills, err := attest.LoadOrMakeKey(filepath.Join(dir, signing.SBOMKeyFile))
	if err != nil {
		return nil, err
	}
	return &signers{approvals, snapshots, bills}, nil
}

// dialSigners asks for the keys elsewhere. The trust document is installed here
// by hand, as on a gateway; keys that lie beside it would sign what the signer
// refuses, so none may.
func dialSigners(ctx context.Context, dir, socket string) (*signers, error) {
	trust, err := approval.LoadTrust(filepath.Join(dir, approval.TrustFile))
	if err != nil {
		return nil, fmt.Errorf("%w (copy the signer's trust.json to %s)", err, dir)
	}
	for _, name := range []string{approval.ApprovalKeyFile, approval.SnapshotKeyFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s holds %s beside a separate signer: move it there", dir, name)
		}
	}
	c, err := signing.Dial(ctx, socket)
	if err != nil {
		return nil, err
	}
	if c.Registry() != trust.Registry {
		return nil, fmt.Errorf("the signer speaks for %s, trust.json for %s", c.Registry(), trust.Registry)
	}
	return &signers{c.Signer(signing.RoleApproval), c.Signer(signing.RoleSnapshot), c.Signer(signing.RoleSBOM)}, nil
}
