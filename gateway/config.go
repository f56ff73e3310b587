package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/gateway/strikes"
	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Approvals answers which servers may be talked to. *approval.Keeper is one.
type Approvals interface {
	Find(server string) (*approval.Approval, error)
	All() []*approval.Approval
}

// Route serves one approved server under an alias. Target says where it is and
// what is sent along (credentials, environment values); Launch is its launch
// identity. Either may be left out: they must name the same thing. Without a
// command or a URL in either, the approval's own launch is meant.
type Route struct {
	Alias  string // [a-z0-9-]{1,20}
	Server string // reverse-DNS name
	Target upstream.Target
	Launch approval.Launch
	// MinBinding is a stronger minimum for this server.
	MinBinding approval.Binding
}

// Config of a Gateway. Approvals, Keys, Scanners and Audit are required; the
// rest has defaults.
type Config struct {
	Tenant    string // default identity.DefaultTenant
	Approvals Approvals
	Keys      identity.KeySource
	Scanners  *engine.Live
	Audit     *audit.Log
	Routes    []Route
	// AutoRoutes serves every approved server under its approval's alias with
	// the approval's own launch. A Route of the same alias wins.
	AutoRoutes bool
	// Environ yields environment values for AutoRoutes; default os.LookupEnv.
	Environ func(name string) (string, bool)
	// Client is used for upstreams over HTTP where a route has none.
	Client *http.Client
	// MinBinding is the weakest binding admitted; "" admits any.
	MinBinding approval.Binding
	// Trees are for servers that are bound to their artifact.
	Trees Trees
	// UnsafeRun starts local servers without a sandbox. Every start is audited.
	UnsafeRun bool
	// BlockStatus is the HTTP status of a block: 403 (default) or 200.
	BlockStatus int
	// AllowedOrigins are Origin header values admitted beside the own host.
	AllowedOrigins []string
	// ResourceMetadata is the URL that the 401 challenge names (RFC 9728 §5.1); "" names none.
	ResourceMetadata string
	// SealKey is shared by replicas so that ids sealed by one open at another;
	// at least 32 random bytes. Without one a random key lives as long as the process.
	SealKey []byte
	// OnDrift is told of every observed entry that is not the approved one, once.
	OnDrift func(ctx context.Context, d Drift)

	// KeysReady reports why keys cannot be checked, nil if they can; default
	// never fails.
	KeysReady func(context.Context) error

	// Metrics answers GET /metrics; nil serves none. Whoever is not on this
	// machine needs a key of role auditor or admin.
	Metrics http.Handler

	// Tracer tells of messages in spans; nil tells nobody.
	Tracer *trace.Tracer

	// Flow bounds what is remembered of messages that went to callers.
	Flow flow.Config
	// Strikes is about servers that keep saying what is blocked.
	Strikes Strikes
	// Policies are the operator's; nil permits what was approved.
	Policies *policy.Set
	// TimeZone is that of the hours and weekdays in them; default UTC.
	TimeZone *time.Location

	BodyBytes             int64         // of a client's message
	HeaderBytes           int           // of a request's header
	RequestsPerAddress    int           // under way at once
	ConnectionsPerAddress int           // held open at once, by Serve
	Connections           int           // all addresses together, by Serve
	BodyTimeout           time.Duration // to send one body
	WriteTimeout          time.Duration // for one event or answer to be taken
	AnswerTimeout         time.Duration // for an upstream's whole answer to one message
	SilenceTimeout        time.Duration // between two messages of an answer
	AnswerBytes           int64         // all messages of one answer together
	AnswerMessages        int           // messages of one answer
	ListingMaxAge         time.Duration // at most inventory.MaxAge
	MergePatience         time.Duration // for one server's part of a merged list
	Recheck               time.Duration // how often the key of an open stream is looked up
	Idle                  time.Duration // sessions and local servers unused this long are closed
	Sessions              int           // legacy sessions, all callers together
	SessionsPerCaller     int
	TasksPerCaller        int // remembered of one principal
	Processes             int // local servers, all callers together
	ProcessesPerCaller    int
	Upstream              upstream.Limits

	Logger *slog.Logger
	Now    func() time.Time
}

