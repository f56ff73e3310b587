package scanner

import "errors"

// ErrInput means that an encoded input is not JSON of the input schema.
var ErrInput = errors.New("scanner: malformed input")

// DecodeInput reads an input as the host encodes it (sdk/abi/input.schema.json).
// Members that this version does not know are skipped.
func DecodeInput(b []byte) (*Input, error) {
	d := decoder{src: string(b)}
	in := new(Input)
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
		return nil, ErrInput
	}
	return in, nil
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
