// Package client talks to a registry over HTTP: typed calls for the command
// line, and the Follower that a gateway on another machine uses for approvals
// and keys.
//
// It must not know the registry's domain, storage or web framework: only the
// wire shapes of internal/registryapi.
package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// Bounds on answers.
const (
	maxAnswer  = 64 << 20
	maxProblem = 1 << 20
)

var (
	// ErrConfig is an address or token that must not be used.
	ErrConfig = errors.New("registry address or token cannot be used")
	// ErrUnreachable is a registry that did not answer.
	ErrUnreachable = errors.New("registry not reachable")
	// ErrProtocol is an answer that no registry gives.
	ErrProtocol = errors.New("unexpected answer from the registry")
)

// Error is a problem document (RFC 9457) of the registry. Branch on Reason,
// which is from the closed list of docs/publish.md.
type Error registryapi.Problem

func (e *Error) Error() string {
	msg := fmt.Sprintf("registry: %s (%d %s)", e.Detail, e.Status, e.Reason)
	for _, p := range e.Problems {
		msg += fmt.Sprintf("\n  %s: %s", p.Pointer, p.Message)
	}
	return msg
}

// Reason returns the reason of a registry's problem, "" for other errors.
func Reason(err error) string {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// Status returns the HTTP status of a registry's problem, 0 for other errors.
func Status(err error) int {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Options of a client; the zero value is right.
type Options struct {
	Transport http.RoundTripper // default: own transport, no proxy credentials, TLS 1.2 or later
	// UnsafePlaintext sends the token without TLS beyond loopback.
	UnsafePlaintext bool
}

// Client calls one registry with one token. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New returns a client for the registry at base (https://registry.example).
// Plain HTTP is accepted for loopback only.
func New(base, token string, opts Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: the address must be an http or https URL without user, query or fragment", ErrConfig)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) && !opts.UnsafePlaintext {
		return nil, fmt.Errorf("%w: beyond loopback a token is sent over https only", ErrConfig)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: malformed token", ErrConfig)
	}
	transport := opts.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = 10 * time.Minute // a publication is answered when its checks are done
		transport = t
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &Client{base: u, token: token, http: &http.Client{
		Transport: transport,
		// A redirect would carry the token to whoever the answer names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// request is one call.
type request struct {
	method string
	path   []string // unescaped segments
	query  url.Values
	match  string // If-Match: subject digest
	body   any    // JSON
	raw    io.Reader
	media  string // of raw
}

// do sends a request and decodes the JSON answer into out, unless out is nil.
func (c *Client) do(ctx context.Context, r request, out any) error {
	b, err := c.bytes(ctx, r, maxAnswer)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%w: the body is not what this call answers", ErrProtocol)
	}
	return nil
}

// bytes sends a request and returns the body, at most max bytes.
func (c *Client) bytes(ctx context.Context, r request, max int64) ([]byte, error) {
	body, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, max+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrProtocol, max)
	}
	return b, nil
}

// open sends a request and returns the body of a successful answer.
func (c *Client) open(ctx context.Context, r request) (io.ReadCloser, error) {
	req, err := c.build(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, problem(resp)
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	u := *c.base
	raw := u.EscapedPath()
	for _, s := range r.path {
		if s == "" || s == "." || s == ".." {
			return nil, fmt.Errorf("%w: an empty name", ErrConfig)
		}
		raw += "/" + url.PathEscape(s)
	}
	u.RawPath = raw
	var err error
	if u.Path, err = url.PathUnescape(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	u.RawQuery = r.query.Encode()
	body, media := r.raw, r.media
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body, media = bytes.NewReader(b), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if r.match != "" {
		req.Header.Set("If-Match", `"`+r.match+`"`)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// problem reads the error answer. Anything but a problem document (a proxy's
// page, a redirect) is reported by its status alone.
func problem(resp *http.Response) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	var e Error
	if err != nil || media != registryapi.MediaProblem || json.Unmarshal(b, (*registryapi.Problem)(&e)) != nil || e.Reason == "" {
		return fmt.Errorf("%w: status %d without a problem document", ErrProtocol, resp.StatusCode)
	}
	e.Status = resp.StatusCode
	return &e
}
