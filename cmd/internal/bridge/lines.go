package bridge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

var errLineTooLong = errors.New("a line is too long")

// input splits standard input into lines of bounded length.
type input struct {
	r   *bufio.Reader
	max int
}

func newInput(r io.Reader, limit int) *input {
	return &input{bufio.NewReaderSize(r, 64<<10), limit}
}

// next returns the next line that is not blank, as bytes of its own. A line
// over the limit is passed over whole and reported. A last line without an end
// counts.
func (in *input) next() ([]byte, error) {
	for {
		line, err := in.line()
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

func (in *input) line() ([]byte, error) {
	var line []byte
	size := 0
	for {
		part, err := in.r.ReadSlice('\n')
		if size += len(part); size <= in.max+2 { // and its end
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && size > 0: // the next read finds the end again
		case err != nil:
			return nil, err
		}
		if size > in.max+2 {
			return nil, errLineTooLong
		}
		return line, nil
	}
}

// output writes messages, one a line, one at a time.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	fail context.CancelCauseFunc
}

// send writes a message. Between the tokens of JSON a line end means nothing,
// and inside them there is none: a message of several lines stays what it was
// with blanks for them.
func (o *output) send(raw []byte) {
	line := make([]byte, len(raw)+1)
	for i, c := range raw {
		if c == '\n' || c == '\r' {
			c = ' '
		}
		line[i] = c
	}
	line[len(raw)] = '\n'
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(line); err != nil {
		o.fail(err)
	}
}
