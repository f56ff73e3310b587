package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/benchtime"
)

// Bounds of the SBOM rows: nanoseconds of a processor, bytes of memory.
const (
	boundCPU    = 500e6
	boundMemory = 300e6
)

// sbomRows make the server's SBOM, and let syft catalogue the same files by its
// own defaults, each in processes that do nothing else.
func sbomRows(ctx context.Context, dir string, o options) ([]benchtable.Row, error) {
	const cpu, memory, alone = "SBOM of 110 packages, warm", "  peak memory", "  syft alone instead"
	folder, err := files("1.0.0")
	if err != nil {
		return nil, err
	}
	artifact, err := packed(folder)
	if err != nil {
		return nil, err
	}
	archive, unpackedTo := filepath.Join(dir, "harbour.tgz"), filepath.Join(dir, "harbour")
	if err := errors.Join(os.WriteFile(archive, artifact, 0o600), unpacked(unpackedTo, folder)); err != nil {
		return nil, err
	}
	var ours, syfts, ratios []float64
	var peak, syftPeak, first float64
	var components, syftComponents int
	for range o.rounds {
		a, err := spawn(ctx, roleSBOM, archive)
		if err != nil {
			return nil, err
		}
		b, err := spawn(ctx, roleSyft, unpackedTo)
		if err != nil {
			return nil, err
		}
		if !a.Measured || !b.Measured {
			return []benchtable.Row{
				benchtable.Absent(cpu, "≤ 0.5 s CPU", "this system does not tell"), benchtable.Absent(memory, "≤ 300 MB", "this system does not tell"),
			}, nil
		}
		ours, syfts = append(ours, a.CPU), append(syfts, b.CPU)
		ratios = append(ratios, a.CPU/b.CPU)
		peak, syftPeak, first = max(peak, a.Peak), max(syftPeak, b.Peak), max(first, a.First)
		components, syftComponents = a.Components, b.Components
	}
	if components != packages {
		return nil, fmt.Errorf("the SBOM has %d components, want %d", components, packages)
	}
	median := benchtime.Median(ours)
	return []benchtable.Row{
		{What: cpu, Figure: benchtable.Duration(median) + " CPU", Target: "≤ 0.5 s CPU", Met: benchtable.AtMost(median, boundCPU),
			Note: fmt.Sprintf("all threads, user and kernel; the first of a process %s; %d components from a package of %d KB", benchtable.Duration(first), components, len(artifact)/1000)},
		{What: memory, Figure: megabytes(peak), Target: "≤ 300 MB", Met: benchtable.AtMost(peak, boundMemory),
			Note: fmt.Sprintf("resident, of a process that does only that; the worst of %d", o.rounds)},
		{What: alone, Figure: fmt.Sprintf("%s CPU, %s", benchtable.Duration(benchtime.Median(syfts)), megabytes(syftPeak)),
			Note: fmt.Sprintf("ours takes %.2f× of its processor time; its defaults, the same files unpacked, to CycloneDX, %d components", benchtime.Median(ratios), syftComponents)},
	}, nil
}

// spawn has a process of this program make SBOMs in one role.
func spawn(ctx context.Context, role, of string) (made, error) {
	self, err := os.Executable()
	if err != nil {
		return made{}, err
	}
	cmd := exec.CommandContext(ctx, self, "-role", role, "-of", of, "-n", strconv.Itoa(warmSBOMs))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return made{}, fmt.Errorf("%s: %w", role, err)
	}
	var m made
	return m, json.Unmarshal(out, &m)
}

func megabytes(v float64) string { return fmt.Sprintf("%.0f MB", v/1e6) }
