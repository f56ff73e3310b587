package tck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// malformed hands over inputs that no engine writes. A guest may fault; what it
// may not is to answer what the ABI refuses, or to use up its limits.
func (k *kit) malformed() {
	in := usual(k.phase(), k.seeds()[:min(12, len(k.seeds()))]...)
	in.Segments[0].Text = "é" + in.Segments[0].Text
	in.Flow = []flowHit{{"secret", 0, 2, 6, origin{"io.example/mail", "read"}, 90}}
	in.Context = []entry{{"io.example/mail", "tool", "send", "Send", "Sends mail.", []string{"to", "body"}}}
	b := k.encode(in)
	k.cut(b)
	if k.flat() {
		k.skip("malformed.json", "the encoding is flat")
		k.offsets(b)
		k.counts(b)
	} else {
		k.skip("malformed.offsets", "the encoding is json")
		k.skip("malformed.counts", "the encoding is json")
		k.garbled(b)
	}
	k.random(b)
}

// abuse hands over one of them.
func (k *kit) abuse(id, what string, b []byte) {
	if k.ctx.Err() != nil || len(b) == 0 || k.point(id).Outcome == Fail {
		return
	}
	texts := readTexts(b)
	if !k.flat() {
		texts = readJSONTexts(b)
	}
	_, _, err := k.probe(k.ctx, engine.Probe{Input: b, Texts: texts})
	k.pass(id)
	var fault *sandbox.Fault
	var broken *engine.AnswerError
	switch {
	case err == nil || k.ctx.Err() != nil:
	case errors.As(err, &broken):
		if broke := k.fieldPoint(broken.Field); texts != nil || broke != "answer.span" {
			k.failUnless(broke, id, what, err)
		}
	case !errors.As(err, &fault):
		k.err = err
	case kindPoints[fault.Kind] != "":
		k.failUnless(kindPoints[fault.Kind], id, what, err)
	case breachPoints[fault.Breach] != "":
		k.failUnless(breachPoints[fault.Breach], id, what, err)
	}
}

// failUnless holds an error against a point unless it is what another is failed
// for already, by inputs that are as they should be.
func (k *kit) failUnless(other, id, what string, err error) {
	if k.point(other).Outcome != Fail {
		k.fail(id, "%s: %s", what, err)
	}
}

// rounds is how many inputs a point tries: fewer of a scanner to which each
// costs much.
func (k *kit) rounds(most int) int {
	const affordable = 1_000_000_000
	return int(max(24, min(int64(most), affordable/(k.fuel+1))))
}

func (k *kit) cut(b []byte) {
	for n := 1; n < min(len(b), flatHeader+1); n += 1 + flatHeader/k.rounds(flatHeader) {
		k.abuse("malformed.cut", "the first "+decimal(n)+" bytes", b[:n])
	}
	for i := range k.rounds(64) {
		n := len(b) - 1 - i*len(b)/64
		if n > 0 {
			k.abuse("malformed.cut", fmt.Sprintf("%d of %d bytes", n, len(b)), b[:n])
		}
	}
}

// set returns a copy of b with numbers changed.
func set(b []byte, at int, values ...uint32) []byte {
	b = bytes.Clone(b)
	for i, v := range values {
		if at+4*i+4 <= len(b) {
			binary.LittleEndian.PutUint32(b[at+4*i:], v)
		}
	}
	return b
}

// offsets leads every reference of the header and of the first record of each
// table outside.
func (k *kit) offsets(b []byte) {
	size := uint32(len(b))
	places := []int{16, 24, 40, 52, 64, 76}
	for _, table := range []struct {
		at      int
		strings []int
	}{{40, []int{8, 16, 24}}, {64, []int{16, 24, 32}}, {76, []int{0, 8, 16, 24, 32, 40}}} {
		first := int(binary.LittleEndian.Uint32(b[table.at:]))
		for _, at := range table.strings {
			places = append(places, first+at)
		}
	}
	for _, at := range places {
		for _, outside := range []uint32{size, size - 1, size + 1, 1 << 31, 1<<32 - 1, 1<<32 - 8, -size} {
			k.abuse("malformed.offsets", fmt.Sprintf("offset %d at %d", outside, at), set(b, at, outside))
		}
		for _, long := range []uint32{size, 1 << 31, 1<<32 - 1, 1<<32 - 16} {
			k.abuse("malformed.offsets", fmt.Sprintf("length %d at %d", long, at+4), set(b, at+4, long))
		}
		k.abuse("malformed.offsets", fmt.Sprintf("a sum that wraps at %d", at), set(b, at, 1<<32-8, 16))
	}
	for _, at := range []int{4, 8} {
		for _, v := range []uint32{0, 1, 40, 87, 89, size + 1, 1 << 31, 1<<32 - 1} {
			k.abuse("malformed.offsets", fmt.Sprintf("size %d at %d", v, at), set(b, at, v))
		}
	}
	k.abuse("malformed.offsets", "the magic of an answer", set(b, 0, 0x4f5a5442))
	for _, at := range []int{12, 13} {
		changed := bytes.Clone(b)
		changed[at] = 255
		k.abuse("malformed.offsets", "a phase or caller of 255", changed)
	}
}

