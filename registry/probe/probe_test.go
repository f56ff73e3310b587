//go:build linux && (amd64 || arm64)

package probe

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)

var server string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "probe-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		server = filepath.Join(dir, "server")
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", server, "./testdata/server")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

func prober(t *testing.T, change ...func(*Config)) *Prober {
	t.Helper()
	c := Config{Scratch: t.TempDir(), Linger: 50 * time.Millisecond, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&c)
	}
	p, err := New(c)
	if errors.Is(err, sandbox.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func job(act string) Job {
	return Job{Artifact: server, Command: []string{"/usr/local/bin/acme"}, EnvNames: []string{"ACME_TOKEN"}, Env: map[string]string{"SERVER_ACT": act}}
}

func TestHonestServer(t *testing.T) {
	p := prober(t)
	c, r, err := p.Probe(t.Context(), job("honest"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Source != listing.SourceProbe || len(c.Listings) != 2 || len(c.Listings[0].Tools) != 1 {
		t.Errorf("%+v", c)
	}
	for what, list := range map[string][]string{
		"network": r.Network, "files": r.Files, "programs": r.Exec, "leaks": r.Leaks, "left": r.Left, "attacks": r.Attacks,
		"differences": r.Differences, "one era": r.OneEra,
	} {
		if len(list) != 0 {
			t.Errorf("%s: %q", what, list)
		}
	}
	if len(r.Runs) != 4 || r.Runs[0].Outcome != "listed" || r.Runs[3].Circumstances != "ci" {
		t.Errorf("%+v", r.Runs)
	}
	if left, _ := os.ReadDir(p.Scratch); len(left) != 0 {
		t.Errorf("%d entries are left", len(left))
	}
}

// TestHostileServers: what each does must stand in the one list that is for it.
func TestHostileServers(t *testing.T) {
	p := prober(t)
	for act, want := range map[string]struct {
		list func(*Report) []string
		text string
	}{
		"exfiltrate":       {func(r *Report) []string { return r.Left }, "~/.aws/credentials in network"},
		"encoded":          {func(r *Report) []string { return r.Left }, "environment variable ACME_TOKEN in network"},
		"lookup":           {func(r *Report) []string { return r.Left }, "environment variable ACME_TOKEN in name lookup"},
		"listing":          {func(r *Report) []string { return r.Left }, "environment variable ACME_TOKEN in what the server says"},
		"telemetry":        {func(r *Report) []string { return r.Network }, "telemetry.acme.example:443"},
		"stderr":           {func(r *Report) []string { return r.Leaks }, "environment variable ACME_TOKEN in standard error"},
		"history":          {func(r *Report) []string { return r.Files }, "read ~/.bash_history"},
		"shell":            {func(r *Report) []string { return r.Exec }, "/bin/sh"},
		"ptrace":           {func(r *Report) []string { return r.Attacks }, "ptrace"},
		"client":           {func(r *Report) []string { return r.Differences }, "tool send_mail is listed as workstation and not as ci"},
		"ci":               {func(r *Report) []string { return r.Differences }, "tool get_weather is another as workstation than as ci"},
		"random":           {func(r *Report) []string { return r.Differences }, "is listed as workstation and not as ci"},
		"workstation only": {func(r *Report) []string { return r.Differences }, "tried to reach only.evil.example as workstation and not as ci"},
		"legacy":           {func(r *Report) []string { return []string{r.Runs[1].Outcome} }, "it does not speak this era"},
	} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			_, r, err := p.Probe(t.Context(), job(act))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(want.list(r), func(s string) bool { return strings.Contains(s, want.text) }) {
				doc, _ := json.Marshal(r)
				t.Errorf("%q is not on record: %s", want.text, doc)
			}
			if act == "stderr" && len(r.Left) > 0 {
				t.Errorf("a log is nobody else's: %q", r.Left)
			}
		})
	}
}

// TestUselessServers give no listing, and cost a bounded time and memory.
func TestUselessServers(t *testing.T) {
	p := prober(t, func(c *Config) { c.Timeout, c.OutputBytes = 2*time.Second, 1<<20 })
	for act, want := range map[string]string{
		"silent":       "it does not speak this era",
		"flood":        "the server wrote more than it may",
		"stderr flood": "the server wrote more than it may",
		"endless":      "its lists do not end",
		"dies":         "it ended before it answered",
	} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			_, r, err := p.Probe(t.Context(), job(act))
			if !errors.Is(err, ErrSilent) {
				t.Fatalf("%v", err)
			}
			if got := r.Runs[0].Outcome; got != want && act != "silent" {
				t.Errorf("outcome %q", got)
			}
			if act == "dies" && r.Runs[0].Stderr != `no \u001b[31mlicence\u202e\u000a` {
				t.Errorf("%q", r.Runs[0].Stderr)
			}
		})
	}
}

// TestDeclaredIsAllowed: the same acts, declared, are no findings.
func TestDeclaredIsAllowed(t *testing.T) {
	p := prober(t)
	for act, scope := range map[string]string{"telemetry": "network:*.acme.example:443", "shell": "exec:*", "history": "files:read:~/.bash_history"} {
		j := job(act)
		j.Scopes = []string{scope, "env:ACME_TOKEN"}
		_, r, err := p.Probe(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Network)+len(r.Files)+len(r.Exec) > 0 {
			t.Errorf("%s: %q %q %q", act, r.Network, r.Files, r.Exec)
		}
	}
	// Settings of its own are nobody's business, unless it says that it reads none.
	for scope, want := range map[string]int{"network:none": 0, "files:none": 1} {
		j := job("settings")
		j.Scopes = []string{scope}
		_, r, err := p.Probe(t.Context(), j)
		if err != nil || len(r.Files) != want {
			t.Errorf("%s: %q, %v", scope, r.Files, err)
		}
	}
}

