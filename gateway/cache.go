package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
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

// waivedElsewhere reports whether a finding on a page is one that was waived at
// review, where the entry stood at another index of the listing: same rule,
// same place in the entry, same value.
func waivedElsewhere(f engine.Finding, member, tail string, raw jsontext.Value, waivers []engine.Waiver) bool {
	value, _, _, err := jsonrpc.Get(raw, jsontext.Pointer(tail))
	if err != nil {
		return false
	}
	canonical, err := fingerprint.Canonical(value)
	if err != nil {
		return false
	}
	for _, w := range waivers {
		_, waivedTail, ok := elementOf(w.Pointer, member)
		if ok && w.Rule == f.Rule && waivedTail == tail && time.Now().Before(w.Expires) &&
			strings.TrimPrefix(w.Leaf, "sha256:") == leafDigest(w.Pointer, canonical) {
			return true
		}
	}
	return false
}

// leafDigest is the leaf of fingerprint v1: SHA-256(0x00 ‖ len ‖ JSON Pointer ‖
// len ‖ canonical value), lengths unsigned 64-bit big-endian.
func leafDigest(pointer string, canonical []byte) string {
	var b bytes.Buffer
	b.WriteByte(0x00)
	for _, part := range [][]byte{[]byte(pointer), canonical} {
		b.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		b.Write(part)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}
