package registry

import (
	"context"
	"os"
	"path/filepath"

	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// scratch is a folder of the data directory that every start empties.
const scratch = "scratch"

// export puts the artifact into a file for the steps that read it, once in a
// run; without an artifact it is an empty folder. The run removes it.
func (s *Service) export(ctx context.Context, w *work) (path string, err error) {
	if w.exported == "" {
		if w.exported, err = os.MkdirTemp(filepath.Join(s.DataDir, scratch), "artifact-"); err != nil {
			return "", err
		}
		if w.v.Artifact == "" {
			err = os.Mkdir(filepath.Join(w.exported, "none"), 0o700)
		} else {
			err = classifyBlob(s.Blobs.Export(ctx, w.v.Artifact, filepath.Join(w.exported, "artifact")))
		}
		if err != nil {
			w.tidy()
			return "", err
		}
	}
	if w.v.Artifact == "" {
		return filepath.Join(w.exported, "none"), nil
	}
	return filepath.Join(w.exported, "artifact"), nil
}

// tidy removes what export left.
func (w *work) tidy() {
	if w.exported != "" {
		_ = tree.Remove(w.exported)
		w.exported, w.tree = "", ""
	}
}
