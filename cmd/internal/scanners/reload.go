package scanners

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// Reloads are the requests of an operator to load the scanners anew: SIGHUP.
// They must be asked for before anybody can know that the process is there,
// since without that the signal ends it.
func Reloads() (requests <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// Operator loads scanners anew on request, and leaves a record of each time.
type Operator struct {
	Loaded *Loaded
	// Settings reads the configuration anew.
	Settings func() (config.Config, error)
	// Prepare makes ready what it changes beside the scanners; nil changes
	// nothing else.
	Prepare func(config.Config) (Change, error)
	Origin  audit.Origin
	Audit   *audit.Log
	Logger  *slog.Logger
}

// Change is what a configuration changes beside the scanners.
type Change struct {
	Settings []string // keys of all settings that differ
	Apply    func()   // cannot fail
}

// Start answers requests until the context ends or stop is called, which waits
// for the one under way.
func (o Operator) Start(ctx context.Context, requests <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { o.run(ctx, requests) })
	return func() {
		cancel()
		work.Wait()
	}
}

// run begins with the self-test of the scanners that the process started with:
// there are no others to keep, and what they fail on is denied, but nobody
// should have to find out by that.
func (o Operator) run(ctx context.Context, requests <-chan os.Signal) {
	if err := o.Loaded.Live.SelfTest(ctx); err != nil && ctx.Err() == nil {
		o.Logger.WarnContext(ctx, "a scanner failed its self-test", "error", err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-requests:
			_ = o.Reload(ctx) // it is on record, and what was in force stays
		}
	}
}

// Reload puts the present configuration in force, all of it, or else keeps what
// is.
func (o Operator) Reload(ctx context.Context) error {
	reason, err := o.reload(ctx)
	if err == nil || ctx.Err() != nil { // a process that ends keeps nothing in force
		return err
	}
	o.Logger.ErrorContext(ctx, "configuration not reloaded; what was in force stays", "reason", reason, "error", err)
	if _, failed := o.Audit.Append(ctx, audit.ScannersKept(o.Origin, reason)); failed != nil {
		o.Logger.ErrorContext(ctx, "audit", "error", failed)
	}
	return err
}

func (o Operator) reload(ctx context.Context) (reason string, err error) {
	c, err := o.Settings()
	if err != nil {
		return "configuration", err
	}
	change := Change{Apply: func() {}}
	if o.Prepare != nil {
		if change, err = o.Prepare(c); err != nil {
			return "gateway", err
		}
	}
	next, modules, err := o.Loaded.load(ctx, c.Scanners)
	if refused := release.ReasonOf(err); refused != "" {
		return string(refused), err
	}
	if err != nil {
		return "load", err
	}
	err = o.Loaded.Live.Swap(ctx, next, func(in, out []engine.ScannerRef) error {
		if err := RecordUnsafe(ctx, c.Scanners, o.Origin, o.Audit, o.Logger); err != nil {
			return err
		}
		if len(change.Settings) > 0 {
			if _, err := o.Audit.Append(ctx, audit.ConfigurationChanged(o.Origin, change.Settings)); err != nil {
				return err
			}
		}
		if _, err := o.Audit.Append(ctx, audit.ScannersChanged(o.Origin, recorded(in), recorded(out))); err != nil {
			return err
		}
		return o.Loaded.gate.remember(modules)
	})
	switch {
	case errors.Is(err, engine.ErrSelfTest):
		return "self_test", err
	case errors.Is(err, release.ErrLedger):
		return "memory", err
	case err != nil:
		return "audit", err
	}
	change.Apply()
	o.Logger.InfoContext(ctx, "configuration reloaded", "changed", change.Settings, "generation", o.Loaded.Live.Generation(), "scanners", digests(o.Loaded.Live.Scanners()))
	return "", nil
}

// RecordUnsafe audits every setting of scanners that weakens a check before it
// takes effect.
func RecordUnsafe(ctx context.Context, c config.Scanners, by audit.Origin, log *audit.Log, logger *slog.Logger) error {
	for _, option := range c.Unsafe() {
		logger.WarnContext(ctx, "a check is weakened", "option", option)
		if _, err := log.Append(ctx, audit.UnsafeUsed(by, option, "")); err != nil {
			return fmt.Errorf("%s cannot be used unaudited: %w", option, err)
		}
	}
	return nil
}

func recorded(refs []engine.ScannerRef) []audit.Scanner {
	var all []audit.Scanner
	for _, r := range refs {
		all = append(all, audit.Scanner{Name: r.Name, Version: r.Version, Digest: r.Digest})
	}
	return all
}

func digests(refs []engine.ScannerRef) []string {
	var all []string
	for _, r := range refs {
		all = append(all, r.Name+"@"+r.Digest)
	}
	return all
}
