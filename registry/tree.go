package registry

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// plantTree makes the tree that an artifact-bound server will be started from,
// by the function that gateways use, and names it. Later steps of this run may
// read it; nothing of it is executed here.
func (s *Service) plantTree(ctx context.Context, w *work) error {
	if approval.Binding(w.v.Binding) != approval.BindingArtifact {
		return nil
	}
	file, err := s.export(ctx, w)
	if err != nil {
		return err
	}
	dir := filepath.Join(filepath.Dir(file), "tree")
	digest, err := tree.Materialise(ctx, file, dir, archive.Limits{})
	switch {
	case errors.Is(err, tree.ErrHostile), errors.Is(err, tree.ErrManifest), errors.Is(err, tree.ErrIntegrity),
		errors.Is(err, archive.ErrUnsupported):
		return refuse(ErrInvalid, RefusedArtifact, "the artifact becomes no tree: %s", err)
	case errors.Is(err, archive.ErrTooLarge):
		return refuse(ErrTooLarge, RefusedTooLarge, "the artifact becomes no tree: %s", err)
	case err != nil:
		return classifyFile(err)
	}
	w.v.Tree, w.tree = digest, dir
	return inTree(w.v.Launch.Command, dir)
}

// inTree wants what a launch names in the tree to be there: a program that can
// be executed, and what a runtime is told to run.
func inTree(command []string, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, arg := range command {
		below, named := strings.CutPrefix(arg, tree.Root+"/")
		if !named && arg != tree.Root {
			continue
		}
		if arg == tree.Root {
			below = "."
		}
		info, err := root.Stat(below)
		if err != nil {
			return refuse(ErrInvalid, RefusedArtifact, "launch argument %d is not in the tree", i)
		}
		if i > 0 {
			return nil // what comes after the code is data, and may be made later
		}
		head := make([]byte, 64)
		f, err := root.Open(below)
		if err != nil {
			return refuse(ErrInvalid, RefusedArtifact, "launch argument 0 cannot be read")
		}
		defer f.Close()
		n, err := f.Read(head)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || !archive.IsExecutable(head[:n]) {
			return refuse(ErrInvalid, RefusedArtifact, "launch argument 0 is no native executable: a script needs its interpreter as the command, with its digest")
		}
		return nil
	}
	return nil
}

// Artifact opens the artifact of a version that has been approved, for a
// gateway that starts servers from it. Anything else of the tenant, and all of
// other tenants, does not exist.
func (s *Service) Artifact(ctx context.Context, tenant, digest string) (r io.ReadCloser, size int64, err error) {
	digest = "sha256:" + digest
	err = s.view(ctx, func(tx *sql.Tx) error {
		approved, err := queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND state = 'approved'`, tenant)
		if err != nil {
			return err
		}
		for _, v := range approved {
			if v.Artifact == digest && v.Tree != "" {
				return nil
			}
		}
		return notFound("artifact")
	})
	if err != nil {
		return nil, 0, err
	}
	if size, err = s.Blobs.Size(digest); err != nil {
		return nil, 0, classifyBlob(err)
	}
	if r, err = s.Blobs.Get(digest); err != nil {
		return nil, 0, classifyBlob(err)
	}
	return r, size, nil
}
