package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// check holds a route's two halves to the same thing and fills in the missing one.
func (r *Route) check() error {
	hasTarget := r.Target.URL != "" || len(r.Target.Command) > 0
	hasLaunch := r.Launch.URL != "" || len(r.Launch.Command) > 0
	if !hasTarget && !hasLaunch {
		return nil // the approval's
	}
	if !hasLaunch {
		r.Launch = approval.Launch{Command: r.Target.Command, Dir: r.Target.Dir, URL: r.Target.URL, Transport: r.Target.Transport, Pin: r.Target.Pin}
		for _, pair := range r.Target.Env {
			if name, _, _ := strings.Cut(pair, "="); !slices.Contains(upstream.Baseline, name) {
				r.Launch.EnvNames = append(r.Launch.EnvNames, name)
			}
		}
	}
	if !hasTarget {
		return nil // built from the launch when it is used
	}
	for _, pair := range r.Target.Env {
		name, _, _ := strings.Cut(pair, "=")
		if !slices.Contains(r.Launch.EnvNames, name) && !slices.Contains(upstream.Baseline, name) {
			return fmt.Errorf("environment variable %s is not part of the launch identity", name)
		}
	}
	if !slices.Equal(r.Target.Command, r.Launch.Command) || r.Target.Dir != r.Launch.Dir || r.Target.URL != r.Launch.URL || r.Target.Transport != r.Launch.Transport ||
		r.Target.Pin != r.Launch.Pin {
		return errors.New("target and launch identity name different things")
	}
	if (r.Target.URL == "") == (len(r.Target.Command) == 0) {
		return errors.New("either a URL or a command")
	}
	if r.Target.Transport != "" && (r.Target.URL == "" || r.Target.Transport != protocol.TransportSSE) {
		return errors.New("a transport that is none of a URL's")
	}
	return nil
}

// service is one approved server behind an alias.
type service struct {
	*terms
	alias    string
	approval *approval.Approval
	launch   approval.Launch
	target   upstream.Target
	local    bool
	instance string // names target and credential

	asApproved bool // the launch identity is the approval's
	minimum    approval.Binding
}

// terms is an approval in the form that every call needs.
type terms struct {
	approved   map[protocol.Era]inventory.Approved
	extensions map[string]bool
	readOnly   map[string]bool // tools
	hints      map[string]policy.Hints
	waivers    []engine.Waiver
	demands    []engine.Demand // of scanners
}

// eraFor is the era in which the gateway talks to the server for a client of
// the given era: the client's own where it was approved, else the one that was,
// through a bridge.
func (s *service) eraFor(client protocol.Era) (protocol.Era, bool) {
	for _, era := range []protocol.Era{client, protocol.Modern, protocol.Legacy} {
		if s.reviewedIn(era) {
			return era, true
		}
	}
	return "", false
}

// reviewedIn reports whether the server may be spoken to in an era. HTTP+SSE
// has the legacy one only.
func (s *service) reviewedIn(era protocol.Era) bool {
	_, ok := s.approval.Roots[string(era)]
	return ok && (era == protocol.Legacy || s.target.Transport != protocol.TransportSSE)
}

// ownsSessions reports whether each legacy session has a channel to the server
// for itself: a process, or a stream of HTTP+SSE.
func (s *service) ownsSessions() bool {
	return s.local || s.target.Transport == protocol.TransportSSE
}

// versions are the protocol versions of the eras that are approved.
func (s *service) versions() []string {
	var served []string
	if s.reviewedIn(protocol.Modern) {
		served = append(served, protocol.VersionModern)
	}
	if s.reviewedIn(protocol.Legacy) {
		served = append(served, protocol.LegacyVersions...)
	}
	return served
}

// routes finds the service behind an alias.
type routes struct {
	cfg    Config
	binder *binder
	table  *atomic.Pointer[routeTable]

	mu    sync.Mutex
	terms map[string]*terms // by approval digest
}

