package clients

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var gateway = Gateway{URL: "http://127.0.0.1:8471/mcp", Command: []string{"/opt/bartizan", "bridge"}}

func find(t *testing.T, name string) *Client {
	t.Helper()
	c, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFind(t *testing.T) {
	for _, c := range All() {
		if got, err := Find(c.Name); err != nil || got != c {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	_, err := Find("notepad")
	if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "claude-code") {
		t.Errorf("%v does not name the clients", err)
	}
}

func TestPaths(t *testing.T) {
	env := map[string]string{}
	linux := Places{OS: "linux", Home: "/h", Config: "/h/.config", Env: func(n string) string { return env[n] }}
	mac := Places{OS: "darwin", Home: "/h", Config: "/h/Library/Application Support", Env: linux.Env}
	for _, tc := range []struct{ client, linux, mac string }{
		{"claude-code", "/h/.claude.json", "/h/.claude.json"},
		{"claude-desktop", "/h/.config/Claude/claude_desktop_config.json", "/h/Library/Application Support/Claude/claude_desktop_config.json"},
		{"cursor", "/h/.cursor/mcp.json", "/h/.cursor/mcp.json"},
		{"vscode", "/h/.config/Code/User/mcp.json", "/h/Library/Application Support/Code/User/mcp.json"},
		{"windsurf", "/h/.codeium/windsurf/mcp_config.json", "/h/.codeium/windsurf/mcp_config.json"},
		{"codex", "/h/.codex/config.toml", "/h/.codex/config.toml"},
		{"gemini", "/h/.gemini/settings.json", "/h/.gemini/settings.json"},
		{"zed", "/h/.config/zed/settings.json", "/h/.config/zed/settings.json"},
	} {
		c := find(t, tc.client)
		if got := filepath.ToSlash(c.UserFile(linux)); got != tc.linux {
			t.Errorf("%s on Linux: %s", tc.client, got)
		}
		if got := filepath.ToSlash(c.UserFile(mac)); got != tc.mac {
			t.Errorf("%s on macOS: %s", tc.client, got)
		}
	}
	env["CLAUDE_CONFIG_DIR"], env["CODEX_HOME"] = "/c", "/x"
	if got := filepath.ToSlash(find(t, "claude-code").UserFile(linux)); got != "/c/.claude.json" {
		t.Error(got)
	}
	if got := filepath.ToSlash(find(t, "codex").UserFile(linux)); got != "/x/config.toml" {
		t.Error(got)
	}
	if _, err := find(t, "zed").ProjectFile("."); !errors.Is(err, ErrNoProject) {
		t.Errorf("zed: %v", err)
	}
}

// TestUndoRestoresEveryByte connects and undoes over files made at random.
func TestUndoRestoresEveryByte(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2026))
	for range 10 {
		for _, c := range list {
			path := filepath.Join(t.TempDir(), "f")
			var src []byte
			if c.Name == "codex" {
				src = randomTOML(r)
			} else {
				src = randomJSON(r, c.servers)
			}
			write(t, path, src)
			edit(t, c, path, "bartizan", gateway)
		}
	}
}

func pick(r *rand.Rand, all ...string) string { return all[r.IntN(len(all))] }

// randomJSON is an object with comments, odd spacing and trailing commas.
func randomJSON(r *rand.Rand, servers string) []byte {
	newline := pick(r, "\n", "\r\n")
	space := func() string {
		return pick(r, "", " ", "\t", "  ", newline, newline+"  ", newline+"\t", "// c, }"+newline, "/* , ] */", " /**/ ")
	}
	var b strings.Builder
	var object func(depth int, names ...string)
	object = func(depth int, names ...string) {
		b.WriteString("{" + space())
		count := 0
		for _, name := range names {
			if r.IntN(4) == 0 {
				continue
			}
			if count++; count > 1 {
				b.WriteString("," + space())
			}
			b.WriteString(quote(name) + space() + ":" + space())
			switch {
			case name == servers && depth == 0:
				object(1, "one", "bartizan", "two")
			case name == "inputs" && depth == 0:
				b.WriteString(pick(r, "[]", "[ ]", `[{"id":"x",},]`, "[\n{\"id\":\"bartizan-token\"} // c\n]"))
			case depth < 3 && r.IntN(3) == 0:
				object(depth+1, "x", "y")
			default:
				b.WriteString(pick(r, "1.50", `"// no comment"`, `"a\u00e9\"{"`, "null", "[1, 2,]", "9007199254740993"))
			}
			b.WriteString(space())
		}
		if count > 0 && r.IntN(2) == 0 {
			b.WriteString("," + space())
		}
		b.WriteString("}")
	}
	b.WriteString(pick(r, "", "\uFEFF") + space())
	object(0, "first", servers, "inputs", "last")
	b.WriteString(space())
	return []byte(b.String())
}

