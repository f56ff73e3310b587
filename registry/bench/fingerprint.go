package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/benchtime"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// boundFingerprint is in nanoseconds.
const boundFingerprint = 2e6

// fingerprintRows fingerprint the server's listing, beside the plain canonical
// form (RFC 8785) and the plain digest of the same bytes.
func fingerprintRows(context.Context, string, options) ([]benchtable.Row, error) {
	raw, err := listed()
	if err != nil {
		return nil, err
	}
	capture, err := listing.ParseCapture(raw)
	if err != nil {
		return nil, err
	}
	l := &capture.Listings[0]
	set, err := fingerprint.OfListing(l, nil)
	if err != nil {
		return nil, err
	}
	if len(set.Entries) != tools || len(set.Held) != 0 {
		return nil, fmt.Errorf("%d entries, %d held", len(set.Entries), len(set.Held))
	}
	scratch := make([]byte, 0, 2*len(raw))
	s, err := benchtime.Interleave(15, 20*time.Millisecond,
		benchtime.Arm{Name: "fingerprint", Run: func() error { _, err := fingerprint.OfListing(l, nil); return err }},
		benchtime.Arm{Name: "canonical", Run: func() error {
			v := jsontext.Value(append(scratch, raw...))
			if err := v.Canonicalize(); err != nil {
				return err
			}
			sha256.Sum256(v)
			return nil
		}},
		benchtime.Arm{Name: "digest", Run: func() error { sha256.Sum256(raw); return nil }},
		benchtime.Arm{Name: "capture", Run: func() error {
			c, err := listing.ParseCapture(raw)
			if err != nil {
				return err
			}
			_, err = fingerprint.OfListing(&c.Listings[0], nil)
			return err
		}},
	)
	if err != nil {
		return nil, err
	}
	ours := s.Median(0)
	return []benchtable.Row{
		{What: "fingerprints of a listing of 14 tools", Figure: benchtable.Duration(ours), Target: "≤ 2 ms", Met: benchtable.AtMost(ours, boundFingerprint),
			Note: fmt.Sprintf("%.1f KB; whole and behavioural digest of every tool, root of the listing", float64(len(raw))/1000)},
		{What: "  read from a capture first", Figure: benchtable.Duration(s.Median(3)), Note: "parsed as bytes from outside"},
		{What: "  JCS and SHA-256 instead", Figure: benchtable.Duration(s.Median(1)), Note: fmt.Sprintf("of the whole answer at once; ours %.1f×", s.Ratio(0, 1))},
		{What: "  SHA-256 of the same bytes instead", Figure: benchtable.Duration(s.Median(2)), Note: fmt.Sprintf("by the processor's own instructions; ours %.0f×", s.Ratio(0, 2))},
	}, nil
}
