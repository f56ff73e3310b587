package yarn

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// classicBlock is one entry of a classic lockfile.
type classicBlock struct {
	patterns                           []string
	name, version, resolved, integrity string
	dependencies, optional             map[string]string
}

// classicBlocks reads the format of Yarn 1: lines, indented by two spaces for
// each level, of a key and a value, each bare or a JSON string; the first line
// of an entry lists its patterns. Conflict markers and all that yarn does not
// write are refused.
func classicBlocks(b []byte) ([]*classicBlock, error) {
	switch {
	case len(b) > npm.MaxLockBytes:
		return nil, fmt.Errorf("%w: yarn.lock of more than %d bytes", npm.ErrTooLarge, npm.MaxLockBytes)
	case !utf8.Valid(b):
		return nil, fmt.Errorf("%w: not UTF-8", npm.ErrMalformed)
	}
	r := &lineReader{}
	number := 0
	for line := range bytes.Lines(b) {
		number++
		text := strings.TrimRight(string(line), "\r\n")
		trimmed := strings.TrimLeft(text, " ")
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		if err := r.line(len(text)-len(trimmed), trimmed); err != nil {
			return nil, fmt.Errorf("%w in line %d", err, number)
		}
	}
	for _, block := range r.blocks {
		if block.version == "" {
			return nil, fmt.Errorf("%w: %.100q has no version", npm.ErrMalformed, block.patterns[0])
		}
	}
	return r.blocks, nil
}

// lineReader holds the entry, and the list of it, that lines belong to.
type lineReader struct {
	blocks []*classicBlock
	keys   map[string]bool   // of the current entry
	list   map[string]string // open at the second level; nil: none
	skip   bool              // open, and of no interest here
}

func (r *lineReader) line(indent int, s string) error {
	switch {
	case indent == 0:
		return r.entry(s)
	case len(r.blocks) == 0:
		return fmt.Errorf("%w: indented without an entry", npm.ErrMalformed)
	case indent == 2:
		return r.property(s)
	case indent == 4 && r.skip:
		return nil
	case indent == 4 && r.list != nil:
		key, value, err := pair(s)
		if err != nil {
			return err
		}
		if _, twice := r.list[key]; twice {
			return fmt.Errorf("%w: %.100q twice", npm.ErrMalformed, key)
		}
		r.list[key] = value
		return nil
	}
	return fmt.Errorf("%w: indented by %d", npm.ErrMalformed, indent)
}

func (r *lineReader) entry(s string) error {
	if len(r.blocks) >= npm.MaxPackages {
		return fmt.Errorf("%w: more than %d packages", npm.ErrTooLarge, npm.MaxPackages)
	}
	block := &classicBlock{dependencies: map[string]string{}, optional: map[string]string{}}
	for {
		pattern, rest, err := word(s)
		if err != nil {
			return err
		}
		block.patterns = append(block.patterns, pattern)
		if rest == ":" {
			break
		}
		var ok bool
		if s, ok = strings.CutPrefix(rest, ", "); !ok {
			return fmt.Errorf("%w: not a list of patterns", npm.ErrMalformed)
		}
	}
	r.blocks, r.keys, r.list, r.skip = append(r.blocks, block), map[string]bool{}, nil, false
	return nil
}

func (r *lineReader) property(s string) error {
	block := r.blocks[len(r.blocks)-1]
	r.list, r.skip = nil, false
	key, rest, err := word(s)
	if err != nil {
		return err
	}
	if r.keys[key] {
		return fmt.Errorf("%w: %.100q twice", npm.ErrMalformed, key)
	}
	r.keys[key] = true
	if rest == ":" {
		switch key {
		case "dependencies":
			r.list = block.dependencies
		case "optionalDependencies":
			r.list = block.optional
		default:
			r.skip = true
		}
		return nil
	}
	_, value, err := pair(s)
	if err != nil {
		return err
	}
	switch key {
	case "name":
		block.name = value
	case "version":
		block.version = value
	case "resolved":
		block.resolved = value
	case "integrity":
		block.integrity = value
	case "dependencies", "optionalDependencies":
		return fmt.Errorf("%w: %s is no list", npm.ErrMalformed, key)
	}
	return nil
}

func pair(s string) (key, value string, err error) {
	key, rest, err := word(s)
	if err != nil {
		return "", "", err
	}
	rest, ok := strings.CutPrefix(rest, " ")
	if !ok {
		return "", "", fmt.Errorf("%w: a key without a value", npm.ErrMalformed)
	}
	value, rest, err = word(rest)
	if err == nil && rest != "" {
		err = fmt.Errorf("%w: more than a key and a value", npm.ErrMalformed)
	}
	return key, value, err
}

// word takes a bare word or a JSON string off the front of a line.
func word(s string) (value, rest string, err error) {
	if len(s) > 16*maxKey {
		return "", "", fmt.Errorf("%w: a line of more than %d bytes", npm.ErrTooLarge, 16*maxKey)
	}
	if strings.HasPrefix(s, `"`) {
		end := 1
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(s) {
			return "", "", fmt.Errorf("%w: a quotation mark that is not closed", npm.ErrMalformed)
		}
		text, err := jsontext.AppendUnquote(nil, s[:end+1])
		if err != nil || len(text) == 0 {
			return "", "", fmt.Errorf("%w: not a JSON string", npm.ErrMalformed)
		}
		return string(text), s[end+1:], nil
	}
	end := strings.IndexAny(s, " ,:\t\"")
	if end < 0 {
		end = len(s)
	}
	if end == 0 || strings.ContainsAny(s[:1], "<>=|&*!%{}[]'`?@") {
		return "", "", fmt.Errorf("%w: neither a word nor a string", npm.ErrMalformed)
	}
	return s[:end], s[end:], nil
}
