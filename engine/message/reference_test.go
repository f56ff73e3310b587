package message

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/normalise"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// The reference builds a message text by text, each with copies of its own, and
// measures every distance in full. The package must give what it gives.

type referenceWalker struct {
	m            *Message
	item         int
	pointer      []byte
	pointerBytes int
	seen         map[Segment]bool
}

// walk reads the value, which stands at pointer and is read as p says.
func (w *referenceWalker) walk(raw jsontext.Value, pointer string, p *place) error {
	w.pointer = append(w.pointer[:0], pointer...)
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if err := w.value(dec, p, 0); err != nil {
		if errors.Is(err, ErrTooComplex) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func (w *referenceWalker) value(dec *jsontext.Decoder, p *place, depth int) error {
	switch {
	case p == nil:
		return dec.SkipValue()
	case depth > maxDepth:
		return ErrTooComplex
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '{':
		return w.object(dec, p, depth)
	case '[':
		return w.array(dec, p, depth)
	case '"':
		return w.text(p, token.String())
	case '0':
		if number := token.String(); digits(number) >= longNumber {
			return w.add(Segment{Kind: p.kind, Text: number, Fixed: true})
		}
	}
	return nil
}

func (w *referenceWalker) object(dec *jsontext.Decoder, p *place, depth int) error {
	at := len(w.pointer)
	binaries, mimeType := len(w.m.Binaries), ""
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		w.pointer = appendToken(w.pointer[:at], name)
		child, defined := p.member(name)
		if !defined {
			if err := w.name(p, name); err != nil {
				return err
			}
		}
		texts := len(w.m.Segments)
		if err := w.value(dec, child, depth+1); err != nil {
			return err
		}
		if name == "mimeType" && len(w.m.Segments) == texts+1 {
			mimeType = w.m.Segments[texts].Text
		}
	}
	w.pointer = w.pointer[:at]
	for i := binaries; i < len(w.m.Binaries); i++ {
		if b := &w.m.Binaries[i]; b.MIMEType == "" && !strings.Contains(b.Pointer[at+1:], "/") {
			b.MIMEType = mimeType
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (w *referenceWalker) array(dec *jsontext.Decoder, p *place, depth int) error {
	at := len(w.pointer)
	for i := 0; dec.PeekKind() != ']'; i++ {
		w.pointer = fmt.Appendf(w.pointer[:at], "/%d", i)
		if err := w.value(dec, p, depth+1); err != nil {
			return err
		}
	}
	w.pointer = w.pointer[:at]
	_, err := dec.ReadToken()
	return err
}

// name adds a member name that the protocol does not define.
func (w *referenceWalker) name(p *place, name string) error {
	s := Segment{Kind: p.names, Text: name, Fixed: true}
	if w.seen[s] {
		return nil
	}
	if w.seen != nil {
		w.seen[s] = true
	}
	return w.add(s)
}

// text adds a string, unless it is a word that the protocol fixes or the
// base64 of something that is no text.
func (w *referenceWalker) text(p *place, s string) error {
	switch {
	case p.vocabulary[s]:
		return nil
	case p.method:
		if _, known := protocol.Lookup(s); known {
			return nil
		}
	case p.base64:
		if decoded, ok := referenceMedia(s); ok {
			// A declared media type is not asked: the server writes it.
			if _, readable := normalise.Text(decoded); !readable {
				w.m.Binaries = append(w.m.Binaries, Binary{Pointer: string(w.pointer), Bytes: len(decoded)})
				return nil
			}
		}
	}
	if p.kind == KindMIME && !mediaType.MatchString(s) {
		return w.add(Segment{Kind: KindOther, Text: s}) // a text that hides where scanners expect none
	}
	return w.add(Segment{Kind: p.kind, Text: s})
}

func (w *referenceWalker) add(s Segment) error {
	if s.Text == "" {
		return nil
	}
	w.pointerBytes += len(w.pointer)
	if len(w.m.Segments) >= maxSegments || len(w.pointer) > maxPointer || w.pointerBytes > maxPointerBytes {
		return ErrTooComplex
	}
	s.Item, s.Pointer, s.Source = w.item, string(w.pointer), len(w.m.Segments)
	w.m.Segments = append(w.m.Segments, s)
	return nil
}

func referenceFromListing(server string, l *listing.Listing) (*Message, error) {
	w := referenceWalker{m: &Message{Phase: PhaseListing, Server: server}}
	if l.ServerInfo != nil {
		if err := w.entry(ItemServer, l.ServerInfo, "/serverInfo", serverInfo); err != nil {
			return nil, err
		}
	}
	if l.Instructions != nil {
		quoted, _ := jsontext.AppendQuote(nil, *l.Instructions) // an invalid byte is replaced
		if err := w.entry(fingerprint.KindInstructions.String(), quoted, "/instructions", texts(KindInstructions)); err != nil {
			return nil, err
		}
	}
	if l.Capabilities != nil {
		if err := w.entry(fingerprint.KindCapabilities.String(), l.Capabilities, "/capabilities", capabilities); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		kind    fingerprint.Kind
		pointer string
		entries []jsontext.Value
	}{
		{fingerprint.KindTool, "/tools/", l.Tools},
		{fingerprint.KindPrompt, "/prompts/", l.Prompts},
		{fingerprint.KindTemplate, "/resourceTemplates/", l.Templates},
		{fingerprint.KindResource, "/resources/", l.Resources},
	} {
		for i, raw := range list.entries {
			if err := w.entry(list.kind.String(), raw, list.pointer+strconv.Itoa(i), entryPlace(list.kind)); err != nil {
				return nil, err
			}
		}
	}
	return w.m, nil
}

// entry adds one item with its texts.
func (w *referenceWalker) entry(kind string, raw jsontext.Value, pointer string, p *place) error {
	w.item = len(w.m.Items)
	w.m.Items = append(w.m.Items, Item{Kind: kind, Key: referenceEntryKey(kind, raw)})
	return w.walk(raw, pointer, p)
}

// entryKey is the key of an entry in its listing, "" if it has none.
func referenceEntryKey(kind string, raw jsontext.Value) string {
	var member jsontext.Pointer
	switch kind {
	case fingerprint.KindTool.String(), fingerprint.KindPrompt.String():
		member = "/name"
	case fingerprint.KindTemplate.String():
		member = "/uriTemplate"
	case fingerprint.KindResource.String():
		member = "/uri"
	default:
		return ""
	}
	return jsonrpc.Text(raw, member)
}

func referenceFromRequest(server string, m *jsonrpc.Message) (*Message, error) {
	w := referenceWalker{m: &Message{Phase: PhaseRequest, Server: server}}
	if method, ok := protocol.Lookup(m.Method); ok && method.Entry != "" && m.Params != nil {
		w.m.Entry = jsonrpc.Text(m.Params, jsontext.Pointer("/"+method.Entry))
	}
	if m.Kind == jsonrpc.Response {
		return w.message(m, reply)
	}
	return w.message(m, envelope)
}

// message reads a whole JSON-RPC message. A name that repeats, as in the rows
// of a table, is one text.
func (w *referenceWalker) message(m *jsonrpc.Message, p *place) (*Message, error) {
	w.seen = map[Segment]bool{}
	if err := w.walk(m.Raw, "", p); err != nil {
		return nil, err
	}
	return w.m, nil
}

func referenceFromResult(server, method, entry string, m *jsonrpc.Message) (*Message, error) {
	w := referenceWalker{m: &Message{Phase: PhaseResult, Server: server, Entry: entry}}
	if m.Kind == jsonrpc.Response {
		switch method {
		case protocol.MethodPromptsGet:
			w.m.Phase = PhasePrompt
		case protocol.MethodResourcesRead:
			w.m.Phase = PhaseResource
		}
	}
	return w.message(m, envelope)
}

// referenceMedia decodes standard or URL base64, padded or not, over any lines.
// ok is false for a string that is something else, and so a text: words strung
// together without spaces are in the alphabet too.
func referenceMedia(s string) (b []byte, ok bool) {
	if len(s) < minMedia || wordy(s) {
		return nil, false
	}
	s = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "", "-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

// referenceNearest selects the at most MaxContext candidates whose names are closest to
// those in the message, and cuts their texts to size: an entry that imitates
// another is close to it. The order of candidates decides between equals.
func referenceNearest(m *Message, candidates []ContextEntry) []ContextEntry {
	near := slices.Clone(candidates)
	if len(near) > MaxContext {
		names := referenceSkeletons(m)
		distance := make(map[string]int, len(near))
		for _, c := range near {
			if _, ok := distance[c.Name]; !ok {
				distance[c.Name] = referenceNearestName(c.Name, names)
			}
		}
		slices.SortStableFunc(near, func(a, b ContextEntry) int {
			return cmp.Compare(distance[a.Name], distance[b.Name])
		})
		near = near[:MaxContext]
	}
	for i := range near {
		near[i].Title = cut(near[i].Title)
		near[i].Description = cut(near[i].Description)
		near[i].Parameters = near[i].Parameters[:min(len(near[i].Parameters), maxContextParameters)]
	}
	return near
}

// skeletons are those of the entries that a message shows or calls.
func referenceSkeletons(m *Message) []string {
	var names []string
	for _, it := range m.Items {
		if it.Key != "" {
			names = append(names, referenceSkeleton(it.Key))
		}
	}
	if m.Entry != "" {
		names = append(names, referenceSkeleton(m.Entry))
	}
	return names
}

func referenceNearestName(name string, names []string) int {
	own := referenceSkeleton(name)
	best := maxContextNameCompare + 1
	for _, n := range names {
		best = min(best, referenceDistance(own, n))
	}
	return best
}

// referenceDistance is the Levenshtein distance in bytes.
func referenceDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func referenceSkeleton(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(plain(s)))
	return s[:min(len(s), maxContextNameCompare)]
}
