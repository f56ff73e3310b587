package serverjson

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/permission"
)

// publisherMeta is the one member of _meta that a publisher may fill
// (official registry requirements: at most 4 KiB).
const publisherMeta = "io.modelcontextprotocol.registry/publisher-provided"

const maxPublisherMeta = 4 << 10

// OurMeta is the member of it that is read here.
const OurMeta = "io.github.bartizan-mcp"

func (r *reader) meta(o object, d *Document) {
	v, present := o.members["_meta"]
	if !present {
		return
	}
	meta, ok := r.open("/_meta", v, publisherMeta)
	if !ok {
		return
	}
	provided, present := meta.members[publisherMeta]
	if !present {
		return
	}
	at := child("/_meta", publisherMeta)
	members, isObject := provided.(map[string]any)
	if !isObject {
		r.report(at, "must be an object")
	} else if b, err := json.Marshal(provided); err != nil || len(b) > maxPublisherMeta {
		r.report(at, "has more than %d bytes", maxPublisherMeta)
	} else if ours, present := members[OurMeta]; present {
		r.ours(child(at, OurMeta), ours, d)
	}
}

// ours reads what a publisher tells and asks Bartizan.
func (r *reader) ours(pointer string, v any, d *Document) {
	o, ok := r.open(pointer, v, "scannerBindings", "permissions")
	if !ok {
		return
	}
	read := func(member string, parse func([]byte) error, malformed error) {
		value, present := o.members[member]
		if !present {
			return
		}
		raw, err := json.Marshal(value, json.Deterministic(true))
		if err == nil {
			err = parse(raw)
		}
		if err != nil {
			r.report(child(pointer, member), "%s", strings.TrimPrefix(plain(err), malformed.Error()+": "))
		}
	}
	read("scannerBindings", func(raw []byte) (err error) {
		d.ScannerBindings, err = approval.ParseScannerBindings(raw)
		return err
	}, approval.ErrMalformed)
	read("permissions", func(raw []byte) (err error) {
		d.Permissions, err = permission.Parse(raw)
		return err
	}, permission.ErrMalformed)
}
