// Package gatewaycmd is the program bartizan-gateway: its flags, its
// configuration and what it wires. It stands apart from its main package so
// that tests can run it beside the whole of Bartizan.
package gatewaycmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/gatewayrun"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/gateway"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

// Main runs the program and never returns.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage marks a mistake in how the program was called.
var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, "bartizan-gateway:", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "bartizan-gateway:", err)
	return exitFailure
}

// settings maps flags to settings of the configuration.
var settings = map[string]string{
	"data": "data", "addr": "gateway.addr", "registry": "gateway.registryURL", "token": "gateway.token",
	"trust": "gateway.trust", "audit": "audit.path",
	"unsafe-run": "gateway.unsafeRun", "unsafe-plaintext": "gateway.unsafePlaintext",
}

func newRoot() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:           "bartizan-gateway --data DIR --registry URL --trust trust.json",
		Short:         "The gateway alone, following a remote registry",
		Long:          "The API key of role gateway comes from BARTIZAN_GATEWAY_TOKEN or the file.\nPrints one JSON line with its URL; ready when /readyz answers 200.",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
	}
	flags := cmd.Flags()
	flags.String("data", "", "folder of all state")
	flags.String("addr", "", "listen address (default 127.0.0.1:8471)")
	flags.String("registry", "", "URL of the registry")
	flags.String("token", "", "API key of role gateway (better: BARTIZAN_GATEWAY_TOKEN)")
	flags.String("trust", "", "trust.json as installed by hand")
	flags.String("audit", "", "folder of the audit log, or an existing device (default DATA/audit)")
	flags.Bool("unsafe-run", false, "start local servers without a sandbox; audited")
	flags.Bool("unsafe-plaintext", false, "listen beyond loopback without TLS; audited")
	flags.StringVar(&file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errors.Join(errUsage, err) })
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		given := map[string]string{}
		for flag, key := range settings {
			if f := cmd.Flags().Lookup(flag); f.Changed {
				given[key] = f.Value.String()
			}
		}
		sources := config.Sources{File: file, Env: os.LookupEnv, Flags: given}
		c, _, err := config.Load(sources)
		if err != nil {
			return err
		}
		if err := errors.Join(c.Validate(), c.ValidateRemote()); err != nil {
			return errors.Join(errUsage, err)
		}
		return serve(cmd, c, sources)
	}
	return cmd
}

func serve(cmd *cobra.Command, c config.Config, sources config.Sources) (err error) {
	ctx := cmd.Context()
	reloads, ignore := scanners.Reloads()
	defer ignore()
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // Validate has seen it
	logger := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	log, err := audit.Open(c.AuditPath(), audit.Options{Feature: "gateway", Version: version()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	loaded, err := scanners.LoadForTraffic(ctx, filepath.Join(c.Data, "cache"), c, gatewayrun.Origin(c.Tenant), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loaded.Close(context.WithoutCancel(ctx))) }()
	remote, err := client.New(c.Gateway.RegistryURL, c.Gateway.Token, client.Options{UnsafePlaintext: c.Gateway.UnsafePlaintext})
	if err != nil {
		return err
	}
	follower := client.NewFollower(remote)
	follower.KeyGrace = approval.SnapshotLife + c.Gateway.SnapshotGrace
	door, err := gatewayrun.Start(ctx, gatewayrun.Parts{
		Config: c, TrustPath: c.Gateway.Trust, Source: follower, Keys: follower, KeysReady: follower.Ready, Artifacts: follower, ConfigFile: sources.File,
		Scanners: loaded.Live, Audit: log, Logger: logger, Version: version(),
		Follow: follower.Run,
		OnDrift: func(ctx context.Context, d gateway.Drift) {
			if _, err := follower.ReportDrift(ctx, registryapi.NewDrift{
				Server: d.Server, Version: d.Version, Era: string(d.Era), Kind: d.Kind.String(), Key: d.Key, Observed: d.New,
			}); err != nil {
				logger.ErrorContext(ctx, "drift report", "server", d.Server, "error", err)
			}
		},
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "{\"gateway\":%q}\n", door.URL); err != nil {
		return err
	}
	operator := scanners.Operator{
		Loaded: loaded, Settings: func() (config.Config, error) { return sources.Valid(config.Config.ValidateRemote) }, Prepare: door.Prepare,
		Origin: gatewayrun.Origin(c.Tenant), Audit: log, Logger: logger,
	}
	defer operator.Start(ctx, reloads)()
	return door.Serve(ctx)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
