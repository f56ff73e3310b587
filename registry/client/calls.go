package client

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

func v1(path ...string) []string { return append([]string{"api", "v1"}, path...) }

func states(all []admission.State) url.Values {
	q := url.Values{}
	for _, s := range all {
		q.Add("state", string(s))
	}
	return q
}

// Identity says who the token belongs to, and which registry this is.
func (c *Client) Identity(ctx context.Context) (*registryapi.Identity, error) {
	var out registryapi.Identity
	return &out, c.do(ctx, request{method: "GET", path: v1("identity")}, &out)
}

// Scanners lists the scanners that the registry runs, with their health.
func (c *Client) Scanners(ctx context.Context) ([]registryapi.Scanner, error) {
	var out registryapi.Scanners
	err := c.do(ctx, request{method: "GET", path: v1("scanners")}, &out)
	return out.Scanners, err
}

// Versions lists versions in the given states, all without any.
func (c *Client) Versions(ctx context.Context, in ...admission.State) ([]admission.Version, error) {
	var out registryapi.Versions
	err := c.do(ctx, request{method: "GET", path: v1("servers"), query: states(in)}, &out)
	return out.Versions, err
}

// VersionsOf lists the versions of one server, newest first.
func (c *Client) VersionsOf(ctx context.Context, name string) ([]admission.Version, error) {
	var out registryapi.Versions
	err := c.do(ctx, request{method: "GET", path: v1("servers", name, "versions")}, &out)
	return out.Versions, err
}

// Version shows one version.
func (c *Client) Version(ctx context.Context, name, version string) (*admission.Version, error) {
	var out admission.Version
	return &out, c.do(ctx, request{method: "GET", path: v1("servers", name, "versions", version)}, &out)
}

// Judgements lists every time that a version was judged, newest first.
func (c *Client) Judgements(ctx context.Context, name, version string) ([]admission.Judgement, error) {
	var out registryapi.Judgements
	err := c.do(ctx, request{method: "GET", path: v1("servers", name, "versions", version, "judgements")}, &out)
	return out.Judgements, err
}

// Diff shows what gateways observed of a version and, when from is not empty,
// what changed since that older one.
func (c *Client) Diff(ctx context.Context, name, from, to string) (*registryapi.Diff, error) {
	q := url.Values{}
	if from != "" {
		q.Set("from", from)
	}
	var out registryapi.Diff
	return &out, c.do(ctx, request{method: "GET", path: v1("servers", name, "versions", to, "diff"), query: q}, &out)
}

// Quarantine takes a version out of circulation.
func (c *Client) Quarantine(ctx context.Context, name, version, reason string) (*admission.Version, error) {
	var out admission.Version
	return &out, c.do(ctx, request{method: "POST", path: v1("servers", name, "versions", version, "quarantine"), body: registryapi.Because{Reason: reason}}, &out)
}

// Release lets a version out of quarantine.
func (c *Client) Release(ctx context.Context, name, version, reason string) (*admission.Version, error) {
	var out admission.Version
	return &out, c.do(ctx, request{method: "POST", path: v1("servers", name, "versions", version, "release"), body: registryapi.Because{Reason: reason}}, &out)
}

// Reviews lists reviews by the state of their version; none: in review.
func (c *Client) Reviews(ctx context.Context, in ...admission.State) ([]admission.Review, error) {
	var out registryapi.Reviews
	err := c.do(ctx, request{method: "GET", path: v1("reviews"), query: states(in)}, &out)
	return out.Reviews, err
}

// Review shows one review. Its Subject is what votes and decisions name.
func (c *Client) Review(ctx context.Context, id string) (*admission.Review, error) {
	var out admission.Review
	return &out, c.do(ctx, request{method: "GET", path: v1("reviews", id)}, &out)
}

// Answer answers a checklist item, or waives a failed one until expires.
func (c *Client) Answer(ctx context.Context, id, code string, a registryapi.Answer) (*admission.Item, error) {
	var out admission.Item
	return &out, c.do(ctx, request{method: "PUT", path: v1("reviews", id, "items", code), body: a}, &out)
}

// Vote casts the token owner's vote (approve or reject) without a key.
func (c *Client) Vote(ctx context.Context, id, subject, value string) (*admission.Vote, error) {
	var out admission.Vote
	return &out, c.do(ctx, request{method: "POST", path: v1("reviews", id, "votes"), match: subject, body: registryapi.Ballot{Value: value}}, &out)
}

// VoteSigned casts a vote that a registered reviewer signed.
func (c *Client) VoteSigned(ctx context.Context, id, subject string, bundle []byte) (*admission.Vote, error) {
	var out admission.Vote
	return &out, c.do(ctx, request{method: "POST", path: v1("reviews", id, "votes"), match: subject, body: registryapi.Ballot{Bundle: jsontext.Value(bundle)}}, &out)
}

