package approval

// Binding says how firmly an approval is tied to what runs.
type Binding string

// From strong to weak.
const (
	BindingArtifact Binding = "artifact" // started from a read-only tree whose digest is a subject
	BindingCommand  Binding = "command"  // argv and environment names; code not
	BindingEndpoint Binding = "endpoint" // exact URL, no redirects; code not
)

// MinimumPinned is no binding of an approval but a minimum between command and
// artifact: an endpoint that proves its identity by a pin.
const MinimumPinned Binding = "pinned"

// strength orders bindings and minimums. Neither a command nor an endpoint
// binds the code; a command binds at least what this machine is asked to do; a
// pin binds who answers.
var strength = map[Binding]int{BindingEndpoint: 1, BindingCommand: 2, MinimumPinned: 3, BindingArtifact: 4}

// Valid reports whether an approval can have this binding.
func (b Binding) Valid() bool { return strength[b] > 0 && b != MinimumPinned }

// Minimum reports whether a gateway can demand b; "" demands nothing.
func (b Binding) Minimum() bool { return b == "" || strength[b] > 0 }

// Satisfies reports whether the approval's binding is at least min. No minimum
// ("") is satisfied by any valid binding; an unknown minimum by none.
func (p *Predicate) Satisfies(min Binding) bool {
	if !p.Binding.Valid() || !min.Minimum() {
		return false
	}
	have := p.Binding
	if have == BindingEndpoint && p.Launch.Pin != "" {
		have = MinimumPinned
	}
	return strength[have] >= strength[min]
}
