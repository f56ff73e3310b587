package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
	"github.com/bartizan-mcp/bartizan/registry/probe"
)

// isolation makes what starts local servers to list them. It is nil where it is
// off, or where this machine cannot isolate programs and nobody insists.
func isolation(c config.Config, logger *slog.Logger) (*probe.Prober, error) {
	p := c.Registry.Probe
	if p.Mode == config.ProbeOff {
		return nil, nil
	}
	// What a killed process was running is nobody's.
	scratch := filepath.Join(c.Data, "probe")
	if err := errors.Join(tree.Remove(scratch), os.MkdirAll(scratch, 0o700)); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	prober, err := probe.New(probe.Config{
		Scratch: scratch, Runtimes: p.Runtimes, Timeout: p.Timeout, OutputBytes: int64(p.OutputBytes), AtOnce: p.AtOnce, Logger: logger,
		Limits: sandbox.Limits{
			MemoryBytes: int64(p.MemoryBytes), ScratchBytes: int64(p.ScratchBytes),
			Process: confine.Limits{MemoryBytes: int64(p.MemoryBytes), Processes: p.Processes},
		},
	})
	switch {
	case err == nil:
		return prober, nil
	case p.Mode == config.ProbeRequire || !errors.Is(err, sandbox.ErrUnavailable):
		return nil, fmt.Errorf("registry.probe: %w", err)
	}
	logger.Warn("local servers are not probed; their listings have to be supplied", "reason", err.Error())
	return nil, nil
}
