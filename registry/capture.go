package registry

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/egress"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// captureTimeout bounds all conversations of one capture together.
const captureTimeout = 2 * time.Minute

// captureListing reads the listing that came with the publication, or asks the
// endpoint for it in every era that it speaks, and fingerprints it.
func (s *Service) captureListing(ctx context.Context, w *work) error {
	v := w.v
	if v.Source == listing.SourceRegistry && v.Listing == "" {
		if err := s.captureRemote(ctx, w); err != nil {
			return err
		}
	}
	if v.Source == listing.SourceProbe {
		if err := s.captureProbed(ctx, w); err != nil {
			return err
		}
	}
	raw, err := s.get(ctx, v.Listing, MaxEvidence*4)
	if err != nil {
		return err
	}
	if w.capture, err = listing.ParseCapture(raw); err != nil {
		return refuse(ErrInvalid, RefusedListing, "the listing cannot be read: %s", hostText(err, listing.ErrMalformed, listing.ErrTooLarge))
	}
	w.prints, err = fingerprints(w.capture.Listings)
	return err
}

func (s *Service) captureRemote(ctx context.Context, w *work) error {
	ctx, cancel := context.WithTimeout(ctx, captureTimeout)
	defer cancel()
	target := s.upstream
	target.URL, target.Transport = w.v.Launch.URL, w.v.Launch.Transport
	target.Pin = w.v.Launch.Pin
	var seen connection
	ctx = seen.watch(ctx)
	capture, err := upstream.Capture(ctx, target, upstream.Limits{})
	if err != nil {
		s.Logger.WarnContext(ctx, "capture listing", "server", w.v.Name, "error", err)
		detail := hostText(err, egress.ErrAddress, egress.ErrURL, upstream.ErrRedirect, upstream.ErrPin, upstream.ErrCursorLoop, upstream.ErrTooLarge, upstream.ErrProtocol, upstream.ErrEra, listing.ErrTooLarge, listing.ErrMalformed, context.DeadlineExceeded)
		if detail == "it is malformed" {
			detail = "the endpoint does not answer"
		}
		return refuse(ErrInvalid, RefusedCapture, "the listing could not be captured: %s (or supply it: publish --listing FILE)", detail)
	}
	capture.Server, capture.Source, capture.CapturedAt = w.v.Name, listing.SourceRegistry, s.Now().UTC()
	raw, err := capture.Marshal()
	if err != nil {
		return refuse(ErrInvalid, RefusedListing, "the captured listing cannot be kept")
	}
	w.v.TLS = seen.seen
	w.v.Listing, err = s.keepBytes(ctx, w, raw, mediaJSON)
	return err
}

// printed is one era's listing with its fingerprints.
type printed struct {
	listing listing.Listing
	set     *fingerprint.Set
}

func fingerprints(all []listing.Listing) ([]printed, error) {
	out := make([]printed, 0, len(all))
	for _, l := range all {
		set, err := fingerprint.OfListing(&l, nil)
		if err != nil {
			return nil, refuse(ErrInvalid, RefusedListing, "the listing cannot be fingerprinted: %s", hostText(err,
				fingerprint.ErrDuplicateKey, fingerprint.ErrCaseVariant, fingerprint.ErrNumberTooLong, fingerprint.ErrExternalReference, fingerprint.ErrMalformed))
		}
		out = append(out, printed{l, set})
	}
	if len(out) == 0 {
		return nil, refuse(ErrInvalid, RefusedListing, "the capture holds no listing")
	}
	return out, nil
}

// endpointAnonymous reports that the registry itself read the listing without
// credentials.
func endpointAnonymous(v *admission.Version) bool {
	return v.Source == listing.SourceRegistry && v.Launch.URL != ""
}
