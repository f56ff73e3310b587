package approval_test

import (
	"errors"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

func TestBindingOrder(t *testing.T) {
	of := func(b approval.Binding, pin string) *approval.Predicate {
		return &approval.Predicate{Binding: b, Launch: approval.Launch{Pin: pin}}
	}
	have := []*approval.Predicate{
		of(approval.BindingEndpoint, ""), of(approval.BindingCommand, ""), of(approval.BindingEndpoint, "sha256:00"), of(approval.BindingArtifact, ""),
	}
	minimums := []approval.Binding{approval.BindingEndpoint, approval.BindingCommand, approval.MinimumPinned, approval.BindingArtifact}
	for i, p := range have {
		for j, min := range minimums {
			if got := p.Satisfies(min); got != (i >= j) {
				t.Errorf("%s (pin %q) satisfies %s = %v", p.Binding, p.Launch.Pin, min, got)
			}
		}
		if !p.Satisfies("") || p.Satisfies("strongest") {
			t.Errorf("%s: no minimum must pass, an unknown one must not", p.Binding)
		}
	}
	for _, b := range []approval.Binding{"", "magic", approval.MinimumPinned} {
		if of(b, "").Satisfies("") || b.Valid() {
			t.Errorf("an approval with binding %q", b)
		}
	}
}

func TestLaunchEqual(t *testing.T) {
	base := approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}}
	for name, c := range map[string]struct {
		other approval.Launch
		want  bool
	}{
		"same":             {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"B", "A"}}, true},
		"other argument":   {approval.Launch{Command: []string{"npx", "server", ""}, EnvNames: []string{"A", "B"}}, false},
		"joined arguments": {approval.Launch{Command: []string{"npx server"}, EnvNames: []string{"A", "B"}}, false},
		"swapped":          {approval.Launch{Command: []string{"server", "npx"}, EnvNames: []string{"A", "B"}}, false},
		"more environment": {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B", "LD_PRELOAD"}}, false},
		"directory":        {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, Dir: "/tmp"}, false},
		"transport":        {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, Transport: "sse"}, false},
		"url":              {approval.Launch{Command: []string{"npx", "server"}, EnvNames: []string{"A", "B"}, URL: "http://x"}, false},
	} {
		if got := base.Equal(c.other); got != c.want {
			t.Errorf("%s: Equal = %v", name, got)
		}
	}
	broken := approval.Launch{Command: []string{"\xff"}}
	if broken.Equal(broken) {
		t.Error("a launch that cannot be written down equals nothing, not even itself")
	}
}

func TestLaunchMustFitItsBinding(t *testing.T) {
	h := newHouse(t)
	argv := []string{"/usr/bin/node", "server.js"}
	for name, c := range map[string]struct {
		binding approval.Binding
		launch  approval.Launch
		ok      bool
	}{
		"endpoint":                 {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/mcp?tenant=1"}, true},
		"endpoint, HTTP+SSE":       {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/sse", Transport: "sse"}, true},
		"endpoint, odd transport":  {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/mcp", Transport: "streamable-http"}, false},
		"command with a transport": {approval.BindingCommand, approval.Launch{Command: argv, Transport: "sse"}, false},
		"endpoint, loopback http":  {approval.BindingEndpoint, approval.Launch{URL: "http://127.0.0.1:9000/"}, true},
		"endpoint without URL":     {approval.BindingEndpoint, approval.Launch{}, false},
		"endpoint with command":    {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Command: argv}, false},
		"endpoint, other scheme":   {approval.BindingEndpoint, approval.Launch{URL: "file:///etc/passwd"}, false},
		"endpoint, relative":       {approval.BindingEndpoint, approval.Launch{URL: "//mcp.example/"}, false},
		"endpoint with password":   {approval.BindingEndpoint, approval.Launch{URL: "https://u:p@mcp.example/"}, false},
		"endpoint with fragment":   {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/#x"}, false},
		"command":                  {approval.BindingCommand, approval.Launch{Command: []string{"npx", "x"}}, true},
		"command without argv":     {approval.BindingCommand, approval.Launch{}, false},
		"command with empty argv0": {approval.BindingCommand, approval.Launch{Command: []string{""}}, false},
		"command with URL":         {approval.BindingCommand, approval.Launch{Command: argv, URL: "https://x.example"}, false},
		"environment value":        {approval.BindingCommand, approval.Launch{Command: argv, EnvNames: []string{"A=secret"}}, false},
		"command with a loader":    {approval.BindingCommand, approval.Launch{Command: argv, EnvNames: []string{"NODE_OPTIONS"}}, false},
		"command with a tree":      {approval.BindingCommand, approval.Launch{Command: []string{"/usr/bin/node", "{tree}/x.js"}}, false},
		"command with a runtime":   {approval.BindingCommand, approval.Launch{Command: argv, Runtimes: []string{sum("node")}}, false},
		"endpoint, key":            {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Pin: "sha256:" + sum("key")}, true},
		"endpoint, SPIFFE id":      {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Pin: "spiffe://acme.example/ns/mcp/weather"}, true},
		"endpoint, no trust path":  {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Pin: "spiffe://acme.example"}, false},
		"endpoint, odd pin":        {approval.BindingEndpoint, approval.Launch{URL: "https://mcp.example/", Pin: "sha1:" + sum("key")}, false},
		"endpoint, pin, plaintext": {approval.BindingEndpoint, approval.Launch{URL: "http://127.0.0.1:1/", Pin: "sha256:" + sum("key")}, false},
		"command with a pin":       {approval.BindingCommand, approval.Launch{Command: argv, Pin: "sha256:" + sum("key")}, false},
	} {
		p := predicate("1.0.0")
		p.Binding, p.Launch = c.binding, c.launch
		_, _, err := approval.Sign(t.Context(), h.approval, p, subjects)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, approval.ErrMalformed)) {
			t.Errorf("%s: err = %v, want ok = %v", name, err, c.ok)
		}
	}
}

