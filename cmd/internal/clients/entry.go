package clients

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Gateway is what an entry points to.
type Gateway struct {
	URL string // of the MCP endpoint
	// Token is written in plain text where it is set; without it entries refer
	// to the environment variable BARTIZAN_TOKEN or to an input prompt.
	Token string
	// Command starts `bartizan bridge` for clients that only start commands.
	Command []string
	// Bridge has every client start Command.
	Bridge bool
}

func (g Gateway) headers(reference string) map[string]string {
	if g.Token != "" {
		reference = g.Token
	}
	return map[string]string{"Authorization": "Bearer " + reference}
}

func (g Gateway) bridge() entry {
	if len(g.Command) == 0 {
		return entry{Command: "bartizan", Args: []string{"bridge"}}
	}
	return entry{Command: g.Command[0], Args: g.Command[1:]}
}

// entry is one server in a client's list. Each client uses some of the members.
type entry struct {
	Type          string            `json:"type,omitzero"`
	Command       string            `json:"command,omitzero"`
	Args          []string          `json:"args,omitzero"`
	URL           string            `json:"url,omitzero"`
	ServerURL     string            `json:"serverUrl,omitzero"`
	HTTPURL       string            `json:"httpUrl,omitzero"`
	TokenVariable string            `json:"bearer_token_env_var,omitzero"`
	Headers       map[string]string `json:"headers,omitzero"`
}

// prompt is a VS Code input variable.
type prompt struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Password    bool   `json:"password"`
}

// entryFor is the client's entry for a gateway.
func (c *Client) entryFor(g Gateway) entry {
	if !g.Bridge {
		return c.entry(g)
	}
	e := g.bridge()
	if c.servers == "servers" {
		e.Type = "stdio"
	}
	return e
}

// asJSON renders a value for a line that begins with prefix; without a unit it
// stays on one line.
func asJSON(v any, prefix, unit string) []byte {
	options := []json.Options{json.Deterministic(true)}
	if unit != "" {
		options = append(options, jsontext.WithIndent(unit), jsontext.WithIndentPrefix(prefix))
	} else {
		options = append(options, jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true))
	}
	b, err := json.Marshal(v, options...)
	if err != nil {
		panic("clients: an entry that JSON cannot express: " + err.Error()) // strings only
	}
	return b
}

// asTOML renders the table of a Codex server.
func (e entry) asTOML(servers, name string) []byte {
	var b strings.Builder
	line := func(key string, value []byte) {
		b.WriteString(key + " = ")
		b.Write(value)
		b.WriteByte('\n')
	}
	b.WriteString("[" + servers + "." + tomlKey(name) + "]\n")
	if e.Command != "" {
		line("command", tomlString(e.Command))
		args := []byte{'['}
		for i, arg := range e.Args {
			if i > 0 {
				args = append(args, ", "...)
			}
			args = append(args, tomlString(arg)...)
		}
		line("args", append(args, ']'))
	}
	if e.URL != "" {
		line("url", tomlString(e.URL))
	}
	if e.TokenVariable != "" {
		line("bearer_token_env_var", tomlString(e.TokenVariable))
	}
	if value, ok := e.Headers["Authorization"]; ok {
		line("http_headers", append(append([]byte("{ Authorization = "), tomlString(value)...), " }"...))
	}
	return []byte(b.String())
}

// tomlString is a basic string: what JSON escapes, TOML reads, and DEL is the
// one character that TOML forbids and JSON does not.
func tomlString(s string) []byte {
	quoted, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return []byte(strings.ReplaceAll(string(quoted), "\x7f", `\u007f`))
}

func tomlKey(s string) string {
	bare := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) < 0
	if bare {
		return s
	}
	return string(tomlString(s))
}
