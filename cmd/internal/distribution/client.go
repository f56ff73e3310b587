package distribution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// repository returns the remote side of a reference, with the credentials of
// the docker configuration.
func repository(r Reference, o Options) (*remote.Repository, error) {
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("docker configuration: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	transport.MaxResponseHeaderBytes = 64 << 10
	host := r.remote.Host()
	return &remote.Repository{
		Reference: r.remote,
		PlainHTTP: r.plain(o),
		Client: &auth.Client{
			Client:     &http.Client{Transport: &guard{next: transport, host: host, plain: r.plain(o)}},
			Credential: credentials.Credential(store),
			Cache:      auth.NewCache(),
			Header:     http.Header{"User-Agent": {"bartizan"}},
		},
		MaxMetadataBytes:     maxIndex,
		ReferrerListMaxPages: maxPages,
		SkipReferrersGC:      true, // others may have listed more meanwhile
	}, nil
}

// guard holds every request, redirects and uploads among them, to the registry
// that was asked for: credentials and modules go to no other host, nothing
// travels in plain text that was not allowed to. Content may be fetched from
// elsewhere, without credentials: its digest says what it must be.
type guard struct {
	next  http.RoundTripper
	host  string
	plain bool

	mu     sync.Mutex
	realms map[string]bool // scheme://host/path where the registry has tokens given out
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	home := strings.EqualFold(req.URL.Host, g.host)
	switch {
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return nil, fmt.Errorf("%w: scheme %q", ErrElsewhere, req.URL.Scheme)
	case req.URL.Scheme == "http" && !(g.plain && (home || loopback(req.URL.Host))):
		return nil, fmt.Errorf("%w: %s", ErrPlaintext, req.URL.Host)
	}
	if !home && !g.realm(req) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			return nil, fmt.Errorf("%w: %s %s", ErrElsewhere, req.Method, req.URL.Host)
		}
		req = req.Clone(req.Context())
		for _, secret := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			req.Header.Del(secret)
		}
	}
	resp, err := g.next.RoundTrip(req)
	if err == nil && home && resp.StatusCode == http.StatusUnauthorized {
		g.learn(resp)
	}
	return resp, err
}

func (g *guard) realm(req *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.realms[req.URL.Scheme+"://"+req.URL.Host+req.URL.Path]
}

// learn notes where the registry has tokens given out. Which hosts that may be,
// package auth decides.
func (g *guard) learn(resp *http.Response) {
	for _, challenge := range resp.Header.Values("WWW-Authenticate") {
		_, rest, ok := strings.Cut(challenge, `realm="`)
		realm, _, closed := strings.Cut(rest, `"`)
		if !ok || !closed {
			continue
		}
		realm, _, _ = strings.Cut(realm, "?")
		g.mu.Lock()
		if g.realms == nil {
			g.realms = map[string]bool{}
		}
		if len(g.realms) < 8 {
			g.realms[realm] = true
		}
		g.mu.Unlock()
	}
}

// explain sorts what the library says into this package's sentinels. What a
// registry writes into its errors is not repeated.
func explain(err error) error {
	var answered *errcode.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errdef.ErrNotFound):
		return fmt.Errorf("%w: %s", ErrNotFound, "no such artifact")
	case errors.As(err, &answered):
		switch answered.StatusCode {
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("%w: HTTP status %d", ErrAuth, answered.StatusCode)
		case http.StatusNotFound:
			return fmt.Errorf("%w: HTTP status %d", ErrNotFound, answered.StatusCode)
		}
		return fmt.Errorf("%w: HTTP status %d to %s", ErrRegistry, answered.StatusCode, answered.Method)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("%w: %w", ErrAuth, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: no answer in time: %w", ErrRegistry, err)
	}
	return fmt.Errorf("%w: %w", ErrRegistry, err)
}
