// Package keyless signs a statement with an OIDC identity instead of a key: a
// certificate authority (Fulcio) certifies a key that lives for one signature,
// a log (Rekor) records it, a timestamp authority (RFC 3161) dates it. The
// services are those that the caller names; none is known here, and nothing is
// asked of any other.
//
// It must not know what is signed, nor who will believe it.
package keyless

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

var (
	// ErrServices: an address that is none, or not to be trusted with a token.
	ErrServices = errors.New("keyless: unusable service")
	// ErrRefused: a service refused or could not be understood.
	ErrRefused = errors.New("keyless: not signed")
	// ErrToken: no OIDC token, or one that cannot be used.
	ErrToken = errors.New("keyless: no usable OIDC token")
)

// patience is for one answer of one service.
const patience = 30 * time.Second

// Services are the addresses of one Sigstore deployment. Fulcio is needed, and
// something that dates the signature: Rekor 1 or a timestamp authority.
type Services struct {
	Fulcio string // base URL
	Rekor  string // base URL; "" logs nothing
	// RekorV2 says that Rekor is of the second generation, which dates nothing.
	RekorV2 bool
	TSA     string // whole URL; "" stamps nothing
}

// Named reports whether any service is named at all.
func (s Services) Named() bool { return s.Fulcio != "" || s.Rekor != "" || s.TSA != "" }

// Validate holds every address to https, or http on a loopback address, and
// demands what a bundle needs to be verifiable.
func (s Services) Validate() error {
	if s.Fulcio == "" {
		return fmt.Errorf("%w: a certificate authority (Fulcio) is needed", ErrServices)
	}
	if s.TSA == "" && (s.Rekor == "" || s.RekorV2) {
		return fmt.Errorf("%w: nothing dates the signature: name a timestamp authority, or a Rekor of the first generation", ErrServices)
	}
	for what, address := range map[string]string{"Fulcio": s.Fulcio, "Rekor": s.Rekor, "timestamp authority": s.TSA} {
		if address == "" {
			continue
		}
		if err := checkAddress(address); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrServices, what, err)
		}
	}
	return nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("no URL of a service")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("want https, or http on a loopback address")
}

// loopback takes addresses only: a name leads where a resolver says.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Sign makes the Sigstore bundle of a statement.
func (s Services) Sign(ctx context.Context, token string, statement []byte) ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if _, err := attest.ParseStatement(statement); err != nil {
		return nil, err
	}
	keypair, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	opts := sign.BundleOptions{
		Context: ctx, CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token},
		CertificateProvider: sign.NewFulcio(&sign.FulcioOptions{BaseURL: strings.TrimRight(s.Fulcio, "/"), Timeout: patience, Transport: direct()}),
	}
	if s.TSA != "" {
		opts.TimestampAuthorities = []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: s.TSA, Timeout: patience, Transport: direct()})}
	}
	if s.Rekor != "" {
		log := &sign.RekorOptions{BaseURL: strings.TrimRight(s.Rekor, "/"), Timeout: patience, Version: 1}
		if s.RekorV2 {
			log.Version = 2
		}
		opts.TransparencyLogs = []sign.Transparency{sign.NewRekor(log)}
	}
	b, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: attest.PayloadType}, keypair, opts)
	if err != nil {
		return nil, refused(ctx, err)
	}
	out, err := protojson.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// A bundle is addressed by the digest of its bytes, and protojson varies its
	// spaces on purpose.
	v := jsontext.Value(out)
	if err := v.Compact(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return v, nil
}

// refused quotes what a service answered: it goes to a terminal.
func refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrRefused, ctx.Err())
	}
	text := err.Error()
	return fmt.Errorf("%w: %s", ErrRefused, strconv.QuoteToASCII(text[:min(len(text), 512)]))
}

// direct connects without following anybody elsewhere: what is sent bears the
// token.
func direct() http.RoundTripper {
	return stay{&http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2: true, DisableKeepAlives: true,
	}}
}

type stay struct{ http.RoundTripper }

func (s stay) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.RoundTripper.RoundTrip(r)
	if err == nil && answer.StatusCode >= 300 && answer.StatusCode < 400 {
		answer.Body.Close()
		return nil, errors.New("the service answers with a redirect, which is not followed")
	}
	return answer, err
}
