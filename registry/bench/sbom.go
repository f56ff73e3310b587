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

// sbomRows make the server's SBOM, from its lockfile and from a package that
// brings its node_modules, and let syft catalogue the same files by its own
// defaults, each in processes that do nothing else.
func sbomRows(ctx context.Context, dir string, o options) ([]benchtable.Row, error) {
	licence, err := os.ReadFile(o.licence)
	if err != nil {
		return nil, err
	}
	var rows []benchtable.Row
	for _, shape := range []struct {
		name, what string
		licence    []byte
	}{{"locked", "SBOM of 110 packages, warm", nil}, {"installed", "the same with its node_modules", licence}} {
		folder, err := files("1.0.0", shape.licence)
		if err != nil {
			return rows, err
		}
		measured, err := shapeRows(ctx, filepath.Join(dir, shape.name), shape.what, folder, o.rounds)
		rows = append(rows, measured...)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", shape.name, err)
		}
	}
	return rows, nil
}

func shapeRows(ctx context.Context, dir, what string, folder map[string][]byte, rounds int) ([]benchtable.Row, error) {
	const targetCPU, memory, targetMemory = "≤ 0.5 s CPU", "  peak memory", "≤ 300 MB"
	artifact, err := packed(folder)
	if err != nil {
		return nil, err
	}
	archive, unpackedTo := dir+".tgz", dir
	if err := errors.Join(os.WriteFile(archive, artifact, 0o600), unpacked(unpackedTo, folder)); err != nil {
		return nil, err
	}
	var ours, syfts, ratios []float64
	var peak, syftPeak, first float64
	var found int
	for range rounds {
		a, err := spawn(ctx, roleSBOM, archive)
		if err != nil {
			return nil, err
		}
		b, err := spawn(ctx, roleSyft, unpackedTo)
		if err != nil {
			return nil, err
		}
		if !a.Measured || !b.Measured {
			const why = "this system does not tell"
			return []benchtable.Row{benchtable.Absent(what, targetCPU, why), benchtable.Absent(memory, targetMemory, why)}, nil
		}
		if a.Components != packages {
			return nil, fmt.Errorf("the SBOM has %d components, want %d", a.Components, packages)
		}
		ours, syfts = append(ours, a.CPU), append(syfts, b.CPU)
		ratios = append(ratios, a.CPU/b.CPU)
		peak, syftPeak, first = max(peak, a.Peak), max(syftPeak, b.Peak), max(first, a.First)
		found = b.Components
	}
	median := benchtime.Median(ours)
	return []benchtable.Row{
		{What: what, Figure: benchtable.Duration(median) + " CPU", Target: targetCPU, Met: benchtable.AtMost(median, boundCPU),
			Note: fmt.Sprintf("all threads, user and kernel; the first of a process %s; %d components, %d files, %d KB packed", benchtable.Duration(first), packages, len(folder), len(artifact)/1000)},
		{What: memory, Figure: megabytes(peak), Target: targetMemory, Met: benchtable.AtMost(peak, boundMemory),
			Note: fmt.Sprintf("resident, of a process that does only that; the worst of %d", rounds)},
		{What: "  syft alone instead", Figure: fmt.Sprintf("%s CPU, %s", benchtable.Duration(benchtime.Median(syfts)), megabytes(syftPeak)),
			Note: fmt.Sprintf("ours takes %.2f× of its processor time; its defaults, the same files unpacked, to CycloneDX, %d components", benchtime.Median(ratios), found)},
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
