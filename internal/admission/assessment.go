package admission

import "time"

// Assessment says how a version's components stand to a vulnerability database
// (sbom/assess). The whole report is the blob Evidence.
type Assessment struct {
	Result     string    `json:"result"`            // vulnerable | unmeasured | tolerated | clean
	Why        []string  `json:"why,omitzero"`      // of unmeasured
	Database   string    `json:"database,omitzero"` // digest; empty: there was none
	Newest     time.Time `json:"newest,omitzero"`   // entry of the database
	Imported   time.Time `json:"imported,omitzero"`
	AgeHours   int       `json:"ageHours,omitzero"` // of the entries that mattered, at the time
	Worst      string    `json:"worst,omitzero"`    // severity among those that count
	Counting   []string  `json:"counting,omitzero"` // package URL and id of each finding at or above the limit
	Findings   int       `json:"findings"`          // all, suppressed ones included
	Suppressed int       `json:"suppressed,omitzero"`
	Unmeasured int       `json:"unmeasured,omitzero"` // components
	Evidence   string    `json:"evidence"`
	At         time.Time `json:"at"`
}

// Judgement is one time that a version was judged. Judgements are only added;
// what an earlier one rested on stays.
type Judgement struct {
	Sequence   int64       `json:"sequence"`
	Cause      string      `json:"cause"` // publication, or what had changed
	State      State       `json:"state"` // after it
	Reasons    []Reason    `json:"reasons,omitzero"`
	Stale      []Reason    `json:"stale,omitzero"`
	Verdict    string      `json:"verdict,omitzero"` // evidence of the listing scan
	Assessment *Assessment `json:"assessment,omitzero"`
	At         time.Time   `json:"at"`
}
