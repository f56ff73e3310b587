package resolve

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReducePyproject(t *testing.T) {
	got, err := reducePyproject([]byte(`
[project]
name = "Acme_MCP"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["httpx[http2]>=0.27 ; python_version > '3'"]
[project.optional-dependencies]
cli = ["rich"]
[dependency-groups]
test = ["pytest>=8"]
[build-system]
requires = ["evil"]
build-backend = "evil"
backend-path = ["."]
[tool.uv]
index-url = "http://127.0.0.1:1/"
[tool.uv.sources]
httpx = { git = "https://example.com/httpx" }
`))
	if err != nil {
		t.Fatal(err)
	}
	want := `[project]
name = "acme-mcp"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["httpx[http2]>=0.27 ; python_version > '3'", ]
[project.optional-dependencies]
"cli" = ["rich", ]
[dependency-groups]
"test" = ["pytest>=8", ]
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{"a @ file:///etc", "a @ git+https://example.com/a", "a @ ../a"} {
		_, err := reducePyproject([]byte("[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"" + text + "\"]\n"))
		if !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "etc") {
			t.Errorf("%q: error = %v", text, err)
		}
	}
}
