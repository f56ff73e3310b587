package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// Client asks a signer behind a Unix socket.
type Client struct {
	http     *http.Client
	registry string
	keys     map[Role]*attest.PublicKey
}

// Dial asks the signer which keys it holds. Errors wrap ErrUnreachable.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	c := &Client{keys: map[Role]*attest.PublicKey{}, http: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
			MaxIdleConns: 4, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
	}}
	b, err := c.ask(ctx, http.MethodGet, "/v1/keys", nil)
	if err != nil {
		return nil, err
	}
	var id identity
	if err := json.Unmarshal(b, &id); err != nil {
		return nil, fmt.Errorf("%w: its keys cannot be read", ErrUnreachable)
	}
	c.registry = id.Registry
	for _, role := range []Role{RoleApproval, RoleSnapshot, RoleSBOM} {
		k, err := attest.ParsePublicKey([]byte(id.Keys[role]))
		if err != nil {
			return nil, fmt.Errorf("%w: it has no key for %s", ErrUnreachable, role)
		}
		c.keys[role] = k
	}
	return c, nil
}

// Registry is whom the signer's trust document speaks for.
func (c *Client) Registry() string { return c.registry }

// Signer signs for one role.
func (c *Client) Signer(role Role) *Remote { return &Remote{client: c, role: role} }

// Remote is an attest.Signer whose key is elsewhere.
type Remote struct {
	client   *Client
	role     Role
	evidence [][]byte
}

// KeyID names the key as it was when the client was made.
func (r *Remote) KeyID() string { return r.client.keys[r.role].ID() }

// With is the signer for one statement, beside which evidence is shown.
func (r *Remote) With(evidence ...[]byte) attest.Signer {
	return &Remote{client: r.client, role: r.role, evidence: evidence}
}

// Sign implements attest.Signer. Errors: a *Refusal, ErrUnreachable.
func (r *Remote) Sign(ctx context.Context, statement []byte) ([]byte, error) {
	body, err := json.Marshal(request{Statement: statement, Evidence: r.evidence})
	if err != nil {
		return nil, err
	}
	return r.client.ask(ctx, http.MethodPost, "/v1/sign/"+string(r.role), body)
}

// Introduce tells the signer of an approval from before it kept the key.
func (r *Remote) Introduce(ctx context.Context, bundle []byte) error {
	body, err := json.Marshal(introduction{Bundle: bundle})
	if err == nil {
		_, err = r.client.ask(ctx, http.MethodPost, "/v1/approvals", body)
	}
	return err
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, method, "http://signer"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(q)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, attest.MaxBundle+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case len(b) > attest.MaxBundle:
		return nil, fmt.Errorf("%w: an answer of more than %d bytes", ErrUnreachable, attest.MaxBundle)
	case res.StatusCode/100 == 2:
		return b, nil
	}
	var p problem
	if res.StatusCode == http.StatusUnprocessableEntity && json.Unmarshal(b, &p) == nil && p.Reason != "" {
		return nil, &Refusal{Reason: p.Reason, Detail: p.Detail}
	}
	return nil, errors.Join(ErrUnreachable, fmt.Errorf("it answers %s", res.Status))
}