// Waive accepts one finding; the review it returns has a new subject.
func (c *Client) Waive(ctx context.Context, id, subject string, w registryapi.NewWaiver) (*admission.Review, error) {
	var out admission.Review
	return &out, c.do(ctx, request{method: "POST", path: v1("reviews", id, "waivers"), match: subject, body: w}, &out)
}

// Approve signs the approval of the subject.
func (c *Client) Approve(ctx context.Context, id, subject string) (*admission.Version, error) {
	var out admission.Version
	return &out, c.do(ctx, request{method: "POST", path: v1("reviews", id, "approve"), match: subject}, &out)
}

// Reject decides against the subject.
func (c *Client) Reject(ctx context.Context, id, subject, reason string) (*admission.Version, error) {
	var out admission.Version
	return &out, c.do(ctx, request{method: "POST", path: v1("reviews", id, "reject"), match: subject, body: registryapi.Because{Reason: reason}}, &out)
}

// Blob opens a stored blob by its digest ("sha256:<hex>"). The caller compares
// the digest of what it reads.
func (c *Client) Blob(ctx context.Context, digest string) (io.ReadCloser, error) {
	return c.open(ctx, request{method: "GET", path: v1("blobs", digest)})
}

// Keys lists API keys.
func (c *Client) Keys(ctx context.Context) ([]admission.APIKey, error) {
	var out registryapi.Keys
	err := c.do(ctx, request{method: "GET", path: v1("keys")}, &out)
	return out.Keys, err
}

// IssueKey makes an API key.
func (c *Client) IssueKey(ctx context.Context, k registryapi.NewKey) (*registryapi.IssuedKey, error) {
	var out registryapi.IssuedKey
	return &out, c.do(ctx, request{method: "POST", path: v1("keys"), body: k}, &out)
}

// RevokeKey ends an API key at once.
func (c *Client) RevokeKey(ctx context.Context, id string) (*admission.APIKey, error) {
	var out admission.APIKey
	return &out, c.do(ctx, request{method: "DELETE", path: v1("keys", id)}, &out)
}

// Signers lists who may sign for a namespace.
func (c *Client) Signers(ctx context.Context, namespace string) ([]admission.NamespaceSigner, error) {
	var out registryapi.Signers
	err := c.do(ctx, request{method: "GET", path: v1("namespaces", namespace, "signers")}, &out)
	return out.Signers, err
}

// AddSigner lets a key or identity sign for a namespace.
func (c *Client) AddSigner(ctx context.Context, namespace string, s registryapi.NewSigner) (*admission.NamespaceSigner, error) {
	var out admission.NamespaceSigner
	return &out, c.do(ctx, request{method: "POST", path: v1("namespaces", namespace, "signers"), body: s}, &out)
}

// RemoveSigner takes a signer off a namespace.
func (c *Client) RemoveSigner(ctx context.Context, namespace, id string) error {
	return c.do(ctx, request{method: "DELETE", path: v1("namespaces", namespace, "signers", id)}, nil)
}

// AuditQuery selects audit events; a zero member selects all.
type AuditQuery struct {
	Since, Until                               time.Time
	Text, Server, Entry, Principal, Reason, ID string
	Limit                                      int
}

// SearchAudit returns matching events as they were written, oldest first.
func (c *Client) SearchAudit(ctx context.Context, a AuditQuery) ([]jsontext.Value, error) {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, t := range map[string]time.Time{"since": a.Since, "until": a.Until} {
		if !t.IsZero() {
			q.Set(name, t.Format(time.RFC3339))
		}
	}
	set("text", a.Text)
	set("server", a.Server)
	set("entry", a.Entry)
	set("principal", a.Principal)
	set("reason", a.Reason)
	set("id", a.ID)
	if a.Limit > 0 {
		q.Set("limit", strconv.Itoa(a.Limit))
	}
	var out registryapi.Events
	err := c.do(ctx, request{method: "GET", path: v1("audit"), query: q}, &out)
	return out.Events, err
}

// SBOM returns the registry's SBOM of an approved version.
func (c *Client) SBOM(ctx context.Context, name, version string) ([]byte, error) {
	return c.bytes(ctx, request{method: "GET", path: extension(name, version, "sbom")}, maxAnswer)
}

// Attestations returns the bundles of an approved version.
func (c *Client) Attestations(ctx context.Context, name, version string) ([]jsontext.Value, error) {
	var out registryapi.Bundles
	err := c.do(ctx, request{method: "GET", path: extension(name, version, "attestations")}, &out)
	return out.Bundles, err
}

func extension(name, version, what string) []string {
	return []string{"v0.1", "x", "io.github.bartizan-mcp", "servers", name, "versions", version, what}
}