// TestArtifactLaunch: what an artifact-bound server is started with leaves
// nothing open through which other code comes in.
func TestArtifactLaunch(t *testing.T) {
	h := newHouse(t)
	bound := subjects
	bound.Tree = sum("tree")
	type change = func(*approval.Launch)
	with := func(command ...string) change { return func(l *approval.Launch) { l.Command = command } }
	value := func(name, v string) change { return func(l *approval.Launch) { l.Env = map[string]string{name: v} } }
	name := func(n string) change { return func(l *approval.Launch) { l.EnvNames = []string{n} } }
	tests := map[string]struct {
		change change
		ok     bool
	}{
		"as it is":                 {func(*approval.Launch) {}, true},
		"options without code":     {with("/usr/bin/node", "--enable-source-maps", "--max-old-space-size=512", "{tree}/index.js", "--import", "anything"), true},
		"several runtimes":         {func(l *approval.Launch) { l.Runtimes = append(l.Runtimes, sum("another")) }, true},
		"a secret by name":         {name("TOKEN"), true},
		"a value in the tree":      {value("DATA", "{tree}/data"), true},
		"a folder in the tree":     {func(l *approval.Launch) { l.Dir = "{tree}/lib" }, true},
		"ENVIRONMENT is not ENV":   {name("ENVIRONMENT"), true},
		"NODE_ENV loads nothing":   {value("NODE_ENV", "production"), true},
		"a program of the tree":    {func(l *approval.Launch) { l.Command, l.Runtimes = []string{"{tree}/artifact", "-x"}, nil }, true},
		"python, isolated":         {with("/usr/bin/python3", "-I", "-S", "{tree}/site"), true},
		"python, not isolated":     {with("/usr/bin/python3", "{tree}/site"), false},
		"a program and a runtime":  {with("{tree}/artifact"), false},
		"relative":                 {with("node", "{tree}/index.js"), false},
		"not clean":                {with("/usr/bin/../../tmp/node", "{tree}/index.js"), false},
		"out of the tree":          {with("/usr/bin/node", "{tree}/../evil.js"), false},
		"a program out of it":      {func(l *approval.Launch) { l.Command, l.Runtimes = []string{"{tree}/../../bin/sh"}, nil }, false},
		"the tree as a program":    {func(l *approval.Launch) { l.Command, l.Runtimes = []string{"{tree}"}, nil }, false},
		"no runtime":               {func(l *approval.Launch) { l.Runtimes = nil }, false},
		"half a digest":            {func(l *approval.Launch) { l.Runtimes = []string{"abc"} }, false},
		"a relative folder":        {func(l *approval.Launch) { l.Dir = "srv" }, false},
		"a folder out of the tree": {func(l *approval.Launch) { l.Dir = "{tree}/.." }, false},
		"a value out of the tree":  {value("DATA", "{tree}/../keys"), false},
		"code outside the tree":    {with("/usr/bin/node", "/srv/index.js", "{tree}/index.js"), false},
		"code relative":            {with("/usr/bin/node", "index.js"), false},
		"code in argv":             {with("/usr/bin/node", "-e", "evil()", "{tree}/index.js"), false},
		"code in an option":        {with("/usr/bin/python3", "-I", "-cimport os", "{tree}/x"), false},
		"a module to load first":   {with("/usr/bin/node", "--require=evil", "{tree}/index.js"), false},
		"a debugger":               {with("/usr/bin/node", "--inspect=9229", "{tree}/index.js"), false},
		"a name and a value":       {func(l *approval.Launch) { l.EnvNames, l.Env = []string{"A"}, map[string]string{"A": "1"} }, false},
		"a URL too":                {func(l *approval.Launch) { l.URL = "https://x.example" }, false},
		"LD_PRELOAD":               {name("LD_PRELOAD"), false},
		"a lower-case loader":      {value("node_options", "--require x"), false},
		"PYTHONPATH":               {value("PYTHONPATH", "{tree}"), false},
		"DYLD_INSERT_LIBRARIES":    {name("DYLD_INSERT_LIBRARIES"), false},
	}
	for label, c := range tests {
		p := predicate("1.0.0")
		p.Binding = approval.BindingArtifact
		p.Launch = approval.Launch{Command: []string{"/usr/bin/node", "{tree}/index.js"}, Dir: "{tree}", Runtimes: []string{sum("node")}}
		c.change(&p.Launch)
		_, _, err := approval.Sign(t.Context(), h.approval, p, bound)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, approval.ErrMalformed)) {
			t.Errorf("%s: err = %v, want ok = %v", label, err, c.ok)
		}
	}
}

