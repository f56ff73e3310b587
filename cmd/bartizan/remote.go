package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/distribution"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/release"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

// defaultRegistry is where `serve` puts the registry.
const defaultRegistry = "http://127.0.0.1:8470"

// registryFlags adds --registry and --token, which the environment may give as
// BARTIZAN_REGISTRY and BARTIZAN_TOKEN.
func registryFlags(cmd *cobra.Command) func() (*client.Client, error) {
	url := cmd.Flags().String("registry", envOr("BARTIZAN_REGISTRY", defaultRegistry), "URL of the registry")
	token := cmd.Flags().String("token", "", "API key (default $BARTIZAN_TOKEN)")
	return func() (*client.Client, error) {
		key := *token
		if key == "" {
			key = os.Getenv("BARTIZAN_TOKEN")
		}
		if key == "" {
			return nil, &exitError{Code: exitAuth, Err: errors.New("no API key: --token or BARTIZAN_TOKEN")}
		}
		return client.New(*url, key, client.Options{})
	}
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// question is one call of a command to a registry.
type question struct {
	ctx    context.Context
	client *client.Client
	out    io.Writer
	format string
}

// asks completes a command that talks to a registry: -o table|json, --registry
// and --token, and do once they are understood.
func asks(cmd *cobra.Command, do func(q *question, args []string) error) *cobra.Command {
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		c, err := connect()
		if err != nil {
			return err
		}
		return do(&question{ctx: cmd.Context(), client: c, out: cmd.OutOrStdout(), format: *format}, args)
	}
	return cmd
}

// print answers with v as JSON, or with the table of its rows.
func (q *question) print(v any, header []string, rows func() [][]string) error {
	if q.format == "json" {
		return printJSON(q.out, v)
	}
	return table(q.out, header, rows())
}

// findVersion asks for the version named, else the newest that is approved,
// else the newest of all.
func findVersion(ctx context.Context, c *client.Client, arg string) (*admission.Version, error) {
	name, version, found := strings.Cut(arg, "@")
	if found {
		return c.Version(ctx, name, version)
	}
	all, err := c.VersionsOf(ctx, name) // newest first
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no versions", name)
	}
	i := slices.IndexFunc(all, func(v admission.Version) bool { return v.State == admission.Approved })
	return &all[max(i, 0)], nil
}

// readBlob fetches a blob and compares its digest.
func readBlob(ctx context.Context, c *client.Client, digest string) ([]byte, error) {
	r, err := c.Blob(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxScanInput+1))
	if err != nil {
		return nil, err
	}
	if "sha256:"+digestsOf(body)["sha256"] != digest {
		return nil, fmt.Errorf("the registry sent other bytes than %s", digest)
	}
	return body, nil
}

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	switch {
	case release.ReasonOf(err) != "":
		return exitPolicy
	case errors.Is(err, distribution.ErrAuth):
		return exitAuth
	}
	switch client.Status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitAuth
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitPolicy
	}
	if strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag") {
		return exitUsage
	}
	return exitFailure
}

// hintFor says what to do about an error that has a usual remedy.
func hintFor(err error) string {
	switch client.Reason(err) {
	case "listing_required":
		return "give a capture with --listing FILE, or run the server here with --unsafe-run -- COMMAND"
	case "launch_required":
		return "say how the server is started: publish ... -- COMMAND [ARGS...]"
	case "namespace_not_covered":
		return "the key's namespaces are shown by bartizan key list"
	}
	return exportHint(err)
}
