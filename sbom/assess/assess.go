// Package assess says how a bill of materials stands to a vulnerability
// database, statements about exploitability and a policy. What was not
// measured is said to be unmeasured, never clean.
//
// It is pure but for reading the database it is given. It must not know where
// any of it comes from, storage, or what follows from a report.
package assess

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/sbom/vex"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// Result sums a report up.
type Result string

// Results, worst first.
const (
	Vulnerable Result = "vulnerable" // a finding at or above the limit
	Unmeasured Result = "unmeasured" // no such finding, but not everything could be looked up
	Tolerated  Result = "tolerated"  // findings below the limit alone
	Clean      Result = "clean"      // everything was looked up and nothing found
)

// Policy says what counts. Its zero value is unusable; see DefaultPolicy.
type Policy struct {
	// FailAt is the mildest severity that is not tolerated.
	FailAt vulnerability.Severity `json:"failAt"`
	// Unrated is what a vulnerability counts as that nobody rated.
	Unrated vulnerability.Severity `json:"unrated"`
	// MaxAge is how old the newest entry of an ecosystem may be.
	MaxAge Span `json:"maxAge"`
	// StatementLife is how long a statement about exploitability counts.
	StatementLife Span `json:"statementLife"`
	// PublisherStatements lets statements signed for the namespace suppress;
	// otherwise they only inform.
	PublisherStatements bool `json:"publisherStatements"`
}

// Span is a duration, written as text.
type Span time.Duration

// MarshalText writes it as "336h0m0s".
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// DefaultPolicy is the one place of the defaults.
func DefaultPolicy() Policy {
	return Policy{FailAt: vulnerability.High, Unrated: vulnerability.High, MaxAge: Span(14 * 24 * time.Hour), StatementLife: Span(90 * 24 * time.Hour)}
}

// Database is a vulnerability database with the time at which it was imported.
type Database struct {
	*vulnerability.Database
	Imported time.Time
}

// Statements is one VEX document with who vouches for it.
type Statements struct {
	*vex.Document
	Digest    string // of its bytes
	Signer    string // as verified by the caller
	Publisher bool   // made by whom it is about
}

// Component is a part of the server.
type Component struct {
	Purl string
	Name string
}

// Bill is what is asked about.
type Bill struct {
	Server     string // package URL of the server itself, if it has one
	Components []Component
	Complete   bool
}

// Report is the answer, with everything that it rests on.
type Report struct {
	Result     Result         `json:"result"`
	Why        []string       `json:"why,omitzero"`      // of Unmeasured
	Database   *DatabaseState `json:"database,omitzero"` // nil: there is none
	Policy     Policy         `json:"policy"`
	Components int            `json:"components"`
	Findings   []Finding      `json:"findings"`
	Unmeasured []Gap          `json:"unmeasured"`
	At         time.Time      `json:"at"`
}

// DatabaseState says which database answered and how old it was then.
type DatabaseState struct {
	Digest     string               `json:"digest"`
	Newest     time.Time            `json:"newest"`
	Ecosystems map[string]time.Time `json:"ecosystems"` // newest entry of each
	Imported   time.Time            `json:"imported"`
	AgeHours   int                  `json:"ageHours"` // of the oldest ecosystem that was needed
	Stale      bool                 `json:"stale"`
}

// Finding is a vulnerability of a component.
type Finding struct {
	Component string `json:"component"` // package URL
	vulnerability.Vulnerability
	Counts     bool      `json:"counts"` // at or above the limit, and not suppressed
	Suppressed bool      `json:"suppressed,omitzero"`
	Statement  *Judgment `json:"statement,omitzero"` // the newest one about it
}

// Judgment is a statement about a finding, with who made it.
type Judgment struct {
	Status        vex.Status `json:"status"`
	Justification string     `json:"justification,omitzero"`
	Detail        string     `json:"detail,omitzero"`
	Document      string     `json:"document"`
	Signer        string     `json:"signer"`
	Publisher     bool       `json:"publisher,omitzero"`
	Made          time.Time  `json:"made"`
	Expires       time.Time  `json:"expires"`
}

// Gap is a component that could not be looked up.
type Gap struct {
	Component string `json:"component"`
	Why       string `json:"why"`
}

// Assess looks every component up. An error is one of the machine.
func Assess(bill Bill, db *Database, statements []Statements, policy Policy, now time.Time) (*Report, error) {
	r := &Report{Policy: policy, Components: len(bill.Components), Findings: []Finding{}, Unmeasured: []Gap{}, At: now.UTC().Truncate(time.Second)}
	if db == nil {
		r.Result, r.Why = Unmeasured, []string{"there is no vulnerability database"}
		return r, nil
	}
	a := assessment{Report: r, db: db, statements: statements, bill: bill, needed: map[string]bool{}}
	if bill.Server != "" {
		if err := a.component(Component{Purl: bill.Server}); err != nil {
			return nil, err
		}
		r.Unmeasured = r.Unmeasured[:0] // code that is published nowhere else is no gap
	}
	for _, c := range bill.Components {
		if err := a.component(c); err != nil {
			return nil, err
		}
	}
	a.date(now)
	a.conclude()
	return r, nil
}

type assessment struct {
	*Report
	db         *Database
	statements []Statements
	bill       Bill
	needed     map[string]bool // ecosystems
}

