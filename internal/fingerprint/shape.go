package fingerprint

import (
	"fmt"
	"strings"
)

// shape is what the protocol defines of an object: its member names, and the
// shapes of members that are objects or arrays of objects.
type shape map[string]shape

// names makes a shape of members whose own members the protocol leaves open.
func names(list string) shape {
	s := shape{}
	for _, name := range strings.Fields(list) {
		s[name] = nil
	}
	return s
}

// and adds a member of known shape.
func (s shape) and(name string, inner shape) shape {
	s[name] = inner
	return s
}

// shapes follow schema.ts of MCP 2025-11-25 and 2026-07-28, both eras joined.
var shapes = map[Kind]shape{
	KindTool: names("name title description _meta").and("icons", iconShape).
		and("inputSchema", schemaShape).and("outputSchema", schemaShape).
		and("annotations", names("title readOnlyHint destructiveHint idempotentHint openWorldHint")).
		and("execution", names("taskSupport")),
	KindPrompt: names("name title description _meta").and("icons", iconShape).
		and("arguments", names("name title description required")),
	KindTemplate: names("uriTemplate name title description mimeType _meta").
		and("icons", iconShape).and("annotations", contentAnnotationShape),
	KindResource: names("uri name title description mimeType size _meta").
		and("icons", iconShape).and("annotations", contentAnnotationShape),
	KindCapabilities: names("experimental logging completions extensions").
		and("prompts", names("listChanged")).
		and("resources", names("subscribe listChanged")).
		and("tools", names("listChanged")).
		and("tasks", names("list cancel").and("requests", names("").and("tools", names("call")))),
}

var (
	iconShape              = names("src mimeType sizes theme")
	schemaShape            = names("$schema type properties required")
	contentAnnotationShape = names("audience priority lastModified")
)

// checkNames refuses member names that equal a defined one under Unicode simple
// case folding without being it. Arrays are looked into element by element.
func checkNames(n *node, defined shape) error {
	if len(defined) == 0 {
		return nil
	}
	for _, e := range n.elements {
		if err := checkNames(e, defined); err != nil {
			return err
		}
	}
	for _, m := range n.members {
		for name := range defined {
			if m.name != name && strings.EqualFold(m.name, name) {
				return fmt.Errorf("%w: %q", ErrCaseVariant, name)
			}
		}
		if err := checkNames(m.value, defined[m.name]); err != nil {
			return err
		}
	}
	return nil
}
