package audit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/go-json-experiment/json"
)

// lines yields the complete lines of a segment, without their newline, with
// the offset at which each begins. A line beyond MaxEventBytes is yielded as
// nil; a last line without newline, still being written, not at all. The slice
// is valid until the next step.
func lines(r io.Reader) iter.Seq2[int64, []byte] {
	return func(yield func(int64, []byte) bool) {
		br := bufio.NewReaderSize(r, MaxEventBytes)
		var at int64
		for {
			line, err := br.ReadSlice('\n')
			start, n, tooLong := at, int64(len(line)), false
			for errors.Is(err, bufio.ErrBufferFull) {
				tooLong = true
				line, err = br.ReadSlice('\n')
				n += int64(len(line))
			}
			at += n
			if err != nil {
				return
			}
			line = bytes.TrimSuffix(line, []byte{'\n'})
			if tooLong {
				line = nil
			} else if len(line) == 0 {
				continue // ends a torn line on a device
			}
			if !yield(start, line) {
				return
			}
		}
	}
}

// decode reads one line. Members that a later version added are ignored;
// duplicate names and invalid UTF-8 are errors.
func decode(line []byte) (*Event, error) {
	e := new(Event)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, err
	}
	if e.ClassUID == 0 || e.Metadata.UID == "" {
		return nil, errors.New("audit: not an event")
	}
	return e, nil
}

// orphansIn returns the intents without outcome in the given segments (oldest
// first), oldest first. It reads from the newest back only as far as the
// segment headers say it must.
func orphansIn(segments []string) ([]*Event, error) {
	var orphans []*Event
	done := map[string]bool{}   // calls with an outcome in a newer segment
	wanted := map[string]bool{} // calls that a newer header calls pending
	headed := false             // a newer header has said which calls still matter
	for i := len(segments) - 1; i >= 0; i-- {
		s, err := readStages(segments[i])
		if err != nil {
			return nil, err
		}
		var here []*Event
		for _, intent := range s.open {
			id := intent.Metadata.CorrelationUID
			if !done[id] && (!headed || wanted[id]) {
				here = append(here, intent)
			}
			delete(wanted, id)
		}
		orphans = append(here, orphans...)
		for id := range s.closed {
			done[id] = true
			delete(wanted, id)
		}
		if h := s.header; !headed && h != nil && h.Carried == len(h.Pending) {
			headed = true
			for _, id := range h.Pending {
				if !done[id] {
					wanted[id] = true
				}
			}
		}
		if headed && len(wanted) == 0 {
			break
		}
	}
	return orphans, nil
}

// stages is what recovery has to know of one segment.
type stages struct {
	header *Segment
	open   []*Event        // intents without outcome in this segment, in order
	closed map[string]bool // outcomes without intent in this segment
}

func readStages(path string) (*stages, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &stages{closed: map[string]bool{}}
	open := map[string]*Event{}
	var order []string
	for at, line := range lines(f) {
		if at > 0 && !bytes.Contains(line, []byte(`"stage":"`)) {
			continue
		}
		e, err := decode(line)
		if err != nil {
			continue // a damaged line hides nothing that a lost one would not
		}
		if at == 0 && e.Unmapped != nil {
			s.header = e.Unmapped.Segment
		}
		id := e.Metadata.CorrelationUID
		switch stageOf(e) {
		case stageIntent:
			open[id] = e
			order = append(order, id)
		case stageOutcome:
			if open[id] == nil {
				s.closed[id] = true
			}
			delete(open, id)
		}
	}
	for _, id := range order {
		if e := open[id]; e != nil {
			s.open = append(s.open, e)
			delete(open, id)
		}
	}
	return s, nil
}
