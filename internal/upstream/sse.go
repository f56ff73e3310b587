package upstream

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// Event is one message of a stream. An event without Data carries only an id or
// a retry time, with which a server prepares the client for a reconnection.
type Event struct {
	Type  string // "" for a message
	ID    string
	Retry int // milliseconds, 0 = not given
	Data  []byte
}

// eventReader reads server-sent events (WHATWG HTML, "Server-sent events").
// Of an event whose type is not "message", which is none of MCP, only the id and
// the retry time are read: they belong to the stream, whatever event carries
// them. go-sdk servers announce that way that they close a stream to be polled.
type eventReader struct {
	lines   lineReader
	max     int64
	also    string // a type that is read beside messages
	started bool
}

var byteOrderMark = []byte("\uFEFF")

func (r *eventReader) next() (Event, error) {
	var ev Event
	var given bool
	for {
		line, err := r.lines.next()
		if err != nil {
			if err == io.EOF && ev.Data != nil {
				err = io.ErrUnexpectedEOF
			}
			return Event{}, err
		}
		if !r.started {
			line, r.started = bytes.TrimPrefix(line, byteOrderMark), true
		}
		if len(line) == 0 {
			if ev.Type != "" && ev.Type != r.also {
				ev.Type, ev.Data, given = "", nil, ev.ID != "" || ev.Retry > 0
			}
			if given {
				return ev, nil
			}
			ev, given = Event{}, false
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if ev.Data == nil {
				ev.Data = make([]byte, 0, len(value))
			} else {
				ev.Data = append(ev.Data, '\n')
			}
			if int64(len(ev.Data)+len(value)) > r.max {
				return Event{}, fmt.Errorf("%w: an event of more than %d bytes", ErrTooLarge, r.max)
			}
			ev.Data, given = append(ev.Data, value...), true
		case "id":
			if !bytes.ContainsRune(value, 0) {
				ev.ID, given = string(value), true
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
				ev.Retry, given = int(ms), true
			}
		case "event":
			if ev.Type = string(value); ev.Type == "message" {
				ev.Type = ""
			}
		}
	}
}
