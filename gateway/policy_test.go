package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

func policies(t *testing.T, text string) *policy.Set {
	t.Helper()
	set, err := policy.Parse(policy.Document{Name: "t.cedar", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// under opens a gateway with policies.
func under(t *testing.T, text string) *house {
	t.Helper()
	set := policies(t, text)
	return open(t, func(c *Config) { c.AutoRoutes, c.Policies = true, set })
}

const (
	useAll   = `@id("use") permit (principal, action == Bartizan::Action::"use", resource);` + "\n"
	readOnly = `@id("readers") permit (principal in Bartizan::Role::"agent", action, resource is Bartizan::Entry) when { resource.readOnly };` + "\n"
)

func tries(t *testing.T, s *mcp.ClientSession, tool string) string {
	t.Helper()
	_, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": "hello"}})
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPoliciesDecide: in both eras a call goes through where a policy permits it,
// and is on record where none does.
func TestPoliciesDecide(t *testing.T) {
	for name, tc := range map[string]struct {
		version string
		opts    mcp.StreamableHTTPOptions
	}{"modern": {"", stateless}, "legacy": {"2025-11-25", stateful}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture()
			h := under(t, useAll+readOnly+`@id("no-test-client") forbid (principal, action == Bartizan::Action::"call", resource)
				when { resource.name == "echo" && context has client && context.client.name == "test" };`)
			url := h.serve("fix", f.start(t, tc.opts))
			s := connect(t, url, h.token, tc.version, nil)
			before := f.called()
			if err := tries(t, s, "write"); !strings.Contains(err, "no policy of this organisation permits this") {
				t.Errorf("a tool that changes something: %s", err)
			}
			if err := tries(t, s, "echo"); !strings.Contains(err, "no policy") {
				t.Errorf("by a client that is forbidden: %s", err)
			}
			if f.called() != before {
				t.Error("the server was called")
			}
			if _, err := s.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "greet", Arguments: map[string]string{"who": "Ann"}}); err != nil {
				t.Errorf("a prompt: %v", err)
			}
			if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "test://rows/7"}); err != nil {
				t.Errorf("a resource of a template: %v", err)
			}
			refused := h.events(audit.Query{Reason: string(ReasonPolicy)})
			if len(refused) != 2 || !strings.Contains(string(refused[0].Raw)+string(refused[1].Raw), "policy:no-test-client") {
				t.Errorf("%d refusals on record", len(refused))
			}
		})
	}
}

// TestAnnotationsAreTheApproved: a server that calls a tool read-only is not
// believed where the approval does not say so.
func TestAnnotationsAreTheApproved(t *testing.T) {
	f := newFixture()
	h := under(t, useAll+readOnly)
	url := h.serve("fix", f.start(t, stateless), func(a *approval.Approval) {
		a.Annotations = map[string]jsontext.Value{"wait": jsontext.Value(`{"readOnlyHint":"true"}`)}
	})
	s := connect(t, url, h.token, "", nil)
	for _, tool := range []string{"echo", "wait"} {
		if err := tries(t, s, tool); !strings.Contains(err, "no policy") {
			t.Errorf("%s: %s", tool, err)
		}
	}
}

// TestWithoutUseThereIsNoServer: who may use nothing of a server cannot open a
// session, listen or see its entries among those of all.
func TestWithoutUseThereIsNoServer(t *testing.T) {
	f, g := newFixture(), newFixture()
	h := under(t, `permit (principal, action, resource in Bartizan::Server::"io.example/fix");`)
	h.serve("fix", f.start(t, stateless))
	h.serve("other", g.start(t, stateless))
	if r := h.call("other", 1, "tools/list", ""); r.status != 403 || !strings.Contains(string(r.body), `"policy_denied"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	s := connect(t, h.all(), h.token, "", nil)
	for _, name := range toolNames(t, s) {
		if strings.HasPrefix(name, "other__") {
			t.Errorf("%s is listed", name)
		}
	}
	if err := tries(t, s, "fix__echo"); err != "" {
		t.Error(err)
	}
	if err := tries(t, s, "other__echo"); !strings.Contains(err, "no policy") {
		t.Errorf("%s", err)
	}
}

// TestPoliciesAfterTheScan: what scanners only note can be made a refusal.
func TestPoliciesAfterTheScan(t *testing.T) {
	f := newFixture()
	h := under(t, `permit (principal, action, resource);
		@id("no-marks") forbid (principal, action, resource) when { context has findings && context.findings.contains("marker.note") };`)
	url := h.serve("fix", f.start(t, stateless))
	s := connect(t, url, h.token, "", nil)
	if err := tries(t, s, "echo"); err != "" {
		t.Fatal(err)
	}
	before := f.called()
	_, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"text": "NOTE-ME please"}})
	if err == nil || !strings.Contains(err.Error(), "no policy") || f.called() != before {
		t.Errorf("with a finding that is only logged: %v", err)
	}
}

func TestPoliciesAreReloaded(t *testing.T) {
	f := newFixture()
	h := under(t, `permit (principal, action, resource);`)
	url := h.serve("fix", f.start(t, stateless))
	s := connect(t, url, h.token, "", nil)
	if err := tries(t, s, "echo"); err != "" {
		t.Fatal(err)
	}
	apply, err := h.Prepare(nil, true, confine.Limits{}, policies(t, useAll))
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if err := tries(t, s, "echo"); !strings.Contains(err, "no policy") {
		t.Errorf("after the reload: %s", err)
	}
}

// TestHoursAreThoseOfTheTimeZone: the office opens at nine in Vienna.
func TestHoursAreThoseOfTheTimeZone(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Skip(err)
	}
	f := newFixture()
	set := policies(t, useAll+`permit (principal, action, resource) when { context.hour == 9 && context.weekday == 1 };`)
	now := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	h := open(t, func(c *Config) {
		c.AutoRoutes, c.Policies, c.TimeZone = true, set, vienna
		c.Now = func() time.Time { return now }
	})
	h.keys.change("alice", func(rec *identity.KeyRecord) { rec.Expires = now.AddDate(1, 0, 0) })
	url := h.serve("fix", f.start(t, stateless))
	s := connect(t, url, h.token, "", nil)
	if err := tries(t, s, "echo"); err != "" {
		t.Error(err)
	}
}
