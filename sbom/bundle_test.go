package sbom

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestBundleManifest(t *testing.T) {
	for name, tc := range map[string]struct{ manifest, want string }{
		"whole":       {`{"manifest_version":"0.3","name":"b","version":"1","server":{"type":"node","entry_point":"server/index.js"}}`, ""},
		"no such":     {`{"manifest_version":"0.3","name":"b","version":"1","server":{"type":"node","entry_point":"server/other.js"}}`, `starts "server/other.js", which is not in the bundle`},
		"leaves":      {`{"manifest_version":"0.3","name":"b","version":"1","server":{"type":"node","entry_point":"../x"}}`, "hosts can agree on"},
		"two servers": {`{"manifest_version":"0.3","name":"b","version":"1","server":{"type":"node","entry_point":"a"},"server":{}}`, "hosts can agree on"},
	} {
		file := filepath.Join(t.TempDir(), "b.mcpb")
		writeZip(t, file, map[string]string{"manifest.json": tc.manifest, "server/index.js": "", "package-lock.json": `{"lockfileVersion":3,"packages":{"":{"name":"b"}}}`})
		d := mustGenerate(t, file)
		reasons := strings.Join(d.Completeness().Reasons, "\n")
		if c := d.Completeness(); tc.want == "" && c.Level != Complete || !strings.Contains(reasons, tc.want) {
			t.Errorf("%s: completeness = %+v, want %q", name, c, tc.want)
		}
		if tc.want == "" && !bytes.Contains(encoded(t, d), []byte(`"bartizan:mcpb:entry:point"`)) {
			t.Errorf("%s: the document does not say what is started", name)
		}
	}
}
