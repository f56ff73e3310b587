//go:build e2e

package accuracy

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/source/directorysource"
	_ "modernc.org/sqlite" // syft's defaults read databases of package managers
)

// licences is syft's licence scanner, which otherwise takes a second each time.
var licences = sync.OnceValues(func() (context.Context, error) {
	return syft.SetContextLicenseScanner(context.Background(), cataloging.DefaultLicenseConfig())
})

// plainSyft is syft over a folder, as it is without any settings.
func plainSyft(t *testing.T, dir string) packages {
	t.Helper()
	ctx, err := licences()
	if err != nil {
		t.Fatal(err)
	}
	src, err := directorysource.NewFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	found, err := syft.CreateSBOM(ctx, src, syft.DefaultCreateSBOMConfig())
	if err != nil {
		t.Fatal(err)
	}
	out := packages{}
	for p := range found.Artifacts.Packages.Enumerate() {
		if !strings.HasPrefix(p.PURL, "pkg:npm/deployment@") { // the folder itself is not a part of it
			out[p.Name+"@"+p.Version] = true
		}
	}
	return out
}
