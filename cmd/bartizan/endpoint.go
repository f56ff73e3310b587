package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// defaultGateway is where `serve` puts the gateway.
const defaultGateway = "http://127.0.0.1:8471"

// endpoint is the gateway that a client is to talk to.
type endpoint struct {
	gateway, server string
	unsafePlaintext bool
}

func (e *endpoint) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&e.gateway, "gateway", envOr("BARTIZAN_GATEWAY", defaultGateway), "URL of the gateway")
	flags.StringVar(&e.server, "server", "", "alias of one server (default: all that the key may use)")
	flags.BoolVar(&e.unsafePlaintext, "unsafe-plaintext", false, "send the key to a gateway beyond loopback without TLS")
}

// url is the MCP endpoint. A key must not travel in the clear.
func (e *endpoint) url() (string, error) {
	u, err := url.Parse(e.gateway)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", usageError("--gateway: not the http or https URL of a gateway")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !e.unsafePlaintext:
		return "", usageError("--gateway %s: without TLS only on this machine, or with --unsafe-plaintext", u.Redacted())
	case strings.Trim(e.server, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(e.server) > 20:
		return "", usageError("--server: an alias has at most 20 of a-z, 0-9 and -")
	}
	u = u.JoinPath("mcp")
	if e.server != "" {
		u = u.JoinPath(e.server)
	}
	return u.String(), nil
}

// args are the flags that name the same endpoint.
func (e *endpoint) args() []string {
	args := []string{"--gateway", e.gateway}
	if e.server != "" {
		args = append(args, "--server", e.server)
	}
	if e.unsafePlaintext {
		args = append(args, "--unsafe-plaintext")
	}
	return args
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// maxToken bounds the file of a key.
const maxToken = 4096

// readToken reads a key from a file that nobody else may read.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || os.PathSeparator == '/' && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s: a key is read only from a file that nobody else can read (chmod 600)", file)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	token := strings.TrimSpace(string(body))
	switch {
	case err != nil:
		return "", err
	case token == "" || len(body) > maxToken || strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return "", fmt.Errorf("%s: does not hold an API key", file)
	}
	return token, nil
}

// keepToken puts a key where the bridge reads it. A key that is already there
// stays, unless another was given by name.
func keepToken(say io.Writer, file, key string, given bool) error {
	have, err := readToken(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && key == "":
		fmt.Fprintf(say, "put the key into %s, readable by you alone\n", printable(file))
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && (have == key || key == ""):
		return nil
	case err == nil && !given:
		fmt.Fprintf(say, "%s holds another key, which stays; --token replaces it\n", printable(file))
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(file, []byte(key+"\n")); err != nil {
		return err
	}
	fmt.Fprintf(say, "the key is kept in %s, readable by you alone\n", printable(file))
	return nil
}
