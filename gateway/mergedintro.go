package gateway

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// How the merged endpoint presents itself: the union of what its servers
// declare, and their approved instructions under their aliases.

const ownInfo = `{"name":"bartizan","version":"1"}`

// maxHello bounds the initialize params that a merged session keeps for the
// upstream sessions that it will open.
const maxHello = 64 << 10

// openMerged answers initialize. Upstream sessions are opened when they are needed.
func (g *Gateway) openMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	if x.msg.Params == nil {
		return refuse(ReasonInvalidParams)
	}
	if len(x.msg.Params) > maxHello {
		return refuse(ReasonBodyTooLarge)
	}
	version := x.version
	if protocol.EraOf(version) != protocol.Legacy {
		version = protocol.LatestLegacy
	}
	intro := g.introduction(ctx, x, protocol.MethodInitialize)
	opened := &session{merged: newMergedSession(x.msg.Params), version: version}
	opened.end = func() { opened.merged.close(g.sessions) }
	if no := g.sessions.add(x, opened); no != nil {
		return no
	}
	x.session, out.session, out.naming = opened, opened, true
	result := `{"protocolVersion":"` + version + `","capabilities":` + string(intro.Capabilities()) + `,"serverInfo":` + ownInfo + instructionsMember(intro) + `}`
	no := g.answerOwn(ctx, x, out, jsontext.Value(result))
	if no != nil {
		out.naming = false
		g.sessions.remove(opened)
	}
	return no
}

// discoverMerged answers server/discover.
func (g *Gateway) discoverMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	intro := g.introduction(ctx, x, protocol.MethodDiscover)
	result := `{` + complete(x) + `"supportedVersions":["` + protocol.VersionModern + `"],"capabilities":` + string(intro.Capabilities()) +
		instructionsMember(intro) + `,"_meta":{"` + protocol.MetaServerInfo + `":` + ownInfo + `}}`
	return g.answerOwn(ctx, x, out, jsontext.Value(result))
}

func instructionsMember(intro *merge.Introduction) string {
	text := intro.Instructions()
	if text == "" {
		return ""
	}
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return "" // no text of a server that passed the steps is without a JSON form
	}
	return `,"instructions":` + string(quoted)
}

// introduction gathers how the servers present themselves, each as far as it
// equals its approval and no scanner objects.
func (g *Gateway) introduction(ctx context.Context, x *exchange, method string) *merge.Introduction {
	var intro merge.Introduction
	usable := g.usable(x)
	for _, y := range usable {
		for ref := range y.svc.approved[y.spoken].Entries {
			if capability, ok := capabilityOf[ref.Kind]; ok {
				intro.Offer(capability)
			}
		}
	}
	said := make([]*inbound, len(usable))
	g.gather(ctx, usable, func(ctx context.Context, i int) *refusal {
		in, _, no := g.own(ctx, usable[i], method, introAnswer)
		if no == nil {
			said[i] = in
		}
		return no
	})
	for i, in := range said {
		if in == nil {
			continue
		}
		capabilities, _, _, err := jsonrpc.Get(in.msg.Result, "/capabilities")
		if err != nil {
			capabilities = nil
		}
		intro.Add(usable[i].alias, capabilities, jsonrpc.Text(in.msg.Result, "/instructions"))
	}
	return &intro
}

// introAnswer is the part of an introduction that an approval covers.
func introAnswer(l *listing.Listing) []byte {
	b := []byte(`{"capabilities":`)
	if l.Capabilities != nil {
		b = append(b, l.Capabilities...)
	} else {
		b = append(b, `{}`...)
	}
	if l.Instructions != nil {
		if quoted, err := jsontext.AppendQuote(nil, *l.Instructions); err == nil {
			b = append(append(b, `,"instructions":`...), quoted...)
		}
	}
	return append(b, '}')
}
