package sarif

import (
	"slices"
	"strings"
)

// The taxonomies whose ids findings carry, with the names of their taxa. An id
// that is missing here is a taxon without a name.
var taxonomies = []struct {
	component Component
	prefix    string
	helpURI   string // with the id behind it; "" for none
	names     map[string]string
}{
	{
		Component{
			Name: "OWASP MCP Top 10", Version: "2025", Organization: "OWASP Foundation",
			InformationURI:   "https://owasp.org/www-project-mcp-top-10/",
			ShortDescription: &Text{Text: "The ten most critical risks of the Model Context Protocol"},
		}, "OWASP-MCP", "", map[string]string{
			"OWASP-MCP01": "Token Mismanagement and Secret Exposure",
			"OWASP-MCP02": "Privilege Escalation via Scope Creep",
			"OWASP-MCP03": "Tool Poisoning",
			"OWASP-MCP04": "Software Supply Chain Attacks and Dependency Tampering",
			"OWASP-MCP05": "Command Injection and Execution",
			"OWASP-MCP06": "Prompt Injection via Contextual Payloads",
			"OWASP-MCP07": "Insufficient Authentication and Authorization",
			"OWASP-MCP08": "Lack of Audit and Telemetry",
			"OWASP-MCP09": "Shadow MCP Servers",
			"OWASP-MCP10": "Context Injection and Over-Sharing",
		},
	},
	{
		Component{
			Name: "MITRE ATLAS", Organization: "MITRE", InformationURI: "https://atlas.mitre.org/",
			ShortDescription: &Text{Text: "Adversarial Threat Landscape for Artificial-Intelligence Systems"},
		}, "AML.", "https://atlas.mitre.org/techniques/", map[string]string{
			"AML.T0051":     "LLM Prompt Injection",
			"AML.T0051.000": "LLM Prompt Injection: Direct",
			"AML.T0051.001": "LLM Prompt Injection: Indirect",
			"AML.T0053":     "AI Agent Tool Invocation",
			"AML.T0054":     "LLM Jailbreak",
			"AML.T0056":     "Extract LLM System Prompt",
			"AML.T0057":     "LLM Data Leakage",
			"AML.T0068":     "LLM Prompt Obfuscation",
		},
	},
}

// Taxa are the taxa that a run refers to.
type Taxa struct {
	Components []Component // in use, for Run.Taxonomies
	refs       map[string]DescriptorRef
}

// TaxaOf collects ids in a fixed order. Ids of no known taxonomy are left out.
func TaxaOf(ids []string) *Taxa {
	t := &Taxa{refs: map[string]DescriptorRef{}}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, known := range taxonomies {
		c := known.component
		at := ComponentRef{c.Name, len(t.Components)}
		for _, id := range ids {
			if !strings.HasPrefix(id, known.prefix) {
				continue
			}
			d := Descriptor{ID: id}
			if name := known.names[id]; name != "" {
				d.ShortDescription = &Text{Text: name}
			}
			if known.helpURI != "" {
				d.HelpURI = known.helpURI + id
			}
			t.refs[id] = DescriptorRef{ID: id, Index: len(c.Taxa), ToolComponent: &at}
			c.Taxa = append(c.Taxa, d)
		}
		if len(c.Taxa) > 0 {
			t.Components = append(t.Components, c)
		}
	}
	return t
}

// Refs are references to those of ids that were collected.
func (t *Taxa) Refs(ids []string) []DescriptorRef {
	var refs []DescriptorRef
	for _, id := range ids {
		if ref, ok := t.refs[id]; ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// Supported names the components in use.
func (t *Taxa) Supported() []ComponentRef {
	var refs []ComponentRef
	for i, c := range t.Components {
		refs = append(refs, ComponentRef{c.Name, i})
	}
	return refs
}