// counts makes tables of more records than there are, and of records whose size
// makes the product wrap in 32 bits.
func (k *kit) counts(b []byte) {
	for _, at := range []int{40, 52, 64, 76} {
		record := binary.LittleEndian.Uint32(b[at+8:])
		for _, n := range []uint32{1000, 1 << 16, 1 << 24, 1<<27 + 1, 1 << 27, 1<<28 + 1, 1 << 28, 1 << 29, 1 << 31, 1<<32 - 1} {
			k.abuse("malformed.counts", fmt.Sprintf("%d records in the table at %d", n, at), set(b, at+4, n))
		}
		for _, size := range []uint32{0, 1, 4, record - 1, record + 1, 1 << 16, 1 << 30, 1 << 31, 1<<32 - 1} {
			k.abuse("malformed.counts", fmt.Sprintf("records of %d bytes in the table at %d", size, at), set(b, at+8, size))
			k.abuse("malformed.counts", fmt.Sprintf("2^28 records of %d bytes in the table at %d", size, at), set(b, at+4, 1<<28, size))
		}
	}
	first := int(binary.LittleEndian.Uint32(b[76:]))
	for _, n := range []uint32{1000, 1 << 28, 1 << 29, 1<<29 + 1, 1 << 31, 1<<32 - 1} {
		k.abuse("malformed.counts", fmt.Sprintf("%d parameters", n), set(b, first+44, n))
	}
}

// garbled is JSON of many kinds that is no input.
func (k *kit) garbled(b []byte) {
	replaced := func(old, new string) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(new)) }
	for what, src := range map[string][]byte{
		"an empty object":          []byte("{}"),
		"an array":                 []byte("[]"),
		"null":                     []byte("null"),
		"a string":                 []byte(`"phase"`),
		"white space":              []byte(" \n"),
		"a byte order mark":        append([]byte("\xef\xbb\xbf"), b...),
		"two inputs":               append(bytes.Clone(b), b...),
		"bytes that are not UTF-8": replaced("text", "te\xff\xfet"),
		"half a surrogate":         replaced("text", `\ud83d`),
		"an escape cut short":      replaced("text", `\u12`),
		"segments null":            replaced(`"segments":[`, `"segments":null,"x":[`),
		"segments a number":        replaced(`"segments":[`, `"segments":7,"x":[`),
		"texts that are numbers":   replaced(`"text":"`, `"text":1,"x":"`),
		"items that are huge":      replaced(`"item":0`, `"item":1e400`),
		"items that are negative":  replaced(`"item":0`, `"item":-1`),
		"items that are fractions": replaced(`"item":0`, `"item":0.5`),
		"limits that are huge":     replaced(`"findings":256`, `"findings":99999999999999999999`),
		"members twice":            replaced(`"segments":`, `"segments":[],"segments":`),
		"a phase unknown":          replaced(`"phase":"`, `"phase":"x`),
		"arrays nested deeply":     []byte(`{"segments":` + strings.Repeat("[", 50_000)),
		"objects nested deeply":    []byte(strings.Repeat(`{"x":`, 50_000)),
		"a member nested deeply":   replaced(`"segments":`, `"x":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`,"segments":`),
		"NUL":                      {0, 0, 0, 0},
		"a flat input":             usual(k.phase(), dull...).flat(layout{}),
	} {
		k.abuse("malformed.json", what, src)
	}
}

// random changes bytes, the same ones in every run. The limits of the answer
// stay, for what is answered is held to them.
func (k *kit) random(b []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range k.rounds(768) {
		changed := bytes.Clone(b)
		for range 1 + r.IntN(8) {
			at := r.IntN(len(changed))
			if r.IntN(2) == 0 {
				at = r.IntN(min(len(changed), 512))
			}
			if k.flat() && at > 32-8 && at < 40 {
				continue
			}
			switch r.IntN(4) {
			case 0:
				changed[at] = byte(r.Uint32())
			case 1:
				changed[at] ^= 1 << r.IntN(8)
			case 2:
				changed[at] = [...]byte{0, 1, 0x7f, 0x80, 0xff, '"', '\\', '{'}[r.IntN(8)]
			case 3:
				from := r.IntN(len(b))
				copy(changed[at:], b[from:min(from+8, len(b))])
			}
		}
		k.abuse("malformed.random", "variation "+decimal(round), changed)
	}
}

// readJSONTexts returns the texts of an input that may be broken, nil where it
// is no JSON of the schema.
func readJSONTexts(b []byte) []string {
	var in input
	if json.Unmarshal(b, &in) != nil {
		return nil
	}
	texts := in.texts()
	if texts == nil {
		texts = []string{}
	}
	return texts
}