func (a *assessment) component(c Component) error {
	name := c.Purl
	if name == "" {
		name = c.Name
	}
	p, err := vulnerability.FromPurl(c.Purl)
	if err != nil {
		a.gap(name, reason(err))
		return nil
	}
	a.needed[p.Ecosystem] = true
	answer, err := a.db.Match(p)
	if errors.Is(err, vulnerability.ErrUnmeasurable) {
		a.gap(name, reason(err))
		return nil
	}
	if err != nil {
		return err
	}
	if answer.Unmeasured != "" {
		a.gap(name, answer.Unmeasured)
	}
	for _, v := range answer.Found {
		a.Findings = append(a.Findings, a.finding(c.Purl, v))
	}
	return nil
}

func reason(err error) string {
	_, why, _ := strings.Cut(err.Error(), ": ")
	_, why, _ = strings.Cut(why, ": ")
	return why
}

func (a *assessment) gap(component, why string) {
	a.Unmeasured = append(a.Unmeasured, Gap{component, why})
}

// finding applies the statements to one vulnerability.
func (a *assessment) finding(component string, v vulnerability.Vulnerability) Finding {
	f := Finding{Component: component, Vulnerability: v}
	for _, d := range a.statements {
		s, found := d.About(append([]string{v.ID}, v.Aliases...), a.bill.Server, component)
		if !found {
			continue
		}
		j := &Judgment{
			Status: s.Status, Justification: s.Justification, Detail: s.Detail, Document: d.Digest, Signer: d.Signer, Publisher: d.Publisher,
			Made: s.Time.UTC(), Expires: s.Time.UTC().Add(time.Duration(a.Policy.StatementLife)),
		}
		if f.Statement == nil || a.before(f.Statement, j) {
			f.Statement = j
		}
	}
	f.Suppressed = f.Statement != nil && f.Statement.Status.Suppresses() && a.mayDecide(f.Statement) && !(v.Malicious && f.Statement.Publisher)
	f.Counts = !f.Suppressed && a.rated(v).AtLeast(a.Policy.FailAt)
	return f
}

// before orders statements of several documents: those that may decide come
// last, the newer last of them, and of one time the one that suppresses nothing.
func (a *assessment) before(x, y *Judgment) bool {
	if dx, dy := a.mayDecide(x), a.mayDecide(y); dx != dy {
		return dy
	}
	if !x.Made.Equal(y.Made) {
		return x.Made.Before(y.Made)
	}
	return x.Status.Suppresses() && !y.Status.Suppresses()
}

// mayDecide reports whether a statement counts now. One from the future does
// not: its life would have no end.
func (a *assessment) mayDecide(j *Judgment) bool {
	return (!j.Publisher || a.Policy.PublisherStatements) && a.At.Before(j.Expires) && !j.Made.After(a.At)
}

func (a *assessment) rated(v vulnerability.Vulnerability) vulnerability.Severity {
	if v.Severity == vulnerability.Unknown {
		return a.Policy.Unrated
	}
	return v.Severity
}

// date says how old the part of the database was that was needed.
func (a *assessment) date(now time.Time) {
	info := a.db.Info()
	state := &DatabaseState{Digest: info.Digest, Newest: info.Newest(), Ecosystems: info.Ecosystems, Imported: a.db.Imported.UTC()}
	for eco, newest := range info.Ecosystems {
		if !a.needed[eco] {
			continue
		}
		age := now.Sub(newest)
		state.AgeHours = max(state.AgeHours, int(age/time.Hour))
		// An entry from the future hides the age of all others.
		if age > time.Duration(a.Policy.MaxAge) || age < -24*time.Hour {
			state.Stale = true
		}
	}
	a.Database = state
}

func (a *assessment) conclude() {
	slices.SortStableFunc(a.Findings, func(x, y Finding) int {
		if x.Counts != y.Counts {
			if x.Counts {
				return -1
			}
			return 1
		}
		return 0
	})
	if a.Database.Stale {
		a.Why = append(a.Why, fmt.Sprintf("the database's newest entries are %d hours old", a.Database.AgeHours))
	}
	if n := len(a.Unmeasured); n > 0 {
		a.Why = append(a.Why, fmt.Sprintf("%d components could not be looked up", n))
	}
	if !a.bill.Complete {
		a.Why = append(a.Why, "the SBOM is incomplete")
	}
	switch {
	case slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.Counts }):
		a.Result = Vulnerable
	case len(a.Why) > 0:
		a.Result = Unmeasured
	case slices.ContainsFunc(a.Findings, func(f Finding) bool { return !f.Suppressed }):
		a.Result = Tolerated
	default:
		a.Result = Clean
	}
}

// Counting lists the findings at or above the limit.
func (r *Report) Counting() []Finding {
	n := slices.IndexFunc(r.Findings, func(f Finding) bool { return !f.Counts })
	if n < 0 {
		n = len(r.Findings)
	}
	return r.Findings[:n]
}

// Worst is the worst severity among the findings that count, by the policy's
// reading of unrated ones.
func (r *Report) Worst() vulnerability.Severity {
	worst := vulnerability.Unknown
	for _, f := range r.Counting() {
		s := f.Severity
		if s == vulnerability.Unknown {
			s = r.Policy.Unrated
		}
		if s.AtLeast(worst) {
			worst = s
		}
	}
	return worst
}

// Basis is what a person's answer to this report rests on, without what
// changes with every database: the result and the findings that count.
func (r *Report) Basis() []string {
	basis := append([]string{string(r.Result)}, r.Why...)
	if r.Database != nil && r.Database.Stale {
		basis = []string{string(r.Result), "stale"} // not by how much
	}
	for _, f := range r.Counting() {
		basis = append(basis, f.Component+" "+f.ID)
	}
	return basis
}
