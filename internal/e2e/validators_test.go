//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// TestValidators holds SBOMs of every kind to CycloneDX's own validator and to
// that of the SPDX project, and shows that both notice a broken one.
func TestValidators(t *testing.T) {
	dir, digest := t.TempDir(), strings.Repeat("ab", 32)
	yes := true
	mcp := sbom.MCP{
		Name: "io.github.acme/weather", Version: "1.0.0", Endpoint: "https://weather.example/mcp", Transport: "streamable-http", Authenticated: &yes,
		Scopes: []string{"network:api.example:443"}, Definitions: digest,
		Permissions: &permission.Declaration{Needs: permission.Needs{Network: []string{"api.example:443"}, Exec: []string{}, Data: []permission.Data{{Flow: "outbound", Classification: "PII"}}}},
		TLS:         &sbom.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Chain: []sbom.Certificate{{Subject: "CN=a", Issuer: "CN=b", NotAfter: time.Unix(1900000000, 0), SPKI: digest}}},
		Listings:    []sbom.MCPListing{{Era: "legacy", ProtocolVersion: "2025-11-25", Root: digest}},
		Entries:     []sbom.MCPEntry{{Kind: "tool", Key: "forecast", Fingerprint: digest, Whole: digest, Era: "legacy", Scopes: []string{"x"}, Needs: &permission.Needs{Network: []string{}}}},
	}
	var cyclonedx, spdx []string
	for name, artifact := range map[string]string{
		"npm-v1": "../../sbom/testdata/npm-v1", "npm-v3": "../../sbom/testdata/npm-v3", "executable": filepath.Join(bin(t), "bartizan-gateway"), "empty": t.TempDir(),
	} {
		doc, err := sbom.Generate(t.Context(), sbom.Input{Artifact: artifact}, sbom.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"plain", "enriched"} {
			if form == "enriched" {
				if err := doc.Enrich(mcp); err != nil {
					t.Fatal(err)
				}
			}
			cyclonedx = append(cyclonedx, saved(t, filepath.Join(dir, name+"-"+form+".cdx.json"), doc.Encode))
			spdx = append(spdx, saved(t, filepath.Join(dir, name+"-"+form+".spdx.json"), func() ([]byte, error) { return doc.SPDX(time.Unix(1700000000, 0)) }))
		}
	}
	for format, files := range map[string][]string{"cyclonedx": cyclonedx, "spdx": spdx} {
		if out, err := validated(t, format, files...); err != nil {
			t.Errorf("%s: %v\n%s", format, err, out)
		}
		good, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Replace(good, []byte(`"version": 1,`), []byte(`"version": "one",`), 1)
		if format == "spdx" {
			bad = bytes.Replace(good, []byte(`"dataLicense": "CC0-1.0"`), []byte(`"dataLicense": "MIT"`), 1)
		}
		if bytes.Equal(good, bad) {
			t.Fatalf("%s: nothing to break", format)
		}
		broken := saved(t, filepath.Join(dir, "broken."+format+".json"), func() ([]byte, error) { return bad, nil })
		if _, err := validated(t, format, broken); err == nil {
			t.Errorf("%s: a broken document is valid", format)
		}
	}
}

func saved(t *testing.T, file string, encode func() ([]byte, error)) string {
	t.Helper()
	body, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func validated(t *testing.T, format string, files ...string) (string, error) {
	t.Helper()
	python := filepath.Join(bin(t), "validators", "bin", "python")
	out, err := exec.CommandContext(t.Context(), python, append([]string{"validators/validate.py", format}, files...)...).CombinedOutput()
	return string(out), err
}
