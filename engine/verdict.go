package engine

import "time"

// ScannerRef names a scanner that took part in a verdict.
type ScannerRef struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // sha256:<hex> of the module
}

// Verdict is what the scanners of a set say about one message.
type Verdict struct {
	Action     Action        `json:"action"`
	Findings   []Finding     `json:"findings"`
	Failures   []Failure     `json:"failures"`
	Unexamined bool          `json:"unexamined"` // some text was not examined
	Elapsed    time.Duration `json:"-"`
	Flow       []FlowHit     `json:"flow,omitzero"`      // what the scanners were told of earlier messages
	Fuel       int64         `json:"-"`                  // units that the scanners used
	Scanners   []ScannerRef  `json:"scanners,omitempty"` // of the message's phase
	// Called are the names of those that the message concerned. The triggers of
	// the others found nothing for them in it, which is as good as a clean answer.
	Called []string `json:"-"`
}

// DigestOf returns the digest of the named scanner, "" if it took no part.
func (v Verdict) DigestOf(scanner string) string {
	for _, ref := range v.Scanners {
		if ref.Name == scanner {
			return ref.Digest
		}
	}
	return ""
}

// Blocked reports whether the message must not pass.
func (v Verdict) Blocked() bool { return !v.Action.Less(ActionBlock) }
