package listing

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Marshal writes the capture in Bartizan's own schema: fixed member order, raw
// values verbatim. Equal captures give equal bytes, and ParseCapture gives the
// capture back.
func (c *Capture) Marshal() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.raw(`{"bartizanCapture":1,"server":`).text(c.Server)
	w.raw(`,"source":`).text(c.Source)
	w.raw(`,"capturedAt":`).text(c.CapturedAt.UTC().Format(time.RFC3339Nano))
	w.raw(`,"listings":[`)
	for i := range c.Listings {
		if i > 0 {
			w.raw(",")
		}
		w.listing(&c.Listings[i])
	}
	w.raw("]}\n")
	if w.bad || !jsontext.Value(w.b).IsValid() {
		return nil, malformed("a value that is not JSON")
	}
	return w.b, nil
}

type writer struct {
	b   []byte
	bad bool
}

func (w *writer) raw(s string) *writer { w.b = append(w.b, s...); return w }

func (w *writer) text(s string) {
	b, err := jsontext.AppendQuote(w.b, s)
	w.b, w.bad = b, w.bad || err != nil
}

func (w *writer) listing(l *Listing) {
	w.raw(`{"era":`).text(string(l.Era))
	w.raw(`,"protocolVersion":`).text(l.ProtocolVersion)
	w.value("serverInfo", l.ServerInfo)
	w.value("capabilities", l.Capabilities)
	if l.Instructions != nil {
		w.raw(`,"instructions":`).text(*l.Instructions)
	}
	for i, list := range [][]jsontext.Value{l.Tools, l.Prompts, l.Templates, l.Resources} {
		if list == nil {
			continue
		}
		parts := make([]string, len(list))
		for j, v := range list {
			// Each value is checked alone: two fragments must not join into one.
			w.bad = w.bad || !v.IsValid()
			parts[j] = string(v)
		}
		w.raw(`,"` + listNames[i] + `":[` + strings.Join(parts, ",") + "]")
	}
	w.raw("}")
}

func (w *writer) value(name string, v jsontext.Value) {
	if v == nil {
		return
	}
	w.bad = w.bad || !v.IsValid()
	w.raw(`,"` + name + `":` + string(v))
}
