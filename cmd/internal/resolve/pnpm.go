package resolve

import (
	"context"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
)

// pnpmClient: pnpm runs hooks of a project (.pnpmfile.cjs), which the copy does
// not hold, and prepares what comes from git.
var pnpmClient = client{"pnpm", "pnpm-lock.yaml", lockyaml.MaxBytes, func(ctx context.Context, t *tool, _, dir string) error {
	_, err := t.run(ctx, dir, "install", "--lockfile-only", "--ignore-scripts", "--ignore-pnpmfile", "--no-frozen-lockfile", "--dir="+dir,
		"--config.block-exotic-subdeps=true", "--config.manage-package-manager-versions=false", "--config.confirm-modules-purge=false", "--reporter=append-only")
	return err
}}
