package gateway

import (
	"bytes"
	"crypto/sha256"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

func listAnswer(member string, entries []jsontext.Value) []byte {
	b := []byte(`{"` + member + `":[`)
	for i, entry := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, entry...)
	}
	return append(b, "]}"...)
}

func entriesIn(l *listing.Listing, kind fingerprint.Kind) []jsontext.Value {
	switch kind {
	case fingerprint.KindTool:
		return l.Tools
	case fingerprint.KindPrompt:
		return l.Prompts
	case fingerprint.KindTemplate:
		return l.Templates
	default:
		return l.Resources
	}
}

// renamed gives the entries of a checked list their merged names, and drops
// those that have none: of two servers' resource neither is shown.
func (g *Gateway) renamed(y *exchange, in *inbound, kind fingerprint.Kind, claims *claims) (*checked, *refusal) {
	array, _, _, err := jsonrpc.Get(in.msg.Result, jsontext.Pointer("").AppendToken(in.listOf()))
	if err != nil {
		return nil, refuse(ReasonUpstreamProtocol).because(err)
	}
	elements, err := jsonrpc.Elements(array)
	if err != nil {
		return nil, refuse(ReasonUpstreamProtocol).because(err)
	}
	c := &checked{}
	h := sha256.New()
	for _, e := range elements {
		entry, ok := g.rename(y, e.Value, kind, claims)
		if !ok {
			c.counts.Hidden++
			continue
		}
		c.entries = append(c.entries, bytes.Clone(entry))
		h.Write(strconv.AppendInt(nil, int64(len(entry)), 10))
		h.Write(entry)
	}
	c.digest = [32]byte(h.Sum(nil))
	c.counts.Served = len(c.entries)
	if in.counts != nil {
		c.counts.Hidden += in.counts.Hidden
	}
	return c, nil
}

func (g *Gateway) rename(y *exchange, entry jsontext.Value, kind fingerprint.Kind, claims *claims) (jsontext.Value, bool) {
	switch kind {
	case fingerprint.KindResource:
		alias, err := claims.Resource(jsonrpc.Text(entry, "/uri"))
		return entry, err == nil && alias == y.alias
	case fingerprint.KindTemplate:
		alias, err := claims.Template(jsonrpc.Text(entry, "/uriTemplate"))
		return entry, err == nil && alias == y.alias
	}
	value, start, end, err := jsonrpc.Get(entry, "/name")
	if err != nil {
		return nil, false
	}
	name, err := unquote(value)
	merged, ok := g.merged.namesOf(y, kind).Merged(name)
	if err != nil || !ok {
		return nil, false
	}
	renamed, err := jsonrpc.Splice(entry, jsonrpc.Edit{Start: start, End: end, New: []byte(`"` + merged + `"`)})
	return renamed, err == nil
}
