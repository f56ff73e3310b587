package engine

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// failureKinds in the order of their counters.
var failureKinds = []FailureKind{
	FailureRefused, FailureTrap, FailureFuel, FailureDeadline, FailureMemory, FailureDepth, FailureOutput,
}

// durationBounds are the upper bounds of the buckets of call durations.
var durationBounds = []time.Duration{
	10 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
}

// counts are what happened to the messages of one scanner. They only grow, and
// outlive a reload under the scanner's name.
type counts struct {
	called, notTriggered, skipped, findings, fuel, openings atomic.Int64

	failures    [7]atomic.Int64  // as failureKinds
	durations   [13]atomic.Int64 // as durationBounds, and the rest
	elapsed     atomic.Int64     // nanoseconds
	lastFailure atomic.Int64     // Unix nanoseconds; 0 = none
}

func newCounts(scanners []*Scanner) map[*Scanner]*counts {
	all := make(map[*Scanner]*counts, len(scanners))
	for _, s := range scanners {
		all[s] = new(counts)
	}
	return all
}

// add counts one message that the scanner was called for.
func (c *counts) add(r report, took time.Duration, now time.Time) {
	c.called.Add(1)
	c.findings.Add(int64(len(r.findings)))
	c.fuel.Add(r.fuel)
	i := 0
	for i < len(durationBounds) && took > durationBounds[i] {
		i++
	}
	c.durations[i].Add(1)
	c.elapsed.Add(int64(took))
	for _, f := range r.failures {
		if i := slices.Index(failureKinds, f.Kind); i >= 0 {
			c.failures[i].Add(1)
			c.lastFailure.Store(now.UnixNano())
		}
	}
}

// Health is how a scanner is bound, Narrower for single servers and entries, and what became of its messages since the
// process began.
type Health struct {
	Scanner   ScannerRef
	Manifest  Manifest
	Mode      Mode
	OnFailure OnFailure
	Signer    string // as in Options
	Narrower  []Options

	Called       int64 // messages that it was called for
	NotTriggered int64 // messages that held nothing for it
	Skipped      int64 // messages refused in its place by its breaker
	Findings     int64
	Fuel         int64
	Failures     map[FailureKind]int64 // every kind
	LastFailure  time.Time             // zero: none
	Openings     int64                 // of its breaker, for any principal
	Open         int                   // principals for whom it is not called now
	Durations    Durations
}

// Durations is a histogram of how long calls took.
type Durations struct {
	Count   int64
	Sum     time.Duration
	Buckets []Bucket
}

// Bucket counts the calls that took at most UpTo, those of smaller buckets included.
type Bucket struct {
	UpTo  time.Duration
	Count int64
}

// Health reports on every scanner, in the order in which they run.
func (s *Set) Health(now time.Time) []Health {
	all := make([]Health, 0, len(s.scanners))
	for _, scanner := range s.scanners {
		h := s.counts[scanner].health()
		h.Scanner, h.Manifest = scanner.Ref(), scanner.manifest
		h.Mode, h.OnFailure, h.Signer = scanner.opts.Mode, scanner.opts.OnFailure, scanner.opts.Signer
		for _, narrow := range s.narrower[scanner] {
			h.Narrower = append(h.Narrower, narrow.opts)
		}
		h.Open = s.breaker.open(scanner.digest, now)
		all = append(all, h)
	}
	return all
}

func (c *counts) health() Health {
	h := Health{
		Called: c.called.Load(), NotTriggered: c.notTriggered.Load(), Skipped: c.skipped.Load(),
		Findings: c.findings.Load(), Fuel: c.fuel.Load(), Openings: c.openings.Load(),
		Failures: make(map[FailureKind]int64, len(failureKinds)),
	}
	for i, kind := range failureKinds {
		h.Failures[kind] = c.failures[i].Load()
	}
	if last := c.lastFailure.Load(); last != 0 {
		h.LastFailure = time.Unix(0, last)
	}
	d := Durations{Sum: time.Duration(c.elapsed.Load())}
	for i := range c.durations {
		d.Count += c.durations[i].Load()
		upTo := time.Duration(math.MaxInt64)
		if i < len(durationBounds) {
			upTo = durationBounds[i]
		}
		d.Buckets = append(d.Buckets, Bucket{UpTo: upTo, Count: d.Count})
	}
	h.Durations = d
	return h
}
