package probe

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)

// Declared is what the publication says that the server needs, by kind. Nil
// says nothing about the kind, an empty list that nothing of it is needed.
type Declared struct {
	Network []string `json:"network"` // host, host:port, *.domain, *
	Files   []string `json:"files"`   // read:PATH, write:PATH, read-write:PATH
	Exec    []string `json:"exec"`    // name or absolute path, *
	Env     []string `json:"env"`
}

var unescape = strings.NewReplacer("%20", " ", "%25", "%")

// declared reads permission scopes of the forms kind:value and kind:none.
func declared(scopes []string) (d Declared) {
	for _, s := range scopes {
		kind, value, ok := strings.Cut(s, ":")
		list := map[string]*[]string{"network": &d.Network, "files": &d.Files, "exec": &d.Exec, "env": &d.Env}[kind]
		if !ok || list == nil {
			continue
		}
		if *list == nil {
			*list = []string{}
		}
		if value != "none" {
			*list = append(*list, unescape.Replace(value))
		}
	}
	return d
}

// allowsContact reports a contact that is declared or reaches nobody, and says
// whom it is with.
func (d Declared) allowsContact(c Contact) (with string, ok bool) {
	host := strings.ToLower(cmp.Or(c.Host, c.Address))
	port := strconv.Itoa(int(c.Port))
	if with = host; c.Port != 0 {
		with += ":" + port
	}
	if c.Call == string(sandbox.Listen) || strings.HasPrefix(c.Network, "family ") {
		return with, true
	}
	if addr, err := netip.ParseAddr(c.Address); err == nil && c.Host == "" && (addr.IsLoopback() || addr.IsUnspecified()) {
		return with, true
	}
	return with, slices.ContainsFunc(d.Network, func(allowed string) bool {
		allowed = strings.ToLower(allowed)
		if allowed == "*" {
			return true
		}
		name := allowed
		if at := strings.LastIndexByte(allowed, ':'); at >= 0 && !strings.HasSuffix(allowed, "]") {
			if name = allowed[:at]; c.Port != 0 && allowed[at+1:] != port {
				return false
			}
		}
		name = strings.Trim(name, "[]")
		domain, wild := strings.CutPrefix(name, "*.")
		return name == host || wild && strings.HasSuffix(host, "."+domain)
	})
}

// sensitive are places where secrets lie, of a person or of a machine.
var sensitive = []string{
	"/root", "/home", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/kubernetes", "/run", "/var/run", "/var/lib",
	"/var/log", "/mnt", "/media", "/proc/1",
	"~/.ssh", "~/.aws", "~/.gnupg", "~/.kube", "~/.docker", "~/.config/gh", "~/.config/gcloud", "~/.azure", "~/.netrc", "~/.npmrc", "~/.pypirc",
	"~/.git-credentials", "~/.bash_history", "~/.zsh_history", "~/.mozilla", "~/.config/google-chrome", "~/.config/chromium", "~/.local/share/keyrings",
	"~/.password-store", "~/.bitcoin", "~/.ethereum", "~/.config/solana", "~/.terraform.d", "~/.cargo/credentials", "~/.cargo/credentials.toml",
	"~/.claude", "~/.claude.json", "~/.cursor", "~/.config/Claude", "~/.vscode",
}

// allowsFile reports a file that is declared, or that tells nothing: settings
// of the system, and in the home folder unless files are declared.
func (d Declared) allowsFile(f File) bool {
	if slices.ContainsFunc(d.Files, func(allowed string) bool {
		access, dir, ok := strings.Cut(allowed, ":")
		dir = path.Clean(dir)
		return ok && (access == "read-write" || access == f.Access) && (within(f.Path, dir) || dir == "/")
	}) {
		return true
	}
	if f.Canary || slices.ContainsFunc(sensitive, func(p string) bool { return within(f.Path, p) }) {
		return false
	}
	if within(f.Path, "~") {
		return d.Files == nil
	}
	return f.Access == "read"
}

// allowsProgram reports a program that is declared, or the server's own runtime.
func (d Declared) allowsProgram(program, own string) bool {
	return program == own || path.Base(program) == path.Base(own) || slices.ContainsFunc(d.Exec, func(allowed string) bool {
		return allowed == "*" || allowed == program || !strings.Contains(allowed, "/") && allowed == path.Base(program)
	})
}