// resolve returns the service that alias means for a tenant.
func (r *routes) resolve(alias, tenant string) (*service, *refusal) {
	route, table := Route{Alias: alias}, r.table.Load()
	i := slices.IndexFunc(table.routes, func(route Route) bool { return route.Alias == alias })
	if i >= 0 {
		route = table.routes[i]
	} else if no := r.claimed(&route, table.auto); no != nil {
		return nil, no
	}
	a, err := r.cfg.Approvals.Find(route.Server)
	switch {
	case errors.Is(err, approval.ErrBinding):
		return nil, refuse(ReasonBindingTooWeak).because(err)
	case errors.Is(err, approval.ErrNotApproved):
		return nil, refuse(ReasonNotApproved).because(err)
	case err != nil:
		return nil, refuse(ReasonApprovalsStale).because(err)
	case a.Tenant != tenant || tenant != r.cfg.Tenant:
		return nil, refuse(ReasonServerUnknown)
	}
	if i < 0 || route.Launch.URL == "" && len(route.Launch.Command) == 0 {
		if no := surplus(route, a); no != nil {
			return nil, no
		}
		route.Launch = a.Launch
	}
	return r.serviceOf(table, alias, route, a), nil
}

// serviceOf makes the service of a route, or returns the one made before from the
// same table for the same approval: calls share it, and nobody changes it. That of
// a local server is made anew each time, since the environment may have changed.
func (r *routes) serviceOf(table *routeTable, alias string, route Route, a *approval.Approval) *service {
	local := len(route.Launch.Command) > 0
	if !local {
		table.mu.Lock()
		svc := table.remote[alias]
		table.mu.Unlock()
		if svc != nil && svc.approval == a {
			return svc
		}
	}
	svc := &service{terms: r.termsOf(a), alias: alias, approval: a, launch: route.Launch, local: local, asApproved: route.Launch.Equal(a.Launch), minimum: route.MinBinding}
	svc.target = r.target(route, a)
	svc.instance = instanceOf(alias, svc)
	if !local {
		table.mu.Lock()
		defer table.mu.Unlock()
		if len(table.remote) >= keptTerms || table.remote == nil {
			table.remote = map[string]*service{}
		}
		table.remote[alias] = svc
	}
	return svc
}

// claimed finds the approved server that claims an alias.
func (r *routes) claimed(route *Route, auto bool) *refusal {
	if !auto {
		return refuse(ReasonServerUnknown)
	}
	for _, a := range r.cfg.Approvals.All() {
		switch {
		case a.Alias != route.Alias || a.Server == route.Server || a.Tenant != r.cfg.Tenant:
		case route.Server != "":
			return refuse(ReasonAliasConflict)
		default:
			route.Server = a.Server
		}
	}
	if route.Server != "" {
		return nil
	}
	if err := r.fresh(); err != nil {
		return refuse(ReasonApprovalsStale).because(err)
	}
	return refuse(ReasonServerUnknown)
}

