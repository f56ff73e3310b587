//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// server is one real MCP server as a command.
type server struct {
	name    string // also its alias
	pkg     string
	admit   func(w *world, t *testing.T, name, pkg string, args ...string)
	eras    []protocol.Era
	tools   int // at least
	command func(t *testing.T, dir string) []string
	// calls are arguments of tools, where a sample of the schema is not enough.
	calls func(dir string) map[string]string
}

var (
	legacyOnly = []protocol.Era{protocol.Legacy}
	bothEras   = []protocol.Era{protocol.Legacy, protocol.Modern}
)

// servers are those that run here as commands, each as its publisher ships it.
var servers = []server{
	{
		name: "server-everything", pkg: "@modelcontextprotocol/server-everything", admit: (*world).admit, eras: legacyOnly, tools: 13,
		command: func(t *testing.T, _ string) []string {
			return []string{oldNode(t), entryPoint(t, "@modelcontextprotocol/server-everything"), "stdio"}
		},
		calls: func(string) map[string]string { return everythingCalls },
	},
	{
		name: "server-filesystem", pkg: "@modelcontextprotocol/server-filesystem", admit: (*world).admit, eras: legacyOnly, tools: 14,
		command: func(t *testing.T, dir string) []string {
			return []string{oldNode(t), entryPoint(t, "@modelcontextprotocol/server-filesystem"), dir}
		},
		calls: func(dir string) map[string]string {
			file := `"` + filepath.Join(dir, "notes.txt") + `"`
			return map[string]string{
				"read_file":                 `{"path":` + file + `}`,
				"read_text_file":            `{"path":` + file + ` , "head":1}`,
				"read_media_file":           `{"path":"` + filepath.Join(dir, "dot.png") + `"}`,
				"read_multiple_files":       `{"paths":[` + file + `,` + file + `]}`,
				"write_file":                `{"content":"\u00e9 \ud83d\ude00\/","path":"` + filepath.Join(dir, "new.txt") + `"}`,
				"edit_file":                 `{"path":` + file + `,"edits":[{"oldText":"tide","newText":"ti\u0064e"}]}`,
				"create_directory":          `{"path":"` + filepath.Join(dir, "folder") + `"}`,
				"move_file":                 `{"source":"` + filepath.Join(dir, "absent") + `","destination":"` + filepath.Join(dir, "moved") + `"}`,
				"list_directory":            `{"path":"` + dir + `"}`,
				"list_directory_with_sizes": `{"path":"` + dir + `"}`,
				"directory_tree":            `{"path":"` + dir + `"}`,
				"search_files":              `{"path":"` + dir + `","pattern":"*.txt"}`,
				"get_file_info":             `{"path":` + file + `}`,
			}
		},
	},
	{
		name: "server-memory", pkg: "@modelcontextprotocol/server-memory", admit: (*world).admit, eras: legacyOnly, tools: 9,
		command: func(t *testing.T, _ string) []string {
			return []string{oldNode(t), entryPoint(t, "@modelcontextprotocol/server-memory")}
		},
		calls: func(string) map[string]string {
			return map[string]string{
				"search_nodes": `{"query":"harbour"}`,
				"open_nodes":   `{"names":["h\u00e4rbour"]}`,
			}
		},
	},
	{
		name: "sequential-thinking", pkg: "@modelcontextprotocol/server-sequential-thinking", admit: (*world).admit, eras: legacyOnly, tools: 1,
		command: func(t *testing.T, _ string) []string {
			return []string{oldNode(t), entryPoint(t, "@modelcontextprotocol/server-sequential-thinking")}
		},
		calls: func(string) map[string]string {
			return map[string]string{"sequentialthinking": `{"thought":"tides \u00e9","nextThoughtNeeded":true ,"thoughtNumber":1,"totalThoughts":2}`}
		},
	},
	{
		name: "mcp-server-time", pkg: "mcp-server-time", admit: (*world).admitPython, eras: bothEras, tools: 2,
		command: func(t *testing.T, _ string) []string {
			return []string{python(t), "-m", "mcp_server_time", "--local-timezone", "Europe/Lisbon"}
		},
		calls: func(string) map[string]string {
			return map[string]string{
				"get_current_time": `{"timezone":"Asia\/Tokyo"}`,
				"convert_time":     `{"time":"12:30" , "source_timezone":"Europe/Lisbon","target_timezone":"America/Lima"}`,
			}
		},
	},
	{
		name: "mcp-server-git", pkg: "mcp-server-git", admit: (*world).admitPython, eras: bothEras, tools: 10,
		command: func(t *testing.T, dir string) []string {
			run(t, []string{"HOME=" + dir}, "git", "init", "--quiet", "--initial-branch", "main", dir)
			run(t, []string{"HOME=" + dir}, "git", "-C", dir, "add", "notes.txt")
			run(t, []string{"HOME=" + dir}, "git", "-C", dir, "-c", "user.name=Tide", "-c", "user.email=tide@example.com", "commit", "--quiet", "--message", "höhe")
			return []string{python(t), "-m", "mcp_server_git", "--repository", dir}
		},
		calls: func(dir string) map[string]string {
			repo := `"repo_path":"` + dir + `"`
			return map[string]string{
				"git_status":        `{` + repo + `}`,
				"git_diff_unstaged": `{` + repo + ` , "context_lines":3}`,
				"git_diff_staged":   `{` + repo + `}`,
				"git_diff":          `{` + repo + `,"target":"main"}`,
				"git_commit":        `{` + repo + `,"message":"\u00e9"}`,
				"git_add":           `{` + repo + `,"files":["dot.png"]}`,
				"git_reset":         `{` + repo + `}`,
				"git_log":           `{` + repo + `,"max_count":3}`,
				"git_create_branch": `{` + repo + `,"branch_name":"t\u0069de"}`,
				"git_checkout":      `{` + repo + `,"branch_name":"main"}`,
				"git_show":          `{` + repo + `,"revision":"main"}`,
				"git_branch":        `{` + repo + `,"branch_type":"local"}`,
			}
		},
	},
	{
		name: "go-sdk-everything", pkg: "@modelcontextprotocol/conformance", admit: (*world).admit, eras: bothEras, tools: 20,
		command: func(t *testing.T, _ string) []string {
			return []string{filepath.Join(bin(t), "fixtures", "everything-server")}
		},
		calls: func(string) map[string]string { return nil },
	},
}

