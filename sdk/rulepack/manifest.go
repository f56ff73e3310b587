package rulepack

import (
	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
)

// Manifest is what the pack's module says about itself.
func (p *Pack) Manifest() engine.Manifest {
	m := engine.Manifest{
		ABI: engine.ABI, Name: p.Name, Version: p.Version, Phases: p.Phases,
		Encoding: engine.EncodingFlat, Form: engine.FormReactor, Call: engine.CallTriggered,
		Patterns: p.patterns, Trigger: p.trigger(),
	}
	if p.ABI != 0 {
		m.ABI = p.ABI
	}
	for _, r := range p.Rules {
		m.Rules = append(m.Rules, engine.Rule{
			ID: r.ID, Family: r.Family, Severity: r.Severity, Taxonomy: r.Taxonomy, Description: r.Description,
		})
	}
	return m
}

// ManifestJSON returns the manifest as a module holds it.
func (p *Pack) ManifestJSON() ([]byte, error) {
	body, err := json.Marshal(p.Manifest(), json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	_, err = engine.ParseManifest(body)
	return body, err
}

// maxConditions is where a trigger grows too long to be one. Then any pattern
// will do, which is as right and less quick.
const maxConditions = 1000

// trigger asks for all parts of the rules that have several. Rules of one part
// want any of their patterns; a pack of nothing else needs no trigger.
func (p *Pack) trigger() *engine.Trigger {
	parts := make([][]engine.Trigger, len(p.Rules)) // patterns of each part of a rule
	flat := true
	var wanted engine.Trigger
	conditions := 1
	for r := range p.Rules {
		n := max(1, len(p.Rules[r].All))
		flat = flat && n == 1
		for part := range n {
			parts[r] = append(parts[r], engine.Trigger{Any: p.patternsOf(r, part)})
			conditions += 1 + len(parts[r][part].Any)
		}
		if n == 1 {
			wanted.Any = append(wanted.Any, parts[r][0].Any...)
			continue
		}
		wanted.Any = append(wanted.Any, engine.Trigger{All: parts[r]})
		conditions++
	}
	if flat || conditions > maxConditions {
		return nil
	}
	return &wanted
}

func (p *Pack) patternsOf(rule, part int) (of []engine.Trigger) {
	for i, uses := range p.uses {
		for _, u := range uses {
			if u.rule == rule && u.part == part {
				of = append(of, engine.Trigger{Pattern: p.patterns[i].ID})
				break
			}
		}
	}
	return of
}
