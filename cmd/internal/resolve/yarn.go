package resolve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// yarnClient: classic has no way to write a lockfile alone, so it installs into
// the scratch copy, without scripts. Berry resolves alone.
var yarnClient = client{"yarn", "yarn.lock", npm.MaxLockBytes, func(ctx context.Context, t *tool, version, dir string) error {
	if strings.HasPrefix(version, "1.") {
		_, err := t.run(ctx, dir, "install", "--ignore-scripts", "--non-interactive", "--no-bin-links", "--no-progress",
			"--ignore-engines", "--ignore-platform", "--production=false", "--cwd="+dir)
		return err
	}
	// An empty lockfile marks the folder as a project of its own.
	if err := os.WriteFile(filepath.Join(dir, "yarn.lock"), nil, 0o600); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	t.env = append(t.env, "YARN_ENABLE_SCRIPTS=0", "YARN_ENABLE_TELEMETRY=0", "YARN_ENABLE_IMMUTABLE_INSTALLS=0", "YARN_NODE_LINKER=node-modules")
	_, err := t.run(ctx, dir, "install", "--mode=update-lockfile")
	return err
}}
