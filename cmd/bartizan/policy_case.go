package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/strictyaml"
)

// policyTest is a file of cases.
type policyTest struct {
	Policies string       `json:"policies"` // relative to the file
	TimeZone string       `json:"timeZone"`
	Cases    []policyCase `json:"cases"`
}

// policyCase is one request and what is to become of it.
type policyCase struct {
	Name       string            `json:"name"`
	Principal  string            `json:"principal"`
	Tenant     string            `json:"tenant"`
	Kind       string            `json:"kind"` // user, agent, service
	Roles      []string          `json:"roles"`
	Groups     []string          `json:"groups"`
	Attributes map[string]string `json:"attributes"`

	Server  string `json:"server"`
	Version string `json:"version"`
	Tier    string `json:"tier"`
	Binding string `json:"binding"`

	Tool     string `json:"tool"`
	Prompt   string `json:"prompt"`
	Resource string `json:"resource"`
	Template string `json:"template"`
	Complete bool   `json:"complete"`

	ReadOnly    *bool `json:"readOnly"` // annotations; unset: the protocol's defaults
	Destructive *bool `json:"destructive"`
	Idempotent  *bool `json:"idempotent"`
	OpenWorld   *bool `json:"openWorld"`

	At       string   `json:"at"` // 2006-01-02T15:04 in the time zone; empty: now
	Source   string   `json:"source"`
	Client   string   `json:"client"`
	Era      string   `json:"era"`
	Findings []string `json:"findings"`

	Expect string   `json:"expect"` // allow, deny
	By     []string `json:"by"`     // the policies it rests on; unset: whichever
}

const (
	allowed = "allow"
	denied  = "deny"
)

func (c *policyCase) flags(f *pflag.FlagSet) {
	f.StringVar(&c.Principal, "principal", "", "who asks")
	f.StringVar(&c.Tenant, "tenant", "", "of which tenant")
	f.StringVar(&c.Kind, "kind", "", "user, agent or service (default user)")
	f.StringSliceVar(&c.Roles, "role", nil, "role of the key (default agent)")
	f.StringSliceVar(&c.Groups, "group", nil, "group of the principal")
	f.StringToStringVar(&c.Attributes, "attribute", nil, "other attribute, NAME=VALUE")
	f.StringVar(&c.Server, "server", "", "registry name of the server")
	f.StringVar(&c.Tier, "tier", "", "risk tier of its approval")
	f.StringVar(&c.Binding, "binding", "", "binding of its approval")
	f.StringVar(&c.Tool, "tool", "", "tool that is called")
	f.StringVar(&c.Prompt, "prompt", "", "prompt that is got")
	f.StringVar(&c.Resource, "resource", "", "URI of the resource that is read")
	f.StringVar(&c.Template, "template", "", "URI template of the resource that is read")
	c.ReadOnly = f.Bool("read-only", false, "the tool was approved as read-only")
	f.StringVar(&c.At, "at", "", "time, as in 2026-03-02T09:30 (default now)")
	f.StringVar(&c.Source, "source", "", "address of the client")
	f.StringVar(&c.Client, "client", "", "what the client calls itself")
	f.StringSliceVar(&c.Findings, "finding", nil, "rule that a scanner found in the request")
}

// run asks the policies.
func (c *policyCase) run(set *policy.Set, zone string) (policyOutcome, error) {
	r, err := c.request(zone)
	if err != nil {
		return policyOutcome{}, err
	}
	d := set.Decide(r)
	out := policyOutcome{Case: cmp.Or(c.Name, c.Principal+" "+r.Method), Decision: denied, By: append(d.Reasons, d.Broken...)}
	if d.Allow {
		out.Decision = allowed
	}
	if out.By == nil {
		out.By = []string{}
	}
	switch {
	case c.Expect != "" && c.Expect != out.Decision:
		out.Problem = "expected " + c.Expect
	case c.By != nil && !slices.Equal(slices.Sorted(slices.Values(c.By)), out.By):
		out.Problem = "expected by " + strings.Join(c.By, " ")
	}
	return out, nil
}

