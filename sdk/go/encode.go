package scanner

import (
	"strconv"
	"unicode/utf8"
)

// appendJSON appends the answer in the json encoding (sdk/abi/output.schema.json).
func (o *Output) appendJSON(b []byte) []byte {
	if len(o.Unexamined) > 0 {
		b = append(b, `{"status":"partial","findings":[`...)
	} else {
		b = append(b, `{"status":"complete","findings":[`...)
	}
	for i := range o.Findings {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.Findings[i].append(b)
	}
	b = append(b, `],"unexamined":[`...)
	for i, r := range o.Unexamined {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendSpan(append(b, '{'), r.Segment, r.Start, r.End), '}')
	}
	return append(b, "]}"...)
}

func (f *Finding) append(b []byte) []byte {
	b = appendMember(append(b, '{'), "rule", f.Rule)
	b = append(b, ',')
	if f.Severity != "" {
		b = append(appendMember(b, "severity", f.Severity), ',')
	}
	b = append(b, `"confidence":`...)
	// Not a number is no JSON: the host refuses the answer, as it should.
	b = strconv.AppendFloat(b, f.Confidence, 'g', -1, 64)
	b = appendSpan(append(b, ','), f.Segment, f.Start, f.End)
	b = appendMember(append(b, ','), "message", f.Message)
	if f.Replacement != nil {
		b = appendMember(append(b, ','), "replacement", *f.Replacement)
	}
	if f.Mark != "" {
		b = appendMember(append(b, ','), "mark", f.Mark)
	}
	return append(b, '}')
}

func appendSpan(b []byte, segment, start, end int) []byte {
	b = strconv.AppendInt(append(b, `"segment":`...), int64(segment), 10)
	b = strconv.AppendInt(append(b, `,"start":`...), int64(start), 10)
	return strconv.AppendInt(append(b, `,"end":`...), int64(end), 10)
}

func appendMember(b []byte, name, value string) []byte {
	b = append(append(append(b, '"'), name...), `":`...)
	return appendString(b, value)
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string; invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20 || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
