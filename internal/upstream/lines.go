package upstream

import (
	"bytes"
	"fmt"
	"io"
)

// lineReader splits a stream into lines of bounded length. It reads no further
// than it must, so a line is seen as soon as it is complete.
type lineReader struct {
	src    io.Reader
	max    int64
	ends   string // "\n", or "\r\n" for any of LF, CR and CRLF
	buf    []byte
	pos    int // start of the current line
	seen   int // searched for an end up to here
	skipLF bool
	err    error
}

const readSize = 32 << 10

// next returns the next line without its end; it stays valid until the call
// after. A last line without end is io.ErrUnexpectedEOF, a line over the limit
// ErrTooLarge.
func (l *lineReader) next() ([]byte, error) {
	for {
		if l.skipLF && l.pos < len(l.buf) {
			if l.buf[l.pos] == '\n' {
				l.pos++
			}
			l.seen, l.skipLF = l.pos, false
		}
		if i := bytes.IndexAny(l.buf[l.seen:], l.ends); i >= 0 {
			end := l.seen + i
			line := l.buf[l.pos:end:end]
			l.skipLF = l.buf[end] == '\r'
			l.pos, l.seen = end+1, end+1
			if int64(len(line)) > l.max {
				return nil, l.tooLarge()
			}
			return line, nil
		}
		l.seen = len(l.buf)
		switch rest := len(l.buf) - l.pos; {
		case int64(rest) > l.max:
			return nil, l.tooLarge()
		case l.err == io.EOF && rest > 0:
			return nil, io.ErrUnexpectedEOF
		case l.err != nil:
			return nil, l.err
		}
		l.fill()
	}
}

func (l *lineReader) tooLarge() error {
	return fmt.Errorf("%w: a line of more than %d bytes", ErrTooLarge, l.max)
}

// fill reads once. Lines handed out earlier are given up.
func (l *lineReader) fill() {
	rest := l.buf[l.pos:]
	if cap(l.buf)-len(rest) < readSize || len(rest) == 0 && cap(l.buf) > 4*readSize {
		grown := make([]byte, len(rest), 2*len(rest)+readSize)
		copy(grown, rest)
		l.buf = grown
	} else {
		l.buf = l.buf[:copy(l.buf[:cap(l.buf)], rest)]
	}
	l.seen -= l.pos
	l.pos = 0
	n, err := l.src.Read(l.buf[len(l.buf):cap(l.buf)])
	l.buf, l.err = l.buf[:len(l.buf)+n], err
}