func (c *policyCase) request(zone string) (*policy.Request, error) {
	at, err := time.LoadLocation(cmp.Or(zone, "UTC"))
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	r := &policy.Request{
		Principal: policy.Principal{Tenant: cmp.Or(c.Tenant, identity.DefaultTenant), Name: c.Principal, Kind: cmp.Or(c.Kind, identity.KindUser), Roles: c.Roles, Attributes: map[string]string{}},
		Server:    policy.Server{Name: c.Server, Version: cmp.Or(c.Version, "1.0.0"), Tier: cmp.Or(c.Tier, "standard"), Binding: cmp.Or(c.Binding, "endpoint")},
		Action:    policy.ActionUse, Method: "initialize", Era: cmp.Or(c.Era, "modern"), Now: time.Now().In(at), Findings: c.Findings,
	}
	if c.Roles == nil {
		r.Principal.Roles = []string{identity.RoleAgent}
	}
	for name, value := range c.Attributes {
		r.Principal.Attributes[name] = value
	}
	if len(c.Groups) > 0 {
		r.Principal.Attributes["groups"] = strings.Join(c.Groups, ",")
	}
	if c.At != "" {
		if r.Now, err = time.ParseInLocation("2006-01-02T15:04", c.At, at); err != nil {
			return nil, fmt.Errorf("at: %q is no time as in 2026-03-02T09:30", c.At)
		}
	}
	if c.Source != "" {
		if r.Source, err = netip.ParseAddr(c.Source); err != nil {
			return nil, fmt.Errorf("source: %q is no address", c.Source)
		}
	}
	if c.Client != "" {
		r.Client = &policy.Client{Name: c.Client}
	}
	return r, c.entry(r)
}

// entry says what the request is about.
func (c *policyCase) entry(r *policy.Request) error {
	named := 0
	for _, e := range []struct {
		kind, name, method string
		action             policy.Action
	}{
		{"tool", c.Tool, "tools/call", policy.ActionCall},
		{"prompt", c.Prompt, "prompts/get", policy.ActionGet},
		{"resource", c.Resource, "resources/read", policy.ActionRead},
		{"template", c.Template, "resources/read", policy.ActionRead},
	} {
		if e.name == "" {
			continue
		}
		if named++; named > 1 {
			return fmt.Errorf("one of tool, prompt, resource and template")
		}
		r.Action, r.Method = e.action, e.method
		if c.Complete {
			r.Action, r.Method = policy.ActionComplete, "completion/complete"
		}
		r.Entry = &policy.Entry{Kind: e.kind, Name: e.name, Hints: policy.HintsOf(e.kind, c.ReadOnly, c.Destructive, c.Idempotent, c.OpenWorld)}
	}
	return nil
}

func runPolicyTest(file string) ([]policyOutcome, error) {
	var t policyTest
	if err := strictyaml.ReadFile(file, &t); err != nil {
		return nil, err
	}
	if t.Policies == "" || len(t.Cases) == 0 {
		return nil, fmt.Errorf("%s: policies and cases are needed", file)
	}
	set, err := loadPolicies(filepath.Join(filepath.Dir(file), filepath.FromSlash(t.Policies)))
	if err != nil {
		return nil, err
	}
	outcomes := make([]policyOutcome, 0, len(t.Cases))
	for i := range t.Cases {
		c := &t.Cases[i]
		if c.Name == "" || c.Principal == "" || c.Server == "" || c.Expect != allowed && c.Expect != denied {
			return nil, fmt.Errorf("%s: case %d: name, principal, server and expect (allow or deny) are needed", file, i+1)
		}
		o, err := c.run(set, t.TimeZone)
		if err != nil {
			return nil, fmt.Errorf("%s: case %s: %w", file, c.Name, err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}
