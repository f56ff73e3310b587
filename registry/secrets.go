package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/registry/secrets"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// findSecrets looks for credentials in the artifact, server.json and the
// launch, and quarantines a version that holds one.
func (s *Service) findSecrets(ctx context.Context, w *work) error {
	report := &secrets.Report{Hits: []secrets.Hit{}}
	if s.Secrets != nil && w.v.Artifact != "" {
		file, err := s.export(ctx, w)
		if err != nil {
			return err
		}
		if report, err = s.Secrets.Artifact(ctx, file); err != nil {
			return refusedArtifact(err)
		}
	}
	raw, err := s.get(ctx, w.v.ServerJSON, serverjson.MaxBytes)
	if err != nil {
		return err
	}
	if err := s.Secrets.Settings(ctx, report, secrets.Published{ServerJSON: raw, Document: w.doc, Launch: w.v.Launch}); err != nil {
		return err
	}
	w.secrets = checklist.Secrets{Unexamined: report.Unexamined, Report: report}
	for _, h := range report.Counting() {
		w.secrets.Held = append(w.secrets.Held, h.String())
	}
	held := w.secrets.Held
	w.secrets.Others = len(report.Hits) - len(held)
	if len(held) > 0 {
		w.quarantine(admission.ReasonHardCodedSecret, fmt.Sprintf("%d hard-coded credentials: %s", len(held), strings.Join(held[:min(len(held), 5)], "; ")))
	}
	return nil
}

// refusedArtifact turns what a walk over an artifact says into a refusal.
func refusedArtifact(err error) error {
	for _, known := range []error{sbom.ErrHostileArchive, sbom.ErrTooLarge, sbom.ErrUnsupported} {
		if errors.Is(err, known) {
			return refuse(ErrInvalid, RefusedArtifact, "the artifact was refused: %s", known)
		}
	}
	return err
}
