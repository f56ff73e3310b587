package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/benchtime"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// boundCheck is in nanoseconds.
const boundCheck = 50e3

// checkRows hold a call's tool against its approval as the gateway does with
// every call once it knows the listing: the listing in force, its comparison
// with the approval, the tool in that. Beside it stands what holding the one
// tool against it costs when nothing is remembered, and a look-up in a plain map.
func checkRows(ctx context.Context, _ string, _ options) ([]benchtable.Row, error) {
	raw, err := listed()
	if err != nil {
		return nil, err
	}
	approved, plain, tool, err := approvedFrom(raw)
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(answering(raw))
	defer closing.Server(server)
	store := inventory.New(inventory.Config{})
	defer store.Close()
	key := inventory.Key{Tenant: "default", Server: "io.github.acme/harbour", Instance: "1", Era: protocol.Modern}
	target := upstream.Target{URL: server.URL}
	ref := inventory.Ref{Kind: fingerprint.KindTool, Key: toolName(9)}
	errChanged := errors.New("the tool is not the approved one")
	same := func(o inventory.Observed) error {
		if o.State != inventory.Same {
			return fmt.Errorf("%w: %v", errChanged, o.State)
		}
		return nil
	}
	s, err := benchtime.Interleave(15, 20*time.Millisecond,
		benchtime.Arm{Name: "cached", Run: func() error {
			snapshot, err := store.Current(ctx, key, target)
			if err != nil {
				return err
			}
			o, _ := snapshot.Compare(approved).Lookup(ref)
			return same(o)
		}},
		benchtime.Arm{Name: "uncached", Run: func() error { return same(inventory.Judge(fingerprint.KindTool, tool, approved)) }},
		benchtime.Arm{Name: "map", Run: func() error {
			if plain[ref.Key] != approved.Entries[ref] {
				return errChanged
			}
			return nil
		}},
	)
	if err != nil {
		return nil, err
	}
	ours := s.Median(0)
	return []benchtable.Row{
		{What: "check of a call against a known listing", Figure: benchtable.Duration(ours), Target: "≤ 50 µs", Met: benchtable.AtMost(ours, boundCheck),
			Note: "listing in force, comparison with the approval, the tool in it; 14 tools"},
		{What: "  fingerprint of that tool instead", Figure: benchtable.Duration(s.Median(1)), Note: fmt.Sprintf("nothing remembered; %.0f× as long, round by round", s.Ratio(1, 0))},
		{What: "  two look-ups in plain maps instead", Figure: benchtable.Duration(s.Median(2)), Note: fmt.Sprintf("ours %.0f×", s.Ratio(0, 2))},
	}, nil
}

// approvedFrom approves every tool of a listing, and returns the one that is
// asked for beside it.
func approvedFrom(raw []byte) (approved inventory.Approved, plain map[string]fingerprint.Digest, tool jsontext.Value, err error) {
	capture, err := listing.ParseCapture(raw)
	if err != nil {
		return approved, nil, nil, err
	}
	set, err := fingerprint.OfListing(&capture.Listings[0], nil)
	if err != nil {
		return approved, nil, nil, err
	}
	approved = inventory.Approved{ID: "1", Entries: map[inventory.Ref]fingerprint.Digest{}}
	plain = map[string]fingerprint.Digest{}
	for _, e := range set.Entries {
		approved.Entries[inventory.Ref{Kind: e.Kind, Key: e.Key}] = e.Behavioural
		plain[e.Key] = e.Behavioural
	}
	return approved, plain, capture.Listings[0].Tools[9], nil
}

// answering is a server of the modern era with this list of tools.
func answering(list []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
		if err != nil || r.Header.Get(protocol.HeaderProtocolVersion) != protocol.VersionModern {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch m.Method {
		case protocol.MethodDiscover:
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":[%q],"capabilities":{"tools":{}}}}`, m.ID, protocol.VersionModern)
		case protocol.MethodToolsList:
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete",%s}`, m.ID, list[1:])
		default:
			w.WriteHeader(http.StatusNotFound)
			w.Write(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))
		}
	})
}
