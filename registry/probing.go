package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/registry/probe"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// captureProbed starts the server in isolation, once in the life of a version,
// and keeps listing and report.
func (s *Service) captureProbed(ctx context.Context, w *work) error {
	if w.v.Probe != "" {
		raw, err := s.get(ctx, w.v.Probe, MaxEvidence)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &w.probed)
	}
	if s.Probe == nil {
		return refuse(ErrUnavailable, RefusedIsolation, "this registry no longer starts servers; the version waits until it does")
	}
	file, err := s.export(ctx, w)
	if err != nil {
		return err
	}
	capture, report, err := s.Probe.Probe(ctx, w.probeJob(file))
	if err != nil {
		return s.probeFailed(ctx, w, err)
	}
	capture.Server, capture.CapturedAt = w.v.Name, s.Now().UTC()
	raw, err := capture.Marshal()
	if err != nil {
		return refuse(ErrInvalid, RefusedListing, "the captured listing cannot be kept")
	}
	if w.v.Listing, err = s.keepBytes(ctx, w, raw, mediaJSON); err != nil {
		return err
	}
	if w.v.Probe, err = s.keep(ctx, w, report); err != nil {
		return err
	}
	w.probed = report
	if len(report.Left) > 0 {
		w.quarantine(admission.ReasonCanaryLeft, "started in isolation, it let out: "+strings.Join(report.Left[:min(len(report.Left), 5)], "; "))
	}
	return nil
}

func (w *work) probeJob(artifact string) probe.Job {
	j := probe.Job{
		Artifact: artifact, Tree: w.tree, TreeDigest: w.v.Tree, Command: w.v.Launch.Command, Dir: w.v.Launch.Dir, EnvNames: w.v.Launch.EnvNames, Env: w.v.Launch.Env,
		Scopes: w.v.Scopes,
	}
	for _, p := range w.doc.Packages {
		for _, in := range p.Environment {
			if in.Secret {
				j.Secrets = append(j.Secrets, in.Name)
			}
		}
	}
	return j
}

// probeFailed tells the publisher what they can change; a machine that cannot
// isolate programs any more leaves the version to be tried again.
func (s *Service) probeFailed(ctx context.Context, w *work, err error) error {
	s.Logger.WarnContext(ctx, "probe", "server", w.v.Name, "version", w.v.Version.Version, "error", err)
	for _, known := range []error{probe.ErrSilent, probe.ErrLaunch} {
		if errors.Is(err, known) {
			detail := known.Error()
			if known == probe.ErrSilent {
				detail = err.Error() // in words of ours
			}
			return refuse(ErrInvalid, RefusedCapture, "the listing could not be captured: %s (or supply it: publish --listing FILE)", detail)
		}
	}
	for _, known := range []error{tree.ErrHostile, tree.ErrManifest, tree.ErrIntegrity, sbom.ErrTooLarge, sbom.ErrUnsupported} {
		if errors.Is(err, known) {
			return refuse(ErrInvalid, RefusedArtifact, "the artifact was refused: %s", known)
		}
	}
	if errors.Is(err, sandbox.ErrUnavailable) {
		return refuse(ErrUnavailable, RefusedIsolation, "servers cannot be isolated on this machine now; the version waits")
	}
	return fmt.Errorf("probe: %w", err)
}

// probe is what the checklist asks of the report.
func (w *work) probe() *checklist.Probe {
	r := w.probed
	if r == nil || w.v.Source != listing.SourceProbe {
		return nil
	}
	return &checklist.Probe{
		Report: w.v.Probe, Runs: len(r.Runs), Network: r.Network, Files: r.Files, Programs: r.Exec, Leaks: r.Leaks,
		Attacks: r.Attacks, Differences: r.Differences, OneEra: r.OneEra,
	}
}
