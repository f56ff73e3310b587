package gateway

import (
	"net/http"
	"sync"
)

// The HTTP server hands an answer of more than four kilobytes to the connection
// in two parts. Each is a system call and wakes the client, so that answers of
// up to maxPiece are gathered until they are whole.
const maxPiece = 64 << 10

var pieces = sync.Pool{New: func() any { return new([]byte) }}

// gather has what is written until release go out in one piece. Only the
// handler of the request that the connection is busy with may call it.
func (c *countedConn) gather() {
	if c.piece == nil {
		c.piece = pieces.Get().(*[]byte)
	}
}

// Write keeps p where pieces are gathered.
func (c *countedConn) Write(p []byte) (int, error) {
	if c.piece == nil {
		return c.Conn.Write(p)
	}
	*c.piece = append(*c.piece, p...)
	return len(p), nil
}

// release writes what was gathered. The server takes that for written already:
// where it is not, the connection ends.
func (c *countedConn) release() error {
	piece := c.piece
	if c.piece = nil; piece == nil {
		return nil
	}
	_, err := c.Conn.Write(*piece)
	if err != nil {
		c.Close()
	}
	if cap(*piece) <= 2*maxPiece {
		*piece = (*piece)[:0]
		pieces.Put(piece)
	}
	return err
}

// connOf is the connection that a request came on; nil where the gateway does
// not serve it itself.
func connOf(r *http.Request) *countedConn {
	c, _ := r.Context().Value(connKey{}).(*countedConn)
	return c
}
