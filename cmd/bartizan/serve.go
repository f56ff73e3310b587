package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/gatewayrun"
	"github.com/bartizan-mcp/bartizan/cmd/internal/metrics"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/registry/api"
)

func newServe() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Open both doors: the registry and the gateway",
		Long: "On first start makes trust.json, the keys it names and an admin key, and prints\n" +
			"one JSON line with both URLs and that key. Later starts print the URLs. Ready\n" +
			"when /readyz of both answers 200.",
		Example: "  bartizan serve --data ./data",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.String("data", "", "folder of all state")
	flags.String("registry-addr", "", "listen address of the registry (default 127.0.0.1:8470)")
	flags.String("gateway-addr", "", "listen address of the gateway (default 127.0.0.1:8471)")
	flags.String("audit", "", "folder of the audit log, or an existing device (default DATA/audit)")
	flags.Bool("public-reads", false, "let anybody read the official registry API")
	flags.Bool("unsafe-run", false, "start local servers without a sandbox; audited")
	flags.Bool("unsafe-plaintext", false, "listen beyond loopback without TLS; audited")
	flags.StringVar(&file, "config", os.Getenv("BARTIZAN_CONFIG"), "YAML configuration file")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		sources := config.Sources{File: file, Env: os.LookupEnv, Flags: settingFlags(cmd, map[string]string{
			"data": "data", "registry-addr": "registry.addr", "gateway-addr": "gateway.addr", "audit": "audit.path",
			"public-reads": "registry.publicReads", "unsafe-run": "gateway.unsafeRun", "unsafe-plaintext": "gateway.unsafePlaintext",
		})}
		c, _, err := config.Load(sources)
		if err != nil {
			return err
		}
		if err := c.Validate(); err != nil {
			return usageError("%w", joinLines("configuration", err))
		}
		return serve(cmd, c, sources)
	}
	return cmd
}

// serve wires both doors in one process. They share the audit log and the
// scanners, and no belief: the gateway verifies the registry's documents as it
// would over the network.
func serve(cmd *cobra.Command, c config.Config, sources config.Sources) (err error) {
	ctx := cmd.Context()
	reloads, ignore := scanners.Reloads()
	defer ignore()
	logger := newLogger(cmd.ErrOrStderr(), c.LogLevel)
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	log, err := audit.Open(c.AuditPath(), audit.Options{Version: version()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	loaded, err := scanners.LoadForTraffic(ctx, cacheDir(c), c, gatewayrun.Origin(c.Tenant), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loaded.Close(context.WithoutCancel(ctx))) }()

	reg, err := openRegistry(ctx, c, log, loaded, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reg.service.Close()) }()
	listener, err := net.Listen("tcp", c.Registry.Addr)
	if err != nil {
		return err
	}
	door2, err := gatewayrun.Start(ctx, gatewayrun.Parts{
		Config: c, TrustPath: reg.trustPath, Source: reg.service.Source(c.Tenant), Keys: reg.service, KeysReady: reg.service.Ready,
		ConfigFile: sources.File, Artifacts: artifactsOf{reg.service, c.Tenant},
		Scanners: loaded.Live, Audit: log, Logger: logger, Version: version(),
		Follow: reg.follow(c.Tenant), OnDrift: reg.reportDrift,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	hello, err := reg.greet(ctx, c, "http://"+listener.Addr().String(), door2.URL)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := printLine(cmd.OutOrStdout(), hello); err != nil {
		return err
	}
	operator := scanners.Operator{
		Loaded: loaded, Settings: func() (config.Config, error) {
			next, err := sources.Valid()
			if err == nil {
				next.Data, err = filepath.Abs(next.Data)
			}
			return next, err
		}, Prepare: func(next config.Config) (scanners.Change, error) {
			change, err := door2.Prepare(next)
			apply := change.Apply
			change.Apply = func() { apply(); reg.service.Nudge() }
			return change, err
		},
		Origin: gatewayrun.Origin(c.Tenant), Audit: log, Logger: logger,
	}
	defer operator.Start(ctx, reloads)()
	return open(ctx, reg, listener, door2, c, logger)
}

// open serves both doors until the context ends or one of them fails. The
// registry goes on signing and answering the gateway until that has drained.
func open(ctx context.Context, reg *registryDoor, listener net.Listener, door2 *gatewayrun.Running, c config.Config, logger *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	handler, err := api.New(api.Config{
		Service: reg.service, AuditPath: c.AuditPath(), PublicReads: c.Registry.PublicReads, Closing: ctx, Logger: logger,
		Metrics: metrics.Handler(reg.service.Scanners), Operator: c.Tenant,
		Version: version(),
	})
	if err != nil {
		return err
	}
	server := api.NewServer(handler)
	var work sync.WaitGroup
	errs := make([]error, 2)
	signing, stopSigning := context.WithCancel(context.WithoutCancel(ctx))
	work.Go(func() { reg.service.Run(signing) })
	work.Go(func() {
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			errs[0] = fmt.Errorf("registry: %w", err)
		}
	})
	work.Go(func() {
		defer stopSigning()
		defer stop()
		if err := door2.Serve(ctx); err != nil {
			errs[1] = fmt.Errorf("gateway: %w", err)
		}
	})
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	shut := server.Shutdown(drain)
	if errors.Is(shut, context.DeadlineExceeded) { // a request that does not end is cut off
		logger.Warn("requests were cut off")
		shut = server.Close()
	}
	work.Wait()
	return errors.Join(errs[0], errs[1], shut)
}

// hello is the line that serve prints.
type hello struct {
	Registry string `json:"registry"`
	Gateway  string `json:"gateway"`
	AdminKey string `json:"adminKey,omitzero"` // on first start only
}

func newLogger(w interface{ Write([]byte) (int, error) }, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // Validate has seen it
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// cacheDir keeps compiled scanners: a shared folder where the environment names
// one, else the installation's own.
func cacheDir(c config.Config) string {
	if dir := os.Getenv("BARTIZAN_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(c.Data, "cache")
}
