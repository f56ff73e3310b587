package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/format/cyclonedxjson"
	"github.com/anchore/syft/syft/source/directorysource"
	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/benchtime"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// Roles of a process that makes SBOMs.
const (
	roleSBOM = "sbom"
	roleSyft = "syft"
)

// warmSBOMs is how many such a process makes after its first.
const warmSBOMs = 7

// made is what such a process says of itself: nanoseconds of a processor for
// its first SBOM and, as a median, for one of those after it; bytes.
type made struct {
	Measured   bool // false: this system does not tell
	First, CPU float64
	Peak       float64
	Components int
}

// makeSBOMs is the whole of such a process.
func makeSBOMs(ctx context.Context, role, of string, n int) error {
	var one func() (components int, err error)
	switch role {
	case roleSBOM:
		one = func() (int, error) { return ourSBOM(ctx, of) }
	case roleSyft:
		// As ours does it: built once, and not for each document.
		shared, err := syft.SetContextLicenseScanner(ctx, cataloging.DefaultLicenseConfig())
		if err != nil {
			return err
		}
		one = func() (int, error) { return syftSBOM(shared, of) }
	default:
		return fmt.Errorf("no role %q", role)
	}
	m, err := watch(one, n)
	if err != nil {
		return err
	}
	return json.MarshalWrite(os.Stdout, m)
}

func watch(one func() (int, error), n int) (m made, err error) {
	var warm []float64
	for i := range n + 1 {
		began, err := processor()
		if errors.Is(err, errors.ErrUnsupported) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		if m.Components, err = one(); err != nil {
			return m, err
		}
		ended, err := processor()
		if err != nil {
			return m, err
		}
		if i == 0 {
			m.First = float64(ended - began)
		} else {
			warm = append(warm, float64(ended-began))
		}
	}
	m.Measured, m.CPU = true, benchtime.Median(warm)
	m.Peak, err = peak()
	return m, err
}

func ourSBOM(ctx context.Context, artifact string) (int, error) {
	doc, err := sbom.Generate(ctx, sbom.Input{Artifact: artifact, Kind: sbom.KindAuto}, sbom.Options{})
	if err != nil {
		return 0, err
	}
	_, err = doc.Encode()
	return len(doc.Components()), err
}

// syftSBOM catalogues a folder by syft's defaults.
func syftSBOM(ctx context.Context, folder string) (int, error) {
	src, err := directorysource.NewFromPath(folder)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	found, err := syft.CreateSBOM(ctx, src, syft.DefaultCreateSBOMConfig())
	if err != nil {
		return 0, err
	}
	encoder, err := cyclonedxjson.NewFormatEncoderWithConfig(cyclonedxjson.DefaultEncoderConfig())
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	return found.Artifacts.Packages.PackageCount(), encoder.Encode(&out, *found)
}