func randomTOML(r *rand.Rand) []byte {
	newline := pick(r, "\n", "\r\n")
	var b strings.Builder
	for _, part := range []string{
		"# head", "model = \"x\" # c", "t = '''\n[mcp_servers.bartizan]\n'''", "", "[a]", "k = [\n 1, # c\n]", "[mcp_servers.one]", "url = \"u\"",
		"[mcp_servers.bartizan]", "url = \"old\"", "[mcp_servers.bartizan.env] # e", "A = \"b\"", "", "# tail", "[z]", "when = 2026-11-20",
	} {
		if r.IntN(5) > 0 {
			b.WriteString(strings.ReplaceAll(part, "\n", newline) + newline)
		}
	}
	s := b.String()
	if r.IntN(3) == 0 {
		s = strings.TrimRight(s, "\r\n")
	}
	if _, err := tomlGet([]byte(s), [2]string{"mcp_servers", "bartizan"}); err != nil {
		return []byte("model = 1" + newline)
	}
	return []byte(s)
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		client, src string
		want        error
	}{
		{"cursor", `{"mcpServers": {`, ErrUnreadable},
		{"cursor", `["mcpServers"]`, ErrUnreadable},
		{"cursor", `{"mcpServers": []}`, ErrUnreadable},
		{"cursor", `{"mcpServers": null}`, ErrUnreadable},
		{"cursor", `{"mcpServers": {}, "mcpServers": {}}`, ErrUnreadable},
		{"cursor", `{"a": 'x'}`, ErrUnreadable},
		{"cursor", "{\"a\": \"\xff\"}", ErrUnreadable},
		{"cursor", strings.Repeat("[", 1_000_000), ErrUnreadable},
		{"vscode", `{"inputs": {}}`, ErrUnreadable},
		{"codex", "model = ", ErrUnreadable},
		{"codex", "a = 1\na = 2", ErrUnreadable},
		{"codex", "mcp_servers = {}", ErrUnfit},
		{"codex", "mcp_servers.bartizan.url = 'x'", ErrUnfit},
		{"codex", "[mcp_servers]\nbartizan = {url = 'x'}", ErrUnfit},
		{"codex", "[mcp_servers.bartizan]\n[a]\n[mcp_servers.bartizan.env]\n", ErrUnfit},
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, []byte(tc.src))
		if _, err := find(t, tc.client).Plan(Request{File: path, Name: "bartizan", Gateway: gateway}); !errors.Is(err, tc.want) {
			t.Errorf("%s %.40q: %v, want %v", tc.client, tc.src, err, tc.want)
		}
		if !bytes.Equal(read(t, path), []byte(tc.src)) {
			t.Errorf("%s %.40q was changed", tc.client, tc.src)
		}
	}
	c := find(t, "cursor")
	for _, name := range []string{"", "a b", "a\"b", "ü", strings.Repeat("a", 41)} {
		if _, err := c.Plan(Request{File: filepath.Join(t.TempDir(), "f"), Name: name, Gateway: gateway}); !errors.Is(err, ErrUnfit) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	shared := Request{File: filepath.Join(t.TempDir(), "f"), Name: "x", Project: true, Gateway: Gateway{URL: "u", Token: "bz_x"}}
	if _, err := c.Plan(shared); !errors.Is(err, ErrSharedKey) {
		t.Errorf("a key in a shared file: %v", err)
	}
	if _, err := c.Plan(Request{File: t.TempDir(), Name: "x", Gateway: gateway}); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a folder: %v", err)
	}
}

