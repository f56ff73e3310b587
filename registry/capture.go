package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
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
	capture, err := upstream.Capture(ctx, target, upstream.Limits{})
	if err != nil {
		s.Logger.WarnContext(ctx, "capture listing", "server", w.v.Name, "error", err)
		detail := hostText(err, errAddress, upstream.ErrRedirect, upstream.ErrCursorLoop, upstream.ErrTooLarge, upstream.ErrProtocol, upstream.ErrEra, listing.ErrTooLarge, listing.ErrMalformed, context.DeadlineExceeded)
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

var errAddress = errors.New("the endpoint's address is not one that the registry connects to")

// guardedClient connects to no address that belongs to this machine or its
// hosting: the check is on the address after resolution, so a name that
// resolves anew (rebinding) gains nothing. Private networks are allowed: that
// is where internal MCP servers live.
func guardedClient(loopback bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil || !connectable(ap.Addr(), loopback) {
				return errAddress
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, IdleConnTimeout: 10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// refusedPrefixes are ranges that net/netip has no name for: "this network",
// shared address space (cloud metadata of some hosters), benchmarking,
// protocol assignments, reserved; and the IPv6 forms that smuggle an IPv4
// address past a check (NAT64, 6to4, Teredo, site-local).
var refusedPrefixes = parsePrefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
	"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10", "::/96", "fd00:ec2::/32")

func connectable(ip netip.Addr, loopback bool) bool {
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() {
		return loopback
	}
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsInterfaceLocalMulticast() {
		return false
	}
	for _, p := range refusedPrefixes {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

func parsePrefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// endpointAnonymous reports that the registry itself read the listing without
// credentials.
func endpointAnonymous(v *admission.Version) bool {
	return v.Source == listing.SourceRegistry && v.Launch.URL != ""
}