func TestLaunches(t *testing.T) {
	p := prober(t)
	for name, tc := range map[string]struct {
		change func(*Job)
		want   error
	}{
		"named tree":   {func(j *Job) { j.Command = []string{"{tree}/artifact"} }, nil},
		"no program":   {func(j *Job) { j.Command = []string{"/opt/none/zzz", "{tree}/artifact"} }, ErrLaunch},
		"no command":   {func(j *Job) { j.Command = nil }, ErrLaunch},
		"over a wall":  {func(j *Job) { j.Command, j.Dir = []string{"/bin/sh", "{tree}/artifact"}, "/nowhere" }, ErrLaunch},
		"not archived": {func(j *Job) { j.Artifact = "probe_test.go" }, errors.New("")},
	} {
		t.Run(name, func(t *testing.T) {
			j := job("honest")
			tc.change(&j)
			_, _, err := p.Probe(t.Context(), j)
			if tc.want == nil && err != nil || tc.want != nil && (err == nil || errors.Is(tc.want, ErrLaunch) && !errors.Is(err, ErrLaunch)) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

func TestFilesThatTell(t *testing.T) {
	for name, tc := range map[string]struct {
		scopes []string
		file   File
		want   bool
	}{
		"a setting of the system": {nil, File{Path: "/etc/sysconfig/clock", Access: "read"}, true},
		"passwords":               {nil, File{Path: "/etc/shadow", Access: "read"}, false},
		"another user":            {nil, File{Path: "/home/bob/.profile", Access: "read"}, false},
		"docker":                  {nil, File{Path: "/var/run/docker.sock", Access: "read"}, false},
		"a setting of its own":    {nil, File{Path: "~/.config/acme", Access: "read"}, true},
		"a state of its own":      {nil, File{Path: "~/.acme/state", Access: "write"}, true},
		"writing elsewhere":       {nil, File{Path: "/opt/x", Access: "write"}, false},
		"keys":                    {nil, File{Path: "~/.ssh/known_hosts", Access: "read"}, false},
		"keys, declared":          {[]string{"files:read:~/.ssh"}, File{Path: "~/.ssh/known_hosts", Access: "read"}, true},
		"keys, written":           {[]string{"files:read:~/.ssh"}, File{Path: "~/.ssh/known_hosts", Access: "write"}, false},
		"a neighbour's name":      {[]string{"files:read:~/.ssh"}, File{Path: "~/.ssh2", Access: "read"}, false},
		"planted":                 {nil, File{Path: "~/x", Access: "read", Canary: true}, false},
		"none at all":             {[]string{"files:none"}, File{Path: "~/.config/acme", Access: "read"}, false},
	} {
		if got := declared(tc.scopes).allowsFile(tc.file); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDestinations(t *testing.T) {
	for name, tc := range map[string]struct {
		scope   string
		contact Contact
		want    bool
	}{
		"undeclared":     {"weather:read", Contact{Call: "connect", Host: "a.example", Port: 443}, false},
		"same":           {"network:a.example", Contact{Call: "connect", Host: "A.example", Port: 443}, true},
		"same port":      {"network:a.example:443", Contact{Call: "connect", Host: "a.example", Port: 443}, true},
		"other port":     {"network:a.example:443", Contact{Call: "connect", Host: "a.example", Port: 80}, false},
		"name alone":     {"network:a.example:443", Contact{Call: "resolve", Host: "a.example"}, true},
		"below":          {"network:*.a.example", Contact{Call: "resolve", Host: "b.a.example"}, true},
		"not below":      {"network:*.a.example", Contact{Call: "resolve", Host: "ba.example"}, false},
		"address":        {"network:192.0.2.1", Contact{Call: "connect", Address: "192.0.2.1", Port: 1}, true},
		"version 6":      {"network:[2001:db8::1]:443", Contact{Call: "connect", Address: "2001:db8::1", Port: 443}, true},
		"any":            {"network:*", Contact{Call: "connect", Address: "192.0.2.1", Port: 1}, true},
		"loopback":       {"network:none", Contact{Call: "connect", Address: "127.0.0.1", Port: 1}, true},
		"name as number": {"network:none", Contact{Call: "connect", Host: "127.0.0.1.evil.example", Port: 1}, false},
	} {
		if _, got := declared([]string{tc.scope}).allowsContact(tc.contact); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhereTheTreeStands(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"index.js", "dist/index.js"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		command []string
		dir     string
		want    string
	}{
		{[]string{"/usr/bin/node", "/opt/acme/dist/index.js"}, "/", "/opt/acme"},
		{[]string{"/usr/bin/node", "/opt/acme/index.js"}, "/", "/opt/acme"},
		{[]string{"/usr/bin/node", "index.js"}, "/opt/acme", "/opt/acme"},
		{[]string{"/usr/bin/node", "index.js"}, "/", treeAt},
		{[]string{"/usr/bin/node", "/opt/acme/../../etc/index.js"}, "/", treeAt},
	} {
		if got := standsAt(dir, Job{Command: tc.command, Dir: tc.dir}); got != tc.want {
			t.Errorf("%q in %s: %s, want %s", tc.command, tc.dir, got, tc.want)
		}
	}
}