// withDefaults is the one place of the defaults.
func (c Config) withDefaults() Config {
	orInt := func(v *int, d int) { *v = either(*v > 0, *v, d) }
	orTime := func(v *time.Duration, d time.Duration) { *v = either(*v > 0, *v, d) }
	c.Tenant = either(c.Tenant != "", c.Tenant, identity.DefaultTenant)
	orInt(&c.BlockStatus, http.StatusForbidden)
	c.BodyBytes = either(c.BodyBytes > 0, c.BodyBytes, 4<<20)
	c.AnswerBytes = either(c.AnswerBytes > 0, c.AnswerBytes, 64<<20)
	orInt(&c.HeaderBytes, 64<<10)
	orInt(&c.RequestsPerAddress, 256)
	orInt(&c.ConnectionsPerAddress, 512)
	orInt(&c.Connections, 8192)
	orInt(&c.AnswerMessages, 10_000)
	orInt(&c.Sessions, 4096)
	orInt(&c.SessionsPerCaller, 64)
	orInt(&c.TasksPerCaller, 512)
	orInt(&c.Processes, 64)
	orInt(&c.ProcessesPerCaller, 16)
	orTime(&c.BodyTimeout, 30*time.Second)
	orTime(&c.WriteTimeout, 30*time.Second)
	orTime(&c.AnswerTimeout, 15*time.Minute)
	orTime(&c.SilenceTimeout, 5*time.Minute)
	orTime(&c.MergePatience, 5*time.Second)
	orTime(&c.Recheck, 2*time.Second)
	orTime(&c.Idle, 30*time.Minute)
	orInt(&c.Strikes.Limit, 20)
	orTime(&c.Strikes.Window, 10*time.Minute)
	if c.KeysReady == nil {
		c.KeysReady = func(context.Context) error { return nil }
	}
	if c.Environ == nil {
		c.Environ = os.LookupEnv
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TimeZone == nil {
		c.TimeZone = time.UTC
	}
	return c
}

func either[T any](cond bool, a, b T) T {
	if cond {
		return a
	}
	return b
}

var aliasPattern = regexp.MustCompile(`\A[a-z0-9-]{1,20}\z`)

// validate reports every problem at once.
func (c Config) validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Approvals == nil || c.Keys == nil || c.Scanners == nil || c.Audit == nil {
		bad("Approvals, Keys, Scanners and Audit are required")
	}
	if c.BlockStatus != http.StatusForbidden && c.BlockStatus != http.StatusOK {
		bad("BlockStatus %d is neither 403 nor 200", c.BlockStatus)
	}
	if !c.MinBinding.Minimum() {
		bad("MinBinding %q is unknown", c.MinBinding)
	}
	if c.Strikes.Limit < 2 || c.Strikes.Limit > strikes.MaxLimit {
		bad("Strikes.Limit %d is not within 2 and %d", c.Strikes.Limit, strikes.MaxLimit)
	}
	if len(c.SealKey) > 0 && len(c.SealKey) < 32 {
		bad("SealKey is shorter than 32 bytes")
	}
	seen := map[string]bool{}
	for i := range c.Routes {
		r := &c.Routes[i]
		if !aliasPattern.MatchString(r.Alias) || r.Server == "" {
			bad("route %d: an alias of %s and a server name are needed", i, aliasPattern)
		}
		if seen[r.Alias] {
			bad("route %d: alias %q stands twice", i, r.Alias)
		}
		seen[r.Alias] = true
		if !r.MinBinding.Minimum() {
			bad("route %d: MinBinding %q is unknown", i, r.MinBinding)
		}
		if err := r.check(); err != nil {
			bad("route %d: %w", i, err)
		}
	}
	if len(problems) > 0 {
		return errors.Join(ErrConfig, errors.Join(problems...))
	}
	return nil
}
