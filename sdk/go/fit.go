package scanner

// fit encodes an answer of as many findings as the limits of the input allow,
// the first ones. An answer that says less than was found is partial, and names
// the first range that it is silent about: in enforce mode the message does not
// pass.
func (o *Output) fit(dst []byte, flat bool, l Limits) []byte {
	if l.Findings > 0 && len(o.Findings) > l.Findings {
		o = o.first(l.Findings)
	}
	for {
		out := o.encode(dst, flat)
		size := len(out) - len(dst)
		if l.OutputBytes <= 0 || size <= l.OutputBytes || len(o.Findings) == 0 {
			return out
		}
		o = o.first(min(len(o.Findings)-1, len(o.Findings)*l.OutputBytes/size))
	}
}

func (o *Output) first(n int) *Output {
	cut := o.Findings[n]
	return &Output{
		Findings:   o.Findings[:n],
		Unexamined: append(o.Unexamined[:len(o.Unexamined):len(o.Unexamined)], Range{cut.Segment, cut.Start, cut.End}),
	}
}

func (o *Output) encode(dst []byte, flat bool) []byte {
	if flat {
		return o.appendFlat(dst)
	}
	return o.appendJSON(dst)
}
