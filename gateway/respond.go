package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/seal"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// responder writes the answer to one client request. Headers wait for the
// first verdict: nothing is written before the first message may pass, so that
// a block can still choose the status.
type responder struct {
	w       *tracked
	timeout time.Duration
	seal    seal.Key
	session *session // names itself in the header; binds event ids
	naming  bool     // this answer opens the session
	part    *part    // on behalf of the merged endpoint; nil elsewhere
	refused *refusal // what the client was told, if it was a refusal

	began bool             // the stream has begun
	held  []upstream.Event // events without a message that came before the first one
	err   error            // the client does not take what is written
}

// tracked notes whether anything was written.
type tracked struct {
	http.ResponseWriter
	conn  *countedConn // below it, if nobody else writes there; else nil
	wrote bool
}

// gather has a message of n bytes go out in one piece with the next flush.
func (t *tracked) gather(n int) {
	if t.conn != nil && n <= maxPiece {
		t.conn.gather()
	}
}

func (t *tracked) WriteHeader(status int) {
	t.wrote = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracked) Write(b []byte) (int, error) {
	t.wrote = true
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// begin starts a stream and lets out what was held.
func (r *responder) begin() {
	if !r.began {
		r.open()
		r.flush()
	}
}

// open is begin without putting it on the wire.
func (r *responder) open() {
	r.began = true
	h := r.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	r.nameSession()
	r.w.WriteHeader(http.StatusOK)
	held := r.held
	r.held = nil
	for _, ev := range held {
		r.write(ev)
	}
}

func (r *responder) nameSession() {
	if r.naming && r.session != nil {
		r.w.Header().Set(protocol.HeaderSessionID, r.session.id)
	}
}

// event writes one message, or an event without one.
func (r *responder) event(ev upstream.Event) {
	ev, ok := r.part.event(ev)
	if !ok {
		return
	}
	if len(ev.Data) == 0 && !r.began {
		if len(r.held) < 8 {
			r.held = append(r.held, ev)
		}
		return
	}
	r.w.gather(len(ev.Data))
	if !r.began {
		r.open()
	}
	r.write(ev)
	r.flush()
}

// maxEventID bounds an upstream's event id: sealed, it must fit into a header.
// A longer one is left out, and with it the resumption.
const maxEventID = 4096

// write puts an event on the wire. Data of several lines stays what
// it was, byte for byte where they end with LF: readers join the lines again.
func (r *responder) write(ev upstream.Event) {
	if r.err != nil {
		return
	}
	var b bytes.Buffer
	if len(ev.Data) > 0 {
		b.WriteString("event: message\n")
	}
	if ev.ID != "" && len(ev.ID) <= maxEventID && r.session != nil {
		id, session := r.part.eventID(ev.ID, r.session.id)
		fmt.Fprintf(&b, "id: %s\n", r.seal.SealEncoded(id, "event", session))
	}
	if ev.Retry > 0 {
		b.WriteString("retry: " + strconv.Itoa(ev.Retry) + "\n")
	}
	if len(ev.Data) > 0 || ev.ID != "" { // a reader takes an id over with an empty message, too
		for line := range bytes.SplitSeq(endedByLF(ev.Data), []byte("\n")) {
			b.WriteString("data: ")
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	b.WriteByte('\n')
	r.arm()
	_, r.err = r.w.Write(b.Bytes())
}

// endedByLF makes line feeds of carriage returns, which end a line of an event
// as well and would not come back. In a message they stand between tokens only.
func endedByLF(data []byte) []byte {
	if bytes.IndexByte(data, '\r') < 0 {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
}

// arm gives a client that does not read a limited time.
func (r *responder) arm() {
	_ = http.NewResponseController(r.w).SetWriteDeadline(time.Now().Add(r.timeout)) // recorders in tests have none
}

// flush puts what was written on the wire; between messages there is no limit.
func (r *responder) flush() {
	c := http.NewResponseController(r.w)
	r.arm()
	err := c.Flush()
	if r.w.conn != nil {
		err = errors.Join(err, r.w.conn.release())
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	_ = c.SetWriteDeadline(time.Time{})
}

// answer writes the one response: as the only body where nothing was streamed.
func (r *responder) answer(raw []byte, ev upstream.Event, status int, stream bool) {
	if stream || r.began {
		ev.Data = raw
		r.event(ev)
		return
	}
	if status, ok := r.part.answer(raw, status); ok {
		r.nameSession()
		r.json(status, raw)
	}
}

func (r *responder) json(status int, raw []byte) {
	r.arm()
	r.w.gather(len(raw))
	writeJSON(r.w, status, raw)
	r.flush()
}

// accept answers a notification or a reply.
func (r *responder) accept() { r.w.WriteHeader(http.StatusAccepted) }

// refuse writes an error response: with its own status where nothing was
// streamed, else as the response event.
func (r *responder) refuse(status int, raw []byte) {
	if r.began {
		r.event(upstream.Event{Data: raw})
		return
	}
	if status, ok := r.part.answer(raw, status); ok {
		r.json(status, raw)
	}
}
