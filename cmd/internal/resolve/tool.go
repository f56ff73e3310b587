package resolve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// maxSaid is how much of a tool's output is kept for its error.
const maxSaid = 4 << 10

// passed are the variables that a tool gets: where the user's configuration and
// caches are, how the network is reached, and the names under which that
// configuration usually looks for its credentials. Nothing that makes an
// interpreter load code.
var passed = []string{
	"HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
	"APPDATA", "LOCALAPPDATA", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"NPM_TOKEN", "NODE_AUTH_TOKEN", "npm_config_registry", "npm_config_userconfig", "npm_config_globalconfig", "npm_config_cafile", "npm_config_cache",
	"NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG", "NPM_CONFIG_CAFILE", "NPM_CONFIG_CACHE",
	"YARN_NPM_REGISTRY_SERVER", "YARN_NPM_AUTH_TOKEN", "COREPACK_HOME", "COREPACK_NPM_REGISTRY",
	"UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_CACHE_DIR", "PIP_INDEX_URL",
}

// tool is a program of an ecosystem.
type tool struct {
	path string   // of the program
	env  []string // beside what every tool gets
	bin  string   // the only folder on its PATH
}

// find looks a tool up and prepares the PATH that it gets: the interpreters
// named and nothing else. Without git, compilers and the tools themselves on it,
// a dependency cannot have them started.
func find(name, scratch string, interpreters ...string) (*tool, error) {
	file, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not installed", ErrTool, name)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	t := &tool{path: file, bin: filepath.Join(scratch, "bin")}
	if err := os.MkdirAll(t.bin, 0o700); err != nil {
		return nil, err
	}
	for _, program := range interpreters {
		found, err := exec.LookPath(program)
		if err != nil {
			continue // the tool may be a program of its own
		}
		if found, err = filepath.Abs(found); err != nil {
			return nil, err
		}
		if err := os.Symlink(found, filepath.Join(t.bin, filepath.Base(found))); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return t, nil
}

// run starts the tool in dir, without input, and returns what it printed.
func (t *tool) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + t.bin, "CI=1", "NO_COLOR=1"}, t.env...)
	if runtime.GOOS == "windows" { // no links, and programs need their libraries
		cmd.Env[0] = "PATH=" + os.Getenv("PATH")
	}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var out, said tail
	cmd.Stdout, cmd.Stderr = &out, &said
	group(cmd)
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch name := filepath.Base(t.path); {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%w: %s took too long: %w", ErrTool, name, ctx.Err())
	case err != nil:
		return "", fmt.Errorf("%w: %s: %w\n%s", ErrTool, name, err, strings.TrimSpace(said.String()+"\n"+out.String()))
	}
	return out.String(), nil
}

// version asks a tool for its own.
func (t *tool) version(ctx context.Context, dir string) (string, error) {
	out, err := t.run(ctx, dir, "--version")
	if err != nil {
		return "", err
	}
	v := versionIn.FindString(out)
	if v == "" {
		return "", fmt.Errorf("%w: %s does not say which version it is", ErrTool, filepath.Base(t.path))
	}
	return v, nil
}

var versionIn = regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]{1,40})?`)

// made reads the lockfile that a tool left. It has to be a file of its own.
func made(dir, name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	st, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: there is no %s", ErrTool, name)
	case !st.Mode().IsRegular() || st.Size() > limit:
		return nil, fmt.Errorf("%w: %s is no file of at most %d bytes", ErrTool, name, limit)
	}
	return root.ReadFile(name)
}

// tail keeps the end of what is written.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if extra := t.Len() + n - maxSaid; extra > 0 {
		if extra >= t.Len() {
			t.Reset()
			p = p[max(0, n-maxSaid):]
		} else {
			t.Next(extra)
		}
	}
	_, _ = t.Buffer.Write(p)
	return n, nil
}

func (t *tail) String() string {
	s := t.Buffer.String()
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?")
	}
	return s
}