// TestLinksAndModes: a linked file is edited where it lies, with its mode.
func TestLinksAndModes(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	write(t, real, []byte("{}"))
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", link); err != nil {
		t.Skip(err)
	}
	c, b := find(t, "cursor"), Backups{Dir: filepath.Join(dir, "undo")}
	p, err := c.Plan(Request{File: link, Name: "bartizan", Gateway: gateway})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(b); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link is gone: %v", err)
		}
		if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if !strings.Contains(string(read(t, real)), want) {
			t.Errorf("%s lacks %s", read(t, real), want)
		}
	}
	check("bartizan")
	if _, _, err := c.Undo(link, b); err != nil {
		t.Fatal(err)
	}
	check("{}")
	if _, _, err := c.Undo(link, b); !errors.Is(err, ErrNoUndo) {
		t.Errorf("undone twice: %v", err)
	}
	if err := os.Remove(real); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plan(Request{File: link, Name: "bartizan", Gateway: gateway}); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a link that leads nowhere: %v", err)
	}
	err = filepath.WalkDir(b.Dir, func(path string, d fs.DirEntry, err error) error {
		if info, _ := d.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestOthersWriteToo: clients write their files themselves. An edit planned on
// what is no longer there fails; an undo after it takes out the entry alone.
func TestOthersWriteToo(t *testing.T) {
	for _, tc := range []struct{ client, before, changed, undone string }{
		{"cursor", `{"mcpServers":{"a":1}}`, `{"mcpServers":{"a":1, "bartizan": {"url":"x"}},"new":2}`, `{"mcpServers":{"a":1},"new":2}`},
		{"cursor", `{"mcpServers":{"bartizan":{"old":1}}}`, `{"mcpServers":{"bartizan":{"url":"x"}},"new":2}`, `{"mcpServers":{"bartizan":{"old":1}},"new":2}`},
		{"codex", "[mcp_servers.bartizan]\nurl = 'old'\n", "a = 1\n[mcp_servers.bartizan]\nurl = 'new'\n[z]\n", "a = 1\n[mcp_servers.bartizan]\nurl = 'old'\n[z]\n"},
		{"codex", "a = 1\n", "a = 2\n\n[mcp_servers.bartizan]\nurl = 'new'\n", "a = 2\n\n"},
	} {
		dir := t.TempDir()
		path, b := filepath.Join(dir, "f"), Backups{Dir: filepath.Join(dir, "undo")}
		c := find(t, tc.client)
		write(t, path, []byte(tc.before))
		p, err := c.Plan(Request{File: path, Name: "bartizan", Gateway: gateway})
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, []byte(tc.changed))
		if err := p.Write(b); !errors.Is(err, ErrChanged) {
			t.Errorf("a stale plan was written: %v", err)
		}
		write(t, path, []byte(tc.before))
		if err := p.Write(b); err != nil {
			t.Fatal(err)
		}
		write(t, path, []byte(tc.changed))
		if _, whole, err := c.Undo(path, b); err != nil || whole {
			t.Errorf("undo: whole %v, %v", whole, err)
		}
		if got := string(read(t, path)); got != tc.undone {
			t.Errorf("%s: got %q, want %q", tc.client, got, tc.undone)
		}
	}
}

// TestUndoRemovesWhatItMade: a file that was not there goes, with its folders.
func TestUndoRemovesWhatItMade(t *testing.T) {
	dir := t.TempDir()
	path, b := filepath.Join(dir, "a", "b", "mcp.json"), Backups{Dir: filepath.Join(dir, "undo")}
	c := find(t, "cursor")
	p, err := c.Plan(Request{File: path, Name: "bartizan", Gateway: gateway})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(b); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, _, err := c.Undo(path, b); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder stayed: %v", err)
	}
}

// TestEditsUndoInTurn keeps only so many.
func TestEditsUndoInTurn(t *testing.T) {
	dir := t.TempDir()
	path, b := filepath.Join(dir, "f"), Backups{Dir: filepath.Join(dir, "undo")}
	c := find(t, "cursor")
	var states []string
	for i := range maxBackups + 2 {
		before, _ := os.ReadFile(path)
		states = append(states, string(before))
		p, err := c.Plan(Request{File: path, Name: "n" + strings.Repeat("x", i), Gateway: gateway})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxBackups {
		if _, whole, err := c.Undo(path, b); err != nil || !whole {
			t.Fatalf("undo %d: %v", i, err)
		}
		if got := string(read(t, path)); got != states[len(states)-1-i] {
			t.Fatalf("undo %d is not what was there", i)
		}
	}
	if _, _, err := c.Undo(path, b); !errors.Is(err, ErrNoUndo) {
		t.Errorf("an edit too many was undone: %v", err)
	}
}

func TestDiffHidesTheKey(t *testing.T) {
	p, err := find(t, "cursor").Plan(Request{File: filepath.Join(t.TempDir(), "f"), Name: "x", Gateway: Gateway{URL: "u", Token: "bz_secret"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Diff("bz_secret"); strings.Contains(d, "bz_secret") || !strings.Contains(d, "+++ ") || strings.HasPrefix(d, "diff ") {
		t.Errorf("diff:\n%s", d)
	}
}
