package engine

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// decodeFlat reads an answer in the flat encoding. It keeps nothing of b, and
// allocates nothing for a clean answer.
//
// A later version of the encoding makes headers and records longer. A scanner
// learns from the input which version its engine has and answers in that, so
// that a size which is not known here is refused: what it holds might matter.
func decodeFlat(b []byte, l Limits) (a Answer, err *AnswerError) {
	if len(b) < flatOutHeader || u32(b, flatOutMagic) != flatAnswerMagic {
		return a, wrong("", "the answer does not begin with a flat header")
	}
	if size := u32(b, flatOutHeaderSize); size != flatOutHeader || u32(b, flatOutZero) != 0 {
		return a, wrong("", "the answer has a header of %d bytes, this engine reads %d that end in zero", size, flatOutHeader)
	}
	switch u32(b, flatOutStatus) {
	case 1:
		a.Status = "complete"
	case 2:
		a.Status = "partial"
	}
	findings, err := flatTable(b, flatOutFindings, flatFinding, "/findings")
	if err != nil {
		return Answer{}, err
	}
	ranges, err := flatTable(b, flatOutUnexamined, flatRange, "/unexamined")
	if err != nil {
		return Answer{}, err
	}
	if n := len(findings) / flatFinding; n > l.Findings {
		return Answer{}, wrong("/findings", "%d findings, at most %d", n, l.Findings)
	}
	if len(findings) > 0 {
		a.Findings = make([]AnswerFinding, 0, len(findings)/flatFinding)
		text := string(b) // all strings of the findings are parts of one
		for ; len(findings) > 0; findings = findings[flatFinding:] {
			f, err := flatFindingOf(findings, text)
			if err != nil {
				return Answer{}, err.under("findings", len(a.Findings))
			}
			a.Findings = append(a.Findings, f)
		}
	}
	for ; len(ranges) > 0; ranges = ranges[flatRange:] {
		if u32(ranges, flatRangeZero) != 0 {
			return Answer{}, wrong("", "a record does not end in zero").under("unexamined", len(a.Unexamined))
		}
		a.Unexamined = append(a.Unexamined, AnswerRange{
			Segment: int(u32(ranges, flatRangeSegment)), Start: int(u32(ranges, flatRangeStart)), End: int(u32(ranges, flatRangeEnd)),
		})
	}
	return a, nil
}

// flatTable returns the records of a table of the header. Where there are none
// its place and the size of a record do not matter.
func flatTable(b []byte, at, record int, field string) ([]byte, *AnswerError) {
	offset, count, size := u32(b, at+flatTableAt), u32(b, at+flatTableCount), u32(b, at+flatTableRecord)
	if count == 0 {
		return nil, nil
	}
	if size != uint64(record) {
		return nil, wrong(field, "records of %d bytes each, this engine reads %d", size, record)
	}
	// Below 2^32 each, so that none of these overflows.
	if offset+count*size > uint64(len(b)) {
		return nil, wrong(field, "%d records at %d lie outside an answer of %d bytes", count, offset, len(b))
	}
	return b[offset : offset+count*size], nil
}

// flatFindingOf reads the first record of a table of findings. text is the
// answer as a whole.
func flatFindingOf(b []byte, text string) (f AnswerFinding, err *AnswerError) {
	f = AnswerFinding{
		Confidence: math.Float64frombits(binary.LittleEndian.Uint64(b[flatFindConfidence:])),
		Segment:    int(u32(b, flatFindSegment)), Start: int(u32(b, flatFindStart)), End: int(u32(b, flatFindEnd)),
		Severity: flatSeverity(b[flatFindSeverity]),
	}
	if b[flatFindReplaces] > 1 || b[flatFindReplaces+1]|b[flatFindReplaces+2] != 0 {
		return f, wrong("", "a byte is set that this engine does not know")
	}
	if f.Rule, err = flatText(b, flatFindRule, text, "/rule", maxName); err != nil {
		return f, err
	}
	if f.Message, err = flatText(b, flatFindMessage, text, "/message", maxMessage); err != nil {
		return f, err
	}
	replacement, err := flatText(b, flatFindReplacement, text, "/replacement", maxReplacement)
	if err != nil {
		return f, err
	}
	switch {
	case b[flatFindReplaces] == 1:
		given := replacement
		f.Replacement = &given
	case replacement != "":
		return f, wrong("/replacement", "there, though its flag denies it")
	}
	f.Mark, err = flatText(b, flatFindMark, text, "/mark", maxMark)
	return f, err
}

// flatText returns the string that a record refers to.
func flatText(b []byte, at int, text, field string, limit int) (string, *AnswerError) {
	offset, size := u32(b, at), u32(b, at+4)
	switch {
	case size == 0:
		return "", nil
	case size > uint64(limit): // before it is read: findings may share long strings
		return "", wrong(field, "%d bytes, at most %d", size, limit)
	case offset+size > uint64(len(text)):
		return "", wrong(field, "%d bytes at %d lie outside an answer of %d", size, offset, len(text))
	}
	s := text[offset : offset+size]
	if !utf8.ValidString(s) {
		return "", wrong(field, "not UTF-8")
	}
	return s, nil
}

// u32 reads a number into 64 bits, in which sums of offsets do not wrap.
func u32(b []byte, at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }

// flatSeverity is "" where a finding takes its rule's own; one that is unknown
// is no severity.
func flatSeverity(n byte) Severity {
	switch n {
	case 0:
		return ""
	case 1:
		return SeverityInfo
	case 2:
		return SeverityLow
	case 3:
		return SeverityMedium
	case 4:
		return SeverityHigh
	case 5:
		return SeverityCritical
	}
	return "unknown"
}
