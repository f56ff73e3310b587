package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

var refused = map[token.Type]string{
	token.AnchorType:    "anchors are not allowed",
	token.AliasType:     "aliases are not allowed",
	token.MergeKeyType:  "merge keys are not allowed",
	token.TagType:       "tags are not allowed",
	token.DirectiveType: "directives are not allowed",
}

// plain refuses surprising YAML, and nesting that would exhaust the parser's
// stack, before anything is built. Flow collections nest by brackets, block
// collections by indicators on one line ("- - - a") or by indentation, which
// the size of the document bounds well enough.
func plain(tokens token.Tokens) error {
	line, indicators, flow := 0, 0, 0
	for _, t := range tokens {
		if problem, ok := refused[t.Type]; ok {
			return &Error{Line: t.Position.Line, Problem: problem}
		}
		if t.Position.Line != line {
			line, indicators = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if flow == 0 {
				indicators++
			}
		}
		if max(flow, indicators) > maxDepth {
			return &Error{Line: t.Position.Line, Problem: tooDeep}
		}
	}
	return nil
}

var tooDeep = fmt.Sprintf("nested more than %d deep", maxDepth)
