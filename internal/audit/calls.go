package audit

import (
	"maps"
	"slices"
)

// maxCarried bounds the ids in a segment's header, so that it fits one line.
const maxCarried = 2000

// calls follows intents until their outcome is on disk. Not safe for
// concurrent use: the flush that holds Log.writing uses it.
type calls struct {
	open    map[string]*Event // intents on disk whose outcome is still to come, by correlation id
	orphans map[string]*Event // unknown outcomes to be written with the next flush
	order   []string          // of orphans, oldest first
}

func newCalls(orphans []*Event) calls {
	c := calls{open: map[string]*Event{}, orphans: map[string]*Event{}}
	for _, intent := range orphans {
		c.orphan(intent, ReasonOrphaned)
	}
	return c
}

func (c *calls) orphan(intent *Event, reason string) {
	id := intent.Metadata.CorrelationUID
	delete(c.open, id)
	if _, ok := c.orphans[id]; !ok {
		c.order = append(c.order, id)
	}
	c.orphans[id] = unknownOutcome(intent, reason)
}

// owed returns the unknown outcomes to write ahead of a batch, leaving out
// calls whose real outcome is in that batch after all.
func (c *calls) owed(batch []*Event) []*Event {
	if len(c.orphans) == 0 {
		return nil
	}
	closing := map[string]bool{}
	for _, e := range batch {
		if stageOf(e) == stageOutcome {
			closing[e.Metadata.CorrelationUID] = true
		}
	}
	owed := make([]*Event, 0, len(c.order))
	for _, id := range c.order {
		if !closing[id] {
			owed = append(owed, c.orphans[id])
		}
	}
	return owed
}

// settled takes note of events that are on disk.
func (c *calls) settled(events []*Event) {
	for _, e := range events {
		id := e.Metadata.CorrelationUID
		switch stageOf(e) {
		case stageIntent:
			c.open[id] = e
		case stageOutcome:
			delete(c.open, id)
			if _, ok := c.orphans[id]; ok {
				delete(c.orphans, id)
				c.order = slices.DeleteFunc(c.order, func(o string) bool { return o == id })
			}
		}
	}
}

// lost takes note of events that did not reach the disk. A call whose outcome
// could not be recorded was not answered: what became of it is unknown.
func (c *calls) lost(events []*Event) {
	for _, e := range events {
		if stageOf(e) != stageOutcome {
			continue
		}
		if intent, ok := c.open[e.Metadata.CorrelationUID]; ok {
			c.orphan(intent, ReasonUnlogged)
		}
	}
}

// abandon turns every open call into an orphan.
func (c *calls) abandon() {
	for _, id := range slices.Sorted(maps.Keys(c.open)) {
		c.orphan(c.open[id], ReasonOrphaned)
	}
}

// header describes a new segment. It names the calls in flight, so recovery
// need not read the segments before it.
func (c *calls) header(segment int) *Event {
	e := logEvent(activityRotate, "Rotate", "segment_opened", "Log segment opened")
	s := &Segment{Number: segment, Carried: len(c.open) + len(c.orphans)}
	if s.Carried <= maxCarried {
		s.Pending = slices.AppendSeq(s.Pending, maps.Keys(c.open))
		s.Pending = slices.AppendSeq(s.Pending, maps.Keys(c.orphans))
		slices.Sort(s.Pending)
	}
	e.Unmapped.Segment = s
	return e
}

func stageOf(e *Event) string {
	if e.Unmapped == nil {
		return ""
	}
	return e.Unmapped.Stage
}

func logOpened() *Event { return logEvent(activityStart, "Start", "log_opened", "Audit log opened") }
func logClosed() *Event { return logEvent(activityStop, "Stop", "log_closed", "Audit log closed") }

func logEvent(activity int, name, eventCode, message string) *Event {
	e := newEvent(ClassEventLog, activity, name, eventCode)
	e.Message = message
	e.LogName = appName
	e.Actor = &Actor{AppName: appName}
	return e
}
