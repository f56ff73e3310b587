package gateway

import (
	"strconv"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// How long and for whom clients may keep a list (2026-07-28, SEP-2549).

// cacheable reports whether the answer carries caching members.
func (in *inbound) cacheable() bool {
	_, _, _, err := jsonrpc.Get(in.msg.Raw, "/result/ttlMs")
	_, _, _, err2 := jsonrpc.Get(in.msg.Raw, "/result/cacheScope")
	return err == nil || err2 == nil
}

// makePrivate keeps a filtered list out of shared caches.
func makePrivate(in *inbound) *refusal {
	value, start, end, err := jsonrpc.Get(in.msg.Raw, "/result/cacheScope")
	switch {
	case err == nil && string(value) == `"private"`:
		return nil
	case err == nil:
		return in.splice(jsonrpc.Edit{Start: start, End: end, New: []byte(`"private"`)})
	}
	_, start, _, err = jsonrpc.Get(in.msg.Raw, "/result")
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	// The result has at least its list, so a comma is due.
	return in.splice(jsonrpc.Edit{Start: start + 1, End: start + 1, New: []byte(`"cacheScope":"private",`)})
}

// capTTL keeps clients from holding a list longer than the gateway does.
func capTTL(in *inbound) *refusal {
	value, start, end, err := jsonrpc.Get(in.msg.Raw, "/result/ttlMs")
	if err != nil || value.Kind() != '0' {
		return nil
	}
	longest := inventory.MaxAge / time.Millisecond
	if ttl, err := strconv.ParseFloat(string(value), 64); err == nil && ttl <= float64(longest) {
		return nil
	}
	return in.splice(jsonrpc.Edit{Start: start, End: end, New: strconv.AppendInt(nil, int64(longest), 10)})
}
