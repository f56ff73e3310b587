package clients

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// readTOML refuses what is no TOML.
func readTOML(src []byte) (map[string]any, error) {
	if len(src) > maxFile {
		return nil, fmt.Errorf("%w: too large", ErrUnreadable)
	}
	all := map[string]any{}
	if err := toml.Unmarshal(src, &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return all, nil
}

// block finds the lines of a table and its sub-tables. They must follow each
// other, as every tool writes them; found is false where there are none.
func block(src []byte, path [2]string) (start, stop int, found bool, err error) {
	var p unstable.Parser
	p.Reset(src)
	inside, ended := false, false
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			keys, at, end := header(&p, e)
			inside = len(keys) >= 2 && keys[0] == path[0] && keys[1] == path[1]
			switch {
			case inside && ended:
				return 0, 0, false, fmt.Errorf("%w: the tables of %s.%s are apart", ErrUnfit, path[0], path[1])
			case inside && !found:
				start, found = lineStart(src, at), true
			case !inside:
				ended = found
			}
			if inside {
				stop = lineEnd(src, end)
			}
		case unstable.KeyValue:
			if inside {
				stop = lineEnd(src, int(e.Raw.Offset+e.Raw.Length))
			}
		}
	}
	if err := p.Error(); err != nil {
		return 0, 0, false, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return start, stop, found, nil
}

// header is the key of a table and where its first and last part stand.
func header(p *unstable.Parser, e *unstable.Node) (keys []string, at, end int) {
	for parts := e.Key(); parts.Next(); {
		part := parts.Node()
		if len(keys) == 0 {
			at = int(part.Raw.Offset)
		}
		end = int(part.Raw.Offset + part.Raw.Length)
		keys = append(keys, string(part.Data))
	}
	return keys, at, end
}

func lineStart(src []byte, at int) int { return bytes.LastIndexByte(src[:at], '\n') + 1 }

// lineEnd is the offset after the line's end, a comment on it included.
func lineEnd(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(src)
}

// tomlGet returns the text of the entry's tables. An entry written in another
// way (inline, or by dotted keys) is ErrUnfit.
func tomlGet(src []byte, path [2]string) ([]byte, error) {
	all, err := readTOML(src)
	if err != nil {
		return nil, err
	}
	start, stop, found, err := block(src, path)
	if err != nil {
		return nil, err
	}
	servers, exists := all[path[0]].(map[string]any)
	if _, named := servers[path[1]]; exists && named && !found {
		return nil, fmt.Errorf("%w: %s.%s is not written as a table of its own", ErrUnfit, path[0], path[1])
	}
	if !found {
		return nil, nil
	}
	return src[start:stop], nil
}

func tomlPut(src []byte, path [2]string, e entry) ([]byte, error) {
	return tomlWrite(src, path, e.asTOML(path[0], path[1]))
}

func tomlRestore(src []byte, path [2]string, raw []byte) ([]byte, error) {
	return tomlWrite(src, path, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")))
}

// tomlWrite replaces the tables of an entry, adds them at the end, or removes
// them when text is empty. What it made is read again and compared.
func tomlWrite(src []byte, path [2]string, text []byte) ([]byte, error) {
	if _, err := tomlGet(src, path); err != nil {
		return nil, err
	}
	start, stop, found, err := block(src, path)
	if err != nil {
		return nil, err
	}
	newline := newlineOf(src)
	text = bytes.ReplaceAll(text, []byte("\n"), []byte(newline))
	if !found {
		if len(text) == 0 {
			return src, nil
		}
		start, stop = len(src), len(src)
		switch {
		case len(src) == 0 || bytes.HasSuffix(src, []byte("\n"+newline)):
		case bytes.HasSuffix(src, []byte("\n")):
			text = append([]byte(newline), text...)
		default:
			text = append([]byte(newline+newline), text...)
		}
	}
	out, err := splice(src, jsonrpc.Edit{Start: start, End: stop, New: text})
	if err != nil {
		return nil, err
	}
	if err := sameBut(src, out, path); err != nil {
		return nil, err
	}
	return out, nil
}

// sameBut holds that two files say the same of everything but the entry.
func sameBut(before, after []byte, path [2]string) error {
	was, err := readTOML(before)
	if err != nil {
		return err
	}
	is, err := readTOML(after)
	if err != nil {
		return fmt.Errorf("%w: an entry cannot be added to this file", ErrUnfit)
	}
	for _, all := range []map[string]any{was, is} {
		if servers, ok := all[path[0]].(map[string]any); ok {
			if delete(servers, path[1]); len(servers) == 0 {
				delete(all, path[0])
			}
		}
	}
	if !maps.EqualFunc(was, is, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		return fmt.Errorf("%w: more than the entry would change", ErrUnfit)
	}
	return nil
}

func tomlHolds(raw []byte, e entry) bool {
	const servers, name = "s", "n"
	have, err := readTOML(raw)
	if err != nil {
		return false
	}
	want, err := readTOML(e.asTOML(servers, name))
	if err != nil {
		return false
	}
	return reflect.DeepEqual(innermost(have), innermost(want))
}

// innermost is the table two levels down, whatever the names on the way.
func innermost(all map[string]any) any {
	var at any = all
	for range 2 {
		table, _ := at.(map[string]any)
		for _, v := range table {
			at = v
		}
	}
	return at
}
