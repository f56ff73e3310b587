package scanner

import (
	"errors"
	"unsafe"
)

// ErrInput means that an encoded input breaks the rules of its encoding.
var ErrInput = errors.New("scanner: malformed input")

// DecodeInput reads an input in either encoding. Its strings share the memory
// of b, which must not change while they are used.
func DecodeInput(b []byte) (*Input, error) {
	in := new(Input)
	if err := in.decode(b); err != nil {
		return nil, err
	}
	return in, nil
}

// decode reads b into in, whose slices it uses again.
func (in *Input) decode(b []byte) error {
	if isFlat(b) {
		return in.decodeFlat(b)
	}
	*in = Input{Segments: in.Segments[:0]}
	return in.decodeJSON(b)
}

// decodeJSON reads an input in the json encoding (sdk/abi/input.schema.json).
// Members that this version does not know are skipped.
func (in *Input) decodeJSON(b []byte) error {
	d := decoder{src: unsafe.String(unsafe.SliceData(b), len(b))}
	d.object(func(name string) {
		switch name {
		case "phase":
			in.Phase = d.str()
		case "server":
			in.Server = d.str()
		case "entry":
			in.Entry = d.str()
		case "caller":
			in.Caller = d.str()
		case "segments":
			d.array(func() { in.Segments = append(in.Segments, d.segment()) })
		case "hits":
			d.array(func() { in.Hits = append(in.Hits, d.hit()) })
		case "flow":
			d.array(func() { in.Flow = append(in.Flow, d.flowHit()) })
		case "context":
			d.array(func() { in.Context = append(in.Context, d.contextEntry()) })
		case "limits":
			in.Limits = d.limits()
		default:
			d.skip(0)
		}
	})
	d.space()
	if d.bad || d.pos != len(d.src) {
		return ErrInput
	}
	return nil
}

func (d *decoder) segment() (s Segment) {
	d.object(func(name string) {
		switch name {
		case "kind":
			s.Kind = d.str()
		case "item":
			s.Item = d.integer()
		case "pointer":
			s.Pointer = d.str()
		case "text":
			s.Text = d.str()
		case "provenance":
			s.Provenance = d.str()
		default:
			d.skip(0)
		}
	})
	return s
}

func (d *decoder) hit() (h Hit) {
	d.object(func(name string) {
		switch name {
		case "pattern":
			h.Pattern = d.integer()
		case "segment":
			h.Segment = d.integer()
		case "start":
			h.Start = d.integer()
		case "end":
			h.End = d.integer()
		default:
			d.skip(0)
		}
	})
	return h
}

func (d *decoder) flowHit() (f FlowHit) {
	d.object(func(name string) {
		switch name {
		case "mark":
			f.Mark = d.str()
		case "segment":
			f.Segment = d.integer()
		case "start":
			f.Start = d.integer()
		case "end":
			f.End = d.integer()
		case "origin":
			f.Origin = d.origin()
		case "age":
			f.Age = d.integer()
		default:
			d.skip(0)
		}
	})
	return f
}

func (d *decoder) origin() (o Origin) {
	d.object(func(name string) {
		switch name {
		case "server":
			o.Server = d.str()
		case "entry":
			o.Entry = d.str()
		default:
			d.skip(0)
		}
	})
	return o
}

func (d *decoder) contextEntry() (c ContextEntry) {
	d.object(func(name string) {
		switch name {
		case "server":
			c.Server = d.str()
		case "kind":
			c.Kind = d.str()
		case "name":
			c.Name = d.str()
		case "title":
			c.Title = d.str()
		case "description":
			c.Description = d.str()
		case "parameters":
			d.array(func() { c.Parameters = append(c.Parameters, d.str()) })
		default:
			d.skip(0)
		}
	})
	return c
}

func (d *decoder) limits() (l Limits) {
	d.object(func(name string) {
		switch name {
		case "findings":
			l.Findings = d.integer()
		case "outputBytes":
			l.OutputBytes = d.integer()
		default:
			d.skip(0)
		}
	})
	return l
}
