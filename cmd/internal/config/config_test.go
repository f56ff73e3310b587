package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func env(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

func write(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bartizan.yaml")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStrongestSourceWins(t *testing.T) {
	file := write(t, "data: /from/file\ngateway:\n  blockStatus: 200\n  snapshotGrace: 5m\nregistry:\n  publicReads: true\n")
	c, settings, err := Load(Sources{
		File:  file,
		Env:   env(map[string]string{"BARTIZAN_DATA": "/from/env", "BARTIZAN_GATEWAY_BLOCK_STATUS": "403"}),
		Flags: map[string]string{"data": "/from/flag"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/from/flag" || c.Gateway.BlockStatus != 403 || c.Gateway.SnapshotGrace != 5*time.Minute || !c.Registry.PublicReads {
		t.Errorf("got %+v", c)
	}
	want := map[string]Origin{
		"data": FromFlag, "gateway.blockStatus": FromEnv, "gateway.snapshotGrace": FromFile,
		"registry.publicReads": FromFile, "registry.addr": FromDefault,
	}
	seen := 0
	for _, s := range settings {
		if origin, ok := want[s.Key]; ok {
			seen++
			if s.Origin != origin {
				t.Errorf("%s comes from %s, want %s", s.Key, s.Origin, origin)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("only %d of %d settings are shown", seen, len(want))
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	_, settings, err := Load(Sources{Env: env(map[string]string{"BARTIZAN_GATEWAY_TOKEN": "bz_secret"})})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if strings.Contains(s.Value, "bz_secret") {
			t.Errorf("%s shows the token", s.Key)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, src := range map[string]Sources{
		"unknown key":    {File: write(t, "gateway:\n  autoroutes: true\n")},
		"duplicate key":  {File: write(t, "data: a\ndata: b\n")},
		"missing file":   {File: filepath.Join(t.TempDir(), "none.yaml")},
		"bad env":        {Env: env(map[string]string{"BARTIZAN_GATEWAY_UNSAFE_RUN": "perhaps"})},
		"bad flag":       {Flags: map[string]string{"gateway.snapshotGrace": "soon"}},
		"bad int in env": {Env: env(map[string]string{"BARTIZAN_GATEWAY_BLOCK_STATUS": "x"})},
	} {
		if _, _, err := Load(src); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestValidateReportsEveryProblem(t *testing.T) {
	c := Default()
	c.LogLevel = "loud"
	c.Scanners.Mode = "off"
	c.Gateway.BlockStatus = 418
	c.Gateway.MergePatience = 0
	c.Gateway.Strikes = Strikes{Limit: 1, Suspend: -1}
	c.Gateway.Addr = "0.0.0.0:8471"
	c.Gateway.Servers = []Server{{Alias: "Bad Alias", URL: "https://x.example", Command: []string{"/x"}, MinBinding: "magic", Env: map[string]string{"NODE_OPTIONS": "x"}}, {Alias: "x", Server: "io.x/y", Command: []string{"node"}, Transport: "sse", Pin: "x"},
		{Alias: "y", Server: "io.x/z", URL: "https://x.example", Transport: "pigeon"}}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"data:", "logLevel", "scanners.mode", "blockStatus", "mergePatience", "strikes.limit", "strikes.window", "strikes.suspend", "not loopback", "servers[0].alias", "servers[0].server", "servers[0]: a url or", "servers[0].minBinding", "servers[0].env: NODE_OPTIONS", "is not absolute", "servers[1].transport", "servers[1].pin", "servers[2].transport"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	c := Default()
	c.Data = "/var/lib/bartizan"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if err := c.ValidateRemote(); err == nil {
		t.Error("a gateway without registry, key and trust is accepted")
	}
}

func TestEnvName(t *testing.T) {
	for key, want := range map[string]string{
		"data": "BARTIZAN_DATA", "gateway.unsafeRun": "BARTIZAN_GATEWAY_UNSAFE_RUN",
		"gateway.registryURL": "BARTIZAN_GATEWAY_REGISTRY_URL", "gateway.tlsCert": "BARTIZAN_GATEWAY_TLS_CERT",
	} {
		if got := EnvName(key); got != want {
			t.Errorf("EnvName(%q) = %s, want %s", key, got, want)
		}
	}
}

// TestDocumented holds docs/configuration.md to the settings: name, variable
// and default of each, and none that does not exist.
func TestDocumented(t *testing.T) {
	body, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, settings, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, line := range strings.Split(string(body), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			rows[strings.Trim(cells[1], " `")] = cells
		}
	}
	for _, s := range settings {
		row, ok := rows[s.Key]
		if !ok {
			t.Errorf("%s is not documented", s.Key)
			continue
		}
		delete(rows, s.Key)
		if got := strings.Trim(row[2], " `"); got != EnvName(s.Key) {
			t.Errorf("%s: variable %s, want %s", s.Key, got, EnvName(s.Key))
		}
		if got := strings.Trim(row[3], " `"); s.Value != "" && got != s.Value {
			t.Errorf("%s: default %q, want %q", s.Key, got, s.Value)
		}
	}
	for key := range rows {
		t.Errorf("%s is documented and does not exist", key)
	}
}
