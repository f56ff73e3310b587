// Package clients knows the MCP clients that people use: where each keeps its
// list of servers, what an entry looks like there, and how it is told a key
// without the key standing in the file.
//
// It edits those files by splicing text: every byte that is not the entry
// stays, comments and trailing commas included. It must not open connections.
package clients

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

var (
	// ErrUnknown is a client that is not in the list.
	ErrUnknown = errors.New("unknown client")
	// ErrUnreadable is a file that is not what the client itself could read.
	ErrUnreadable = errors.New("cannot be read as this client's configuration")
	// ErrUnfit is an entry written in a way that cannot be edited in place.
	ErrUnfit = errors.New("cannot be edited in place")
	// ErrChanged is a file that somebody else wrote meanwhile.
	ErrChanged = errors.New("the file was changed meanwhile")
	// ErrNoUndo is a file that has nothing to be undone.
	ErrNoUndo = errors.New("nothing to undo")
	// ErrNoProject is a client without files of projects.
	ErrNoProject = errors.New("this client has no configuration of projects")
	// ErrSharedKey is a key that would be written into a file others read.
	ErrSharedKey = errors.New("a project's file is shared: no key is written into it")
)

// Client is one MCP client. Its shape follows its own documentation, which
// docs/connect.md names.
type Client struct {
	Name  string // as on the command line
	Title string

	user    func(Places) string
	project string // inside a project; "" if it has none
	format  format
	servers string // member or table that holds the servers
	entry   func(Gateway) entry
	// prompt is an input that the entry refers to, which must stand in the
	// file too; nil for most.
	prompt *prompt
}

// Places are the directories that configuration paths start from.
type Places struct {
	OS     string // as runtime.GOOS
	Home   string
	Config string // as os.UserConfigDir
	Env    func(string) string
}

// list is every client, in the order in which it is shown.
var list = []*Client{
	{
		Name: "claude-code", Title: "Claude Code", project: ".mcp.json",
		user: func(p Places) string {
			return filepath.Join(p.env("CLAUDE_CONFIG_DIR", p.Home), ".claude.json")
		},
		format: jsonFormat, servers: "mcpServers",
		entry: func(g Gateway) entry {
			return entry{Type: "http", URL: g.URL, Headers: g.headers("${BARTIZAN_TOKEN}")}
		},
	},
	{
		Name: "claude-desktop", Title: "Claude Desktop",
		user:   func(p Places) string { return filepath.Join(p.Config, "Claude", "claude_desktop_config.json") },
		format: jsonFormat, servers: "mcpServers",
		entry: Gateway.bridge,
	},
	{
		Name: "cursor", Title: "Cursor", project: ".cursor/mcp.json",
		user:   func(p Places) string { return filepath.Join(p.Home, ".cursor", "mcp.json") },
		format: jsonFormat, servers: "mcpServers",
		entry: func(g Gateway) entry {
			return entry{URL: g.URL, Headers: g.headers("${env:BARTIZAN_TOKEN}")}
		},
	},
	{
		Name: "vscode", Title: "VS Code", project: ".vscode/mcp.json",
		user:   func(p Places) string { return filepath.Join(p.Config, "Code", "User", "mcp.json") },
		format: jsonFormat, servers: "servers",
		entry: func(g Gateway) entry {
			return entry{Type: "http", URL: g.URL, Headers: g.headers("${input:bartizan-token}")}
		},
		prompt: &prompt{Type: "promptString", ID: "bartizan-token", Description: "Bartizan API key", Password: true},
	},
	{
		Name: "windsurf", Title: "Windsurf",
		user:   func(p Places) string { return filepath.Join(p.Home, ".codeium", "windsurf", "mcp_config.json") },
		format: jsonFormat, servers: "mcpServers",
		entry: func(g Gateway) entry {
			return entry{ServerURL: g.URL, Headers: g.headers("${env:BARTIZAN_TOKEN}")}
		},
	},
	{
		Name: "codex", Title: "Codex", project: ".codex/config.toml",
		user: func(p Places) string {
			return filepath.Join(p.env("CODEX_HOME", filepath.Join(p.Home, ".codex")), "config.toml")
		},
		format: tomlFormat, servers: "mcp_servers",
		entry: func(g Gateway) entry {
			if g.Token != "" {
				return entry{URL: g.URL, Headers: g.headers("")}
			}
			return entry{URL: g.URL, TokenVariable: "BARTIZAN_TOKEN"}
		},
	},
	{
		Name: "gemini", Title: "Gemini CLI", project: ".gemini/settings.json",
		user:   func(p Places) string { return filepath.Join(p.Home, ".gemini", "settings.json") },
		format: jsonFormat, servers: "mcpServers",
		entry: func(g Gateway) entry {
			return entry{HTTPURL: g.URL, Headers: g.headers("${BARTIZAN_TOKEN}")}
		},
	},
	{
		Name: "zed", Title: "Zed",
		user:   zedSettings,
		format: jsonFormat, servers: "context_servers",
		entry: Gateway.bridge,
	},
}

// zedSettings: Zed uses XDG directories on macOS too.
func zedSettings(p Places) string {
	switch p.OS {
	case "windows":
		return filepath.Join(p.Config, "Zed", "settings.json")
	case "darwin":
		return filepath.Join(p.Home, ".config", "zed", "settings.json")
	}
	return filepath.Join(p.Config, "zed", "settings.json")
}

func (p Places) env(name, fallback string) string {
	if v := p.Env(name); v != "" {
		return v
	}
	return fallback
}

// All returns every client.
func All() []*Client { return slices.Clone(list) }

// Names are the names of every client.
func Names() []string {
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

// Find returns a client by name; ErrUnknown names those that there are.
func Find(name string) (*Client, error) {
	for _, c := range list {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, unknown{}
}

type unknown struct{}

func (unknown) Error() string { return ErrUnknown.Error() + "; one of " + strings.Join(Names(), ", ") }
func (unknown) Unwrap() error { return ErrUnknown }

// UserFile is the configuration of the user.
func (c *Client) UserFile(p Places) string { return c.user(p) }

// ProjectFile is the configuration of a project.
func (c *Client) ProjectFile(dir string) (string, error) {
	if c.project == "" {
		return "", ErrNoProject
	}
	return filepath.Join(dir, filepath.FromSlash(c.project)), nil
}

// Bridged reports whether the client's own entry starts `bartizan bridge`,
// because it knows only commands, or no headers without a key in plain text.
func (c *Client) Bridged() bool { return c.entry(Gateway{}).Command != "" }