// aliases lists every alias that may mean a server, sorted.
func (r *routes) aliases() []string {
	var all []string
	table := r.table.Load()
	for _, route := range table.routes {
		all = append(all, route.Alias)
	}
	if table.auto {
		for _, a := range r.cfg.Approvals.All() {
			if aliasPattern.MatchString(a.Alias) && a.Tenant == r.cfg.Tenant {
				all = append(all, a.Alias)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fresh reports why approvals cannot be relied on, nil if they can.
func (r *routes) fresh() error {
	if _, err := r.cfg.Approvals.Find(""); err != nil && !errors.Is(err, approval.ErrNotApproved) {
		return err
	}
	return nil
}

// surplus refuses values for variables that the approval does not name, where
// the route leaves the launch to it.
func surplus(route Route, a *approval.Approval) *refusal {
	for _, pair := range route.Target.Env {
		if name, _, _ := strings.Cut(pair, "="); !slices.Contains(a.Launch.EnvNames, name) {
			return refuse(ReasonLaunchMismatch)
		}
	}
	return nil
}

// target says where a route's server is.
func (r *routes) target(route Route, a *approval.Approval) upstream.Target {
	t := route.Target
	if t.URL == "" && len(t.Command) == 0 {
		t.Command, t.Dir, t.URL, t.Transport, t.Pin = route.Launch.Command, route.Launch.Dir, route.Launch.URL, route.Launch.Transport, route.Launch.Pin
		if len(t.Command) > 0 {
			t.Env = r.environ(t.Env, route.Launch.EnvNames)
		}
	}
	switch {
	case len(t.Command) == 0:
	case a.Binding == approval.BindingArtifact:
		// Nothing but what is approved: PATH and HOME lead to code as well.
		if r.binder != nil {
			t.Bind = r.binder.of(a, t.Env)
		}
	default:
		t.Env = r.environ(t.Env, upstream.Baseline)
	}
	if t.Client == nil {
		t.Client = r.cfg.Client
	}
	return t
}

// environ adds the named variables of this process that env does not set.
func (r *routes) environ(env, names []string) []string {
	env = slices.Clone(env)
	for _, name := range names {
		set := slices.ContainsFunc(env, func(pair string) bool { return strings.HasPrefix(pair, name+"=") })
		if value, ok := r.cfg.Environ(name); ok && !set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// instanceOf names a target together with the credential used towards it.
func instanceOf(alias string, svc *service) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %s %q", alias, svc.launch.Digest(), svc.target.Env)
	_ = svc.target.Header.Write(h) // a hash never fails; header names are sorted
	return hex.EncodeToString(h.Sum(nil))
}

// keptTerms bounds the memory for approvals that are no longer in force.
const keptTerms = 1024

func (r *routes) termsOf(a *approval.Approval) *terms {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.terms[a.Digest]; ok {
		return t
	}
	t := &terms{approved: map[protocol.Era]inventory.Approved{}, extensions: map[string]bool{}, readOnly: map[string]bool{}}
	for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
		set := inventory.Approved{ID: a.Digest, Entries: map[inventory.Ref]fingerprint.Digest{}, Volatile: a.VolatileMeta}
		for _, e := range a.Entries {
			if kind, ok := kindNamed[e.Kind]; ok && e.Era == string(era) {
				set.Entries[inventory.Ref{Kind: kind, Key: e.Key}] = e.Behavioural
			}
		}
		t.approved[era] = set
	}
	for _, method := range a.ExtensionMethods {
		t.extensions[method] = true
	}
	for tool, annotations := range a.Annotations {
		hint, _, _, err := jsonrpc.Get(annotations, "/readOnlyHint")
		t.readOnly[tool] = err == nil && string(hint) == "true"
	}
	t.hints = hintsIn(a)
	for _, w := range a.Waivers {
		t.waivers = append(t.waivers, engine.Waiver{Rule: w.Rule, Pointer: w.Pointer, Leaf: w.Leaf, Expires: w.Expires})
	}
	for _, b := range a.ScannerBindings {
		d := engine.Demand{Scanner: b.Scanner, Entries: b.Entries, Mode: engine.Mode(b.Mode), OnFailure: engine.OnFailure(b.OnFailure), Config: b.Config}
		if b.Digest != "" {
			d.Digest = "sha256:" + b.Digest
		}
		t.demands = append(t.demands, d)
	}
	if len(r.terms) >= keptTerms || r.terms == nil {
		r.terms = map[string]*terms{}
	}
	r.terms[a.Digest] = t
	return t
}

// kindNamed maps the names in approvals to kinds.
var kindNamed = func() map[string]fingerprint.Kind {
	names := map[string]fingerprint.Kind{}
	for kind := fingerprint.KindInstructions; kind <= fingerprint.KindResource; kind++ {
		names[kind.String()] = kind
	}
	return names
}()