// TestTreeIsASubject: the tree stands in the statement, reviewers vote about it,
// and no other binding has one.
func TestTreeIsASubject(t *testing.T) {
	h := newHouse(t)
	p := predicate("1.0.0")
	p.Binding = approval.BindingArtifact
	p.Launch = approval.Launch{Command: []string{"{tree}/artifact"}, Dir: "/"}
	if _, _, err := approval.Sign(t.Context(), h.approval, p, subjects); !errors.Is(err, approval.ErrMalformed) {
		t.Errorf("artifact binding without a tree: %v", err)
	}
	one, two := subjects, subjects
	one.Tree, two.Tree = sum("one"), sum("two")
	a, err := approval.SubjectDigest(p, one)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := approval.SubjectDigest(p, two); err != nil || a == b {
		t.Errorf("another tree is the same subject: %v", err)
	}
	p = predicate("1.0.0")
	if _, _, err := approval.Sign(t.Context(), h.approval, p, one); !errors.Is(err, approval.ErrMalformed) {
		t.Errorf("command binding with a tree: %v", err)
	}
}

// TestLoaderVariablesHaveReasons: each entry says why, and none is shadowed.
func TestLoaderVariablesHaveReasons(t *testing.T) {
	for _, name := range []string{"NODE_OPTIONS", "NODE_PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME",
		"BASH_ENV", "ENV", "DYLD_INSERT_LIBRARIES", "RUBYOPT", "RUBYLIB", "PERL5OPT", "PERL5LIB", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS",
		"CLASSPATH", "DOTNET_STARTUP_HOOKS", "GCONV_PATH", "BASH_FUNC_ls%%", "NPM_CONFIG_SCRIPT_SHELL", "npm_config_registry", "GIT_SSH_COMMAND", "GLIBC_TUNABLES", "OPENSSL_CONF"} {
		if why, refused := approval.LoaderVariable(name); !refused || why == "" {
			t.Errorf("%s is let through", name)
		}
	}
	for _, name := range []string{"", "TOKEN", "PATH", "HOME", "LANG", "TZ", "NODE_ENV", "ENVIRONMENT", "GITHUB_TOKEN", "UV_THREADPOOL_SIZE", "LDAP_URL"} {
		if why, refused := approval.LoaderVariable(name); refused {
			t.Errorf("%s is refused: %s", name, why)
		}
	}
}