var everythingCalls = map[string]string{
	"echo":                           `{"message":"¿qué tal? 9007199254740993 \u00e9\/" }`,
	"get-annotated-message":          `{"messageType":"success","includeImage":true}`,
	"get-resource-links":             `{"count":3}`,
	"get-resource-reference":         `{"resourceType":"Text","resourceId":1}`,
	"get-structured-content":         `{"location":"New York"}`,
	"get-sum":                        `{"a":2.50 , "b":40}`,
	"trigger-long-running-operation": `{"duration":0.2,"steps":2}`,
}

// cancelled are tools that take long, with arguments that make them so.
var cancelled = map[string]string{"trigger-long-running-operation": `{"duration":60,"steps":600}`}

// oldNode is the machine's own Node.js, which is enough for servers.
func oldNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// python has the servers and clients of PyPI.
func python(t *testing.T) string { return filepath.Join(bin(t), "venv", "bin", "python") }

// startNPMEverything starts server-everything over HTTP and returns where it
// listens.
func startNPMEverything(t *testing.T, transport string) string {
	t.Helper()
	return listening(t, func(host, port string) *exec.Cmd {
		cmd := exec.Command(oldNode(t), entryPoint(t, "@modelcontextprotocol/server-everything"), transport)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PORT=" + port}
		return cmd
	})
}

// listening starts a server that is told its port, until the test ends. The port
// is free when it is picked; a server that finds it taken is started once more.
func listening(t *testing.T, command func(host, port string) *exec.Cmd) string {
	t.Helper()
	var said bytes.Buffer
	for range 5 {
		host, port := freeAddr(t)
		cmd := command(host, port)
		said.Reset()
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			<-ended
		})
		if url := "http://" + host + ":" + port; answering(url, ended) {
			return url
		}
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Fatalf("the server does not answer:\n%s", said.Bytes())
	return ""
}

// answering waits until a server answers; not for one that has ended.
func answering(url string, ended <-chan struct{}) bool {
	for range 600 {
		resp, err := http.Post(url, "application/json", http.NoBody)
		if err == nil {
			resp.Body.Close()
			select {
			case <-ended: // and somebody else answers there
				return false
			default:
				return true
			}
		}
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false
}

// fill writes what servers are asked for.
func fill(t *testing.T, dir string) {
	t.Helper()
	for name, body := range map[string]string{"notes.txt": "tide tables\nhigh at noon\n", "dot.png": "\x89PNG\r\n\x1a\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
