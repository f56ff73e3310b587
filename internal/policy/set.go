package policy

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// Document is a file of policies.
type Document struct {
	Name string // for messages, and in the ids of policies without one
	Text []byte
}

// Set is policies, ready to be asked. It does not change and may be shared.
type Set struct {
	count    int
	general  []policy                     // of no one server, entry, principal or role
	about    map[types.EntityUID][]policy // of one, by it
	findings bool
}

type policy struct {
	id types.PolicyID
	*cedar.Policy
}

// Parse reads and validates policies. Each has an id, its @id annotation or
// else "file:line", that stands once. Errors are Problems.
func Parse(documents ...Document) (*Set, error) {
	var problems Problems
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	v, err := validator()
	if err != nil {
		return nil, err
	}
	s := &Set{about: map[types.EntityUID][]policy{}}
	seen := map[types.PolicyID]bool{}
	for _, d := range documents {
		if len(d.Text) > MaxDocument {
			bad("%s: more than %d bytes", d.Name, MaxDocument)
			continue
		}
		list, err := cedar.NewPolicyListFromBytes(d.Name, d.Text)
		if err != nil {
			bad("%s: %s", d.Name, oneLine(err))
			continue
		}
		for _, p := range list {
			at := fmt.Sprintf("%s:%d", d.Name, p.Position().Line)
			id := types.PolicyID(at)
			if named, ok := p.Annotations()["id"]; ok {
				if id = types.PolicyID(named); !plainID(string(id)) {
					bad("%s: @id is letters, digits and . _ - /, at most 64", at)
				}
			}
			if seen[id] {
				bad("%s: a second policy %q", at, id)
			}
			seen[id] = true
			tree := (*ast.Policy)(p.AST())
			if err := v.Policy(string(id), tree); err != nil {
				bad("%s: %s", at, oneLine(err))
			}
			s.add(policy{id, p}, tree)
		}
	}
	if s.count > MaxPolicies {
		bad("%d policies, at most %d", s.count, MaxPolicies)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

var validator = sync.OnceValues(func() (*validate.Validator, error) {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	if err := s.UnmarshalCedar(Schema); err != nil {
		return nil, fmt.Errorf("policy: schema: %w", err)
	}
	resolved, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("policy: schema: %w", err)
	}
	return validate.New(resolved), nil
})

// add files a policy under the one thing that its scope names, so that a request
// asks those alone that may be about it.
func (s *Set) add(p policy, tree *ast.Policy) {
	s.count++
	s.findings = s.findings || mentions(tree, "findings")
	for _, scope := range []any{tree.Resource, tree.Principal} {
		switch scope := scope.(type) {
		case ast.ScopeTypeEq:
			s.about[scope.Entity] = append(s.about[scope.Entity], p)
			return
		case ast.ScopeTypeIn:
			s.about[scope.Entity] = append(s.about[scope.Entity], p)
			return
		case ast.ScopeTypeIsIn:
			s.about[scope.Entity] = append(s.about[scope.Entity], p)
			return
		}
	}
	s.general = append(s.general, p)
}

// mentions reports an attribute in the conditions of a policy.
func mentions(p *ast.Policy, attribute types.String) (found bool) {
	for _, c := range p.Conditions {
		ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
			switch n := n.(type) {
			case ast.NodeTypeAccess:
				found = found || n.Value == attribute
			case ast.NodeTypeHas:
				found = found || n.Value == attribute
			}
			return !found
		})
	}
	return found
}

// Len is how many policies there are.
func (s *Set) Len() int { return s.count }

// Findings reports whether any policy depends on what scanners find: then it is
// asked again once they have.
func (s *Set) Findings() bool { return s.findings }

// candidates are the policies that may be about any of these.
type candidates struct {
	set *Set
	of  []types.EntityUID
}

// All implements cedar.PolicyIterator.
func (c candidates) All() iter.Seq2[types.PolicyID, *cedar.Policy] {
	return func(yield func(types.PolicyID, *cedar.Policy) bool) {
		for _, p := range c.set.general {
			if !yield(p.id, p.Policy) {
				return
			}
		}
		for i, uid := range c.of {
			if slices.Contains(c.of[:i], uid) {
				continue
			}
			for _, p := range c.set.about[uid] {
				if !yield(p.id, p.Policy) {
					return
				}
			}
		}
	}
}

func plainID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == ""
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
