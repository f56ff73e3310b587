package scaffold

import (
	"fmt"
	"io/fs"
	"strings"
)

// goModule is where Go finds the SDK; goLeast is the oldest Go that compiles it.
const (
	goModule = "github.com/bartizan-mcp/bartizan"
	goLeast  = "1.24"
)

// vendored adds what a Go module is beside its code: go.mod, and the SDK as
// `go mod vendor` would leave it, so that the first build needs no network. An
// author who wants to follow releases removes the folder and asks for one.
func vendored(source fs.FS, o Options, files map[string][]byte) error {
	release := o.Release
	if release == "" {
		release = "v0.0.0"
	}
	files["go.mod"] = fmt.Appendf(nil, "module %s\n\ngo %s\n\nrequire %s %s\n", o.Name, goLeast, goModule, release)
	files["vendor/modules.txt"] = fmt.Appendf(nil, "# %s %s\n## explicit; go %s\n%s/sdk/go\n", goModule, release, goLeast, goModule)
	return each(source, "go", func(name string, body []byte) {
		if !strings.HasSuffix(name, "_test.go") {
			files["vendor/"+goModule+"/sdk/go/"+name] = body
		}
	})
}
