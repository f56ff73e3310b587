package tck

import "slices"

// Outcome of a point.
type Outcome string

// The outcomes. A point is skipped where it does not concern the module, or
// where nothing that the kit tried touched it; Detail says which.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Skipped Outcome = "skipped"
)

// Point is one thing that the ABI demands.
type Point struct {
	ID      string  `json:"id"` // stable: sdk/tck/README.md
	Title   string  `json:"title"`
	Section string  `json:"section"` // of ABI.md
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"` // why it failed or was skipped; of what failed the first
}

// Report is what the kit says about a module: every point, in order.
type Report struct {
	Scanner string  `json:"scanner"` // "" where the manifest cannot be read
	Digest  string  `json:"digest"`
	Points  []Point `json:"points"`
}

// OK reports whether no point failed.
func (r Report) OK() bool { return len(r.Failed()) == 0 }

// Failed lists the ids of the points that failed.
func (r Report) Failed() []string { return r.with(Fail) }

// Skipped lists the ids of the points that were skipped.
func (r Report) Skipped() []string { return r.with(Skipped) }

func (r Report) with(o Outcome) []string {
	var ids []string
	for _, p := range r.Points {
		if p.Outcome == o {
			ids = append(ids, p.ID)
		}
	}
	return slices.Clip(ids)
}
