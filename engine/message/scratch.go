package message

import (
	"bytes"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// scratch is what a walker needs while it reads, kept from one message to the
// next: a message itself costs a handful of allocations, whatever it holds.
type scratch struct {
	dec      jsontext.Decoder
	buffer   bytes.Buffer
	source   string // what dec reads; texts without escapes are parts of it
	unquoted []byte
	pointer  []byte // of what is being read
	pointers []byte // of all segments, one after another
	ends     []int  // of each of them
	seen     map[seenName]bool
}

type seenName struct{ kind, name string }

var scratches = sync.Pool{New: func() any { return &scratch{seen: map[seenName]bool{}} }}

// maxKept bounds what a large message leaves behind, in bytes of each part.
const maxKept = 1 << 20

// release gives the scratch back without what it held of the message.
func (s *scratch) release() {
	if cap(s.unquoted) > maxKept || cap(s.pointers) > maxKept || 8*cap(s.ends) > maxKept || 64*len(s.seen) > maxKept {
		return
	}
	s.read(nil)
	clear(s.seen)
	s.pointers, s.ends = s.pointers[:0], s.ends[:0]
	scratches.Put(s)
}

// read starts reading a value.
func (s *scratch) read(raw jsontext.Value) {
	s.buffer = *bytes.NewBuffer(raw)
	s.dec.Reset(&s.buffer)
	s.source = string(raw)
}

// token reads a string or a number as it is written.
func (s *scratch) token() (string, error) {
	raw, err := s.dec.ReadValue()
	if err != nil {
		return "", err
	}
	end := int(s.dec.InputOffset())
	return s.source[end-len(raw) : end], nil
}

// string reads a string or a member name.
func (s *scratch) string() (string, error) {
	quoted, err := s.token()
	if err != nil {
		return "", err
	}
	if quoted[0] == '"' && strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	s.unquoted, err = jsontext.AppendUnquote(s.unquoted[:0], quoted)
	return string(s.unquoted), err
}

// point gives the segments their pointers, which are parts of one text.
func (s *scratch) point(segments []Segment) {
	pointers, from := string(s.pointers), 0
	for i, end := range s.ends {
		segments[i].Pointer, from = pointers[from:end], end
	}
}
