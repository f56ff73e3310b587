package engine

import (
	"context"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// Set is an immutable list of scanners that examine messages together. It is
// safe for concurrent use.
type Set struct {
	scanners []*Scanner
	narrower map[*Scanner][]*Scanner // what stands in for one of scanners
	demanded configured
	matcher  *matcher
	breaker  *breaker
	counts   map[*Scanner]*counts
}

// NewSet returns a set of the given scanners, which run in this order. One with
// a scope stands in, where that covers a message, for the one of the same module
// without; the narrowest scope counts.
func NewSet(scanners ...*Scanner) *Set {
	s := &Set{breaker: newBreaker(), narrower: map[*Scanner][]*Scanner{}}
	for _, scanner := range scanners {
		if scanner.opts.Scope == (Scope{}) {
			s.scanners = append(s.scanners, scanner)
		}
	}
	for _, scanner := range scanners {
		if scanner.opts.Scope == (Scope{}) {
			continue
		}
		i := slices.IndexFunc(s.scanners, func(wide *Scanner) bool { return wide.digest == scanner.digest })
		if i < 0 { // nothing to stand in for
			s.scanners = append(s.scanners, scanner)
			continue
		}
		s.narrower[s.scanners[i]] = append(s.narrower[s.scanners[i]], scanner)
	}
	s.matcher, s.counts = newMatcher(s.scanners), newCounts(s.scanners)
	return s
}

// ScanOptions change how one message is judged.
type ScanOptions struct {
	Waivers []Waiver
	Now     time.Time // for the expiry of waivers and breakers; zero means time.Now
	// Principal is whose message it is: an authenticated name, with its tenant.
	// A scanner whose failures deny and that keeps failing for one principal is
	// spared that one's messages for a while, and they are denied as before. ""
	// is nobody, for whom every scanner is always called.
	Principal string
	// Within bounds all scanners over the whole message; zero means
	// DefaultWithin. What was not examined by then is unexamined: a scanner's own
	// deadline is for one call, and a long text is many.
	Within time.Duration
	// Always calls every scanner of the phase, whatever its trigger says. It
	// serves the proof that triggers change no verdict.
	Always bool
	// Flow is what is remembered of whoever sends or gets the message: what was
	// marked in earlier ones goes with it to the scanners, and what they mark in
	// it is remembered. The zero Scope remembers nothing. A verdict depends on it
	// through Verdict.Flow alone.
	Flow flow.Scope
	// Known is what the caller wrote himself before a message that he gets: no
	// part of a mark in it that occurs here is remembered.
	Known []message.Segment
	// Demands are those of the server's approval.
	Demands []Demand
}

// DefaultWithin is for a machine under load: a megabyte takes a second or two.
const DefaultWithin = time.Minute

// Scan examines a message with every scanner of its phase, in the caller's
// goroutine: it finds their patterns and calls those that are always called or
// whose triggers hold. It always answers: what could not be examined blocks,
// unless the scanner that failed only monitors.
func (s *Set) Scan(ctx context.Context, m *message.Message) Verdict {
	return s.ScanWith(ctx, m, ScanOptions{})
}

// ScanWith is Scan with options.
func (s *Set) ScanWith(ctx context.Context, m *message.Message, opts ScanOptions) Verdict {
	began := time.Now()
	if opts.Now.IsZero() {
		opts.Now = began
	}
	if opts.Within <= 0 {
		opts.Within = DefaultWithin
	}
	v := Verdict{Action: ActionAllow, Findings: []Finding{}, Failures: []Failure{}}
	var p *pass
	var found []marked
	for i, scanner := range s.scanners {
		if !scanner.examines(m.Phase) {
			continue
		}
		b, ok := s.bind(scanner, m, opts.Demands)
		if !ok {
			continue
		}
		if p == nil {
			p = s.matcher.newPass(prepare(m))
			defer p.release()
			p.lookUp(opts)
			v.Flow = p.flowHits()
			v.Scanners = make([]ScannerRef, 0, len(s.scanners))
		}
		v.Scanners = append(v.Scanners, scanner.Ref())
		calls := p.summon(i, opts.Always)
		if len(calls) == 0 {
			s.counts[scanner].notTriggered.Add(1)
			v.merge(report{unexamined: p.incomplete}, b.whole)
			continue
		}
		if v.Called == nil { // most messages need no deadline
			limit := &within{Context: ctx, until: began.Add(opts.Within)}
			defer limit.end()
			ctx = limit
		}
		v.Called = append(v.Called, scanner.manifest.Name)
		r := s.consult(ctx, s.counts[scanner], &b, p.prepared, calls, opts)
		found = append(found, r.marked...)
		v.merge(r, b.whole)
		for k := range opts.Demands {
			if d := &opts.Demands[k]; d.Config != nil && d.Scanner == scanner.manifest.Name && d.about(m) {
				r := s.onceMore(ctx, scanner, b, d, p.prepared, calls, opts)
				found = append(found, r.marked...)
				v.merge(r.beside(v.Findings), b.whole)
			}
		}
	}
	for i := range opts.Demands {
		if d := &opts.Demands[i]; d.about(m) {
			if f := s.unmet(d, m); f != nil {
				v.merge(report{failures: []Failure{*f}}, &Options{Mode: ModeEnforce, OnFailure: OnFailureDeny})
			}
		}
	}
	v.settle(opts)
	remember(m, found, v.Action, opts)
	v.Elapsed = time.Since(began)
	return v
}

// maxFindings is where a scanner stops in a message of many batches.
const maxFindings = 1024

// report is what one scanner says about one message.
type report struct {
	findings   []Finding
	failures   []Failure
	unexamined bool
	fuel       int64
	marked     []marked
}

// examine makes the calls of one scanner for a message. After a failure the
// rest is left unexamined: the message cannot pass any more.
func (b *binding) examine(ctx context.Context, p *prepared, calls []summons) (r report) {
	s := b.scanner
	r = report{unexamined: p.incomplete}
	p.selectContext()
	input := inputs.Get().(*[]byte)
	defer inputs.Put(input)
	var joined [][]Finding
	defer func() { r.addJoined(joined) }()
	for _, c := range calls {
		batch := c.batch
		*input = s.appendInput((*input)[:0], p, batch, particulars{limits: s.opts.Limits, hits: c.hits, flow: c.flow})
		a, fuel, failure, err := s.call(ctx, *input, batch)
		r.fuel += fuel
		if err != nil { // the caller gave up: no fault of the scanner
			r.unexamined = true
			return r
		}
		if failure != nil {
			r.failures = append(r.failures, *failure)
			return r
		}
		r.unexamined = r.unexamined || len(a.Unexamined) > 0
		for _, f := range a.Findings {
			w := batch[f.Segment]
			var found []Finding
			for _, at := range p.places(f.Start, f.End, w) {
				found = append(found, b.finding(f, at, p.message.Segments[w.segment].Provenance, p))
			}
			if len(found) == 0 {
				continue
			}
			if f.Mark == "" || f.Severity != SeverityInfo {
				if len(found) > 1 {
					joined = append(joined, found)
				} else {
					r.add(found[0])
				}
			}
			if f.Mark != "" && f.End > f.Start && redactable(p.message.Phase) {
				r.marked = append(r.marked, marked{found[0], f.Mark, w.text[f.Start:f.End]})
			}
		}
		if len(r.findings) > maxFindings {
			r.unexamined = true
			return r
		}
	}
	return r
}

// add keeps one finding of each rule and place, the worst: neighbouring windows
// overlap, and the place of what stands in a decoded view is the whole text, so
// that a harmless finding must not stand in for another.
func (r *report) add(f Finding) {
	i := slices.IndexFunc(r.findings, func(g Finding) bool {
		return g.Rule == f.Rule && g.Pointer == f.Pointer && g.Start == f.Start && g.End == f.End && g.Provenance == f.Provenance
	})
	switch {
	case i < 0:
		r.findings = append(r.findings, f)
	case r.findings[i].milder(f):
		r.findings[i] = f
	}
}

// addJoined adds what was found over several texts together, unless one of them
// says as much alone.
func (r *report) addJoined(joined [][]Finding) {
	alone := len(r.findings)
	for _, parts := range joined {
		said := slices.ContainsFunc(r.findings[:alone], func(f Finding) bool {
			return slices.ContainsFunc(parts, func(g Finding) bool { return f.Rule == g.Rule && f.Pointer == g.Pointer && !f.milder(g) })
		})
		for _, f := range parts {
			if !said {
				r.add(f)
			}
		}
	}
}

// finding is an answer's finding at a place of the message.
func (b *binding) finding(f AnswerFinding, at place, provenance string, p *prepared) Finding {
	s, source := b.scanner, &p.message.Segments[at.segment]
	judge := b.of(source.Item)
	rule := s.rule(f.Rule)
	out := Finding{
		Scanner: s.manifest.Name, Rule: f.Rule, Family: rule.Family, Taxonomy: slices.Clone(rule.Taxonomy),
		Severity: f.Severity, Confidence: f.Confidence, Message: f.Message,
		Pointer: source.Pointer, Start: at.start, End: at.end, Provenance: provenance, Item: source.Item,
	}
	if out.Taxonomy == nil {
		out.Taxonomy = []string{}
	}
	out.Action = judge.Tiers[f.Severity]
	if f.Replacement != nil && redactable(p.message.Phase) && f.Severity.AtLeast(SeverityMedium) {
		if source.Fixed { // a name or number cannot be replaced, and must not pass either
			out.Action = ActionBlock
		} else {
			out.Action, out.Replacement = ActionRedact, f.Replacement
		}
	}
	if judge.Mode == ModeMonitor && ActionFlag.Less(out.Action) {
		out.Action, out.Replacement = ActionFlag, nil
	}
	out.Leaf = p.leaf(at.segment)
	return out
}

// redactable says in which phases a text may be replaced: what a client asks
// for and what was approved are never changed on the way.
func redactable(p message.Phase) bool {
	return p == message.PhaseResult || p == message.PhasePrompt || p == message.PhaseResource
}

// merge adds a report. What a scanner left unexamined, or failed on, blocks in
// enforce mode and flags in monitor mode; a failure also flags where its
// binding says so.
func (v *Verdict) merge(r report, o *Options) {
	v.Findings = append(v.Findings, r.findings...)
	v.Failures = append(v.Failures, r.failures...)
	failed := len(r.failures) > 0
	v.Unexamined = v.Unexamined || r.unexamined || failed
	v.Fuel += r.fuel
	if r.unexamined {
		v.raise(unless(o.Mode == ModeMonitor))
	}
	if failed {
		v.raise(unless(!o.failureDenies()))
	}
}

// unless is block, or flag where an operator wants no more.
func unless(milder bool) Action {
	if milder {
		return ActionFlag
	}
	return ActionBlock
}

// settle applies the waivers and takes the highest action.
func (v *Verdict) settle(opts ScanOptions) {
	v.Findings = slices.DeleteFunc(v.Findings, func(f Finding) bool { return waived(f, opts) })
	for _, f := range v.Findings {
		if f.Action != ActionLog {
			v.raise(f.Action)
		}
	}
}

func (v *Verdict) raise(a Action) {
	if v.Action.Less(a) {
		v.Action = a
	}
}
