package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

func TestBundleLaunch(t *testing.T) {
	for name, tc := range map[string]struct {
		manifest string
		want     *admission.Launch
		fails    bool
	}{
		"as it is": {
			manifest: `{"name":"x","server":{"type":"node","mcp_config":{"command":"node","args":["${__dirname}/server/index.js","--stdio"],"env":{"TOKEN":"${user_config.token}","MODE":"read","DATA":"${__dirname}/data"}}}}`,
			want: &admission.Launch{Command: []string{"node", "{tree}/server/index.js", "--stdio"}, Dir: "{tree}", EnvNames: []string{"TOKEN"},
				Env: map[string]string{"MODE": "read", "DATA": "{tree}/data"}},
		},
		"a binary":            {manifest: `{"server":{"mcp_config":{"command":"${__dirname}/server"}}}`, want: &admission.Launch{Command: []string{"{tree}/server"}, Dir: "{tree}", Env: map[string]string{}}},
		"filled in by users":  {manifest: `{"server":{"mcp_config":{"command":"node","args":["${user_config.path}"]}}}`, fails: true},
		"not what it says":    {manifest: `[`, fails: true},
		"no launch":           {manifest: `{}`},
		"a folder of another": {manifest: `{"server":{"mcp_config":{"command":"node","args":["${__dirname}x/index.js"]}}}`, fails: true},
	} {
		file := filepath.Join(t.TempDir(), "x.mcpb")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		zw := zip.NewWriter(f)
		w, err := zw.Create("manifest.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(tc.manifest)); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		got, err := bundleLaunch(t.Context(), file)
		if (err != nil) != tc.fails {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
