package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// rowStep is exactly one of what a person says, a call, and its result.
type rowStep struct {
	User      *string        `json:"user"`
	Call      *string        `json:"call"`
	Arguments jsontext.Value `json:"arguments"`
	Result    *string        `json:"result"`
}

// step is a rowStep as scanners see it: what the person said is no traffic of a
// server, and no message.
type step struct {
	said    string
	message *message.Message
}

// session reads the steps of a row, in order. A result is of the last call.
func (r row) session() ([]step, error) {
	if r.Steps == nil {
		return nil, errors.New("a session without steps")
	}
	var all []step
	last := ""
	for i, s := range r.Steps {
		var m *message.Message
		var err error
		switch call, result, user := s.Call != nil, s.Result != nil, s.User != nil; {
		case call && !result && !user:
			last = *s.Call
			m, err = message.FromArguments(r.Server, last, s.Arguments)
		case result && !call && !user:
			m, err = message.FromContent(r.Server, last, *s.Result)
		case user && !call && !result:
			all = append(all, step{said: *s.User})
			continue
		default:
			return nil, fmt.Errorf("step %d is not exactly one of user, call and result", i)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, step{message: m})
	}
	return all, nil
}

// scanSession scans the steps one after another over a memory of the row's own.
// What the person named, and what a call gave to the tool whose result follows,
// is nobody else's wish, as in the gateway; the clock stands still.
func scanSession(ctx context.Context, set *engine.Live, steps []step, result *scanned) {
	now := time.Now()
	mine := flow.New(flow.Config{}).Of(flow.Owner{})
	var said []string
	var given []message.Segment
	for _, s := range steps {
		if s.message == nil {
			said = append(said, s.said)
			mine.Disown(now, s.said)
			continue
		}
		result.add(set.ScanWith(ctx, s.message, engine.ScanOptions{Now: now, Flow: mine.Hearing(said...), Known: given}))
		if s.message.Phase == message.PhaseRequest {
			given = s.message.Segments
		}
	}
}
