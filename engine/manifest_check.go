package engine

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

var phases = []message.Phase{
	message.PhaseListing, message.PhaseRequest, message.PhaseResult, message.PhasePrompt, message.PhaseResource,
}

// check holds a manifest to what it may say: one thing after the other, in the
// order of the schema.
func (m *Manifest) check() error {
	for _, check := range []func() *ManifestError{m.checkIdentity, m.checkPhases, m.checkForm, m.checkCall, m.checkLimits, m.checkRules} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manifest) checkIdentity() *ManifestError {
	switch {
	case m.ABI == 0:
		return unfit("", "abi is missing: want %d", ABI)
	case m.ABI != ABI:
		return unfit("/abi", "found %d: this engine runs abi %d", m.ABI, ABI)
	case !nameForm.MatchString(m.Name):
		return unfitText("", "name", m.Name, "lower-case words and digits, joined by hyphens")
	case len(m.Name) > maxName:
		return tooManyBytes("/name", len(m.Name), maxName)
	case !versionForm.MatchString(m.Version):
		return unfitText("", "version", m.Version, "a semantic version such as 1.0.0")
	case len(m.Version) > maxName:
		return tooManyBytes("/version", len(m.Version), maxName)
	}
	return nil
}

func tooManyBytes(at jsontext.Pointer, have, most int) *ManifestError {
	return unfit(at, "found %d bytes: want %d at most", have, most)
}

func (m *Manifest) checkPhases() *ManifestError {
	if len(m.Phases) == 0 {
		return unfit("", "phases is missing or empty: want one or more of %s", oneOf(phases...))
	}
	for i, p := range m.Phases {
		switch at := element("/phases", i); {
		case !p.Valid():
			return unfit(at, "found %s: want %s", quoted(string(p)), oneOf(phases...))
		case slices.Contains(m.Phases[:i], p):
			return unfit(at, "found %s twice", quoted(string(p)))
		}
	}
	return nil
}

func (m *Manifest) checkForm() *ManifestError {
	switch {
	case m.Encoding != EncodingJSON && m.Encoding != EncodingFlat:
		return unfitText("", "encoding", m.Encoding, oneOf(EncodingFlat, EncodingJSON))
	case m.Form != FormReactor && m.Form != FormCommand:
		return unfitText("", "form", m.Form, oneOf(FormReactor, FormCommand))
	case m.Form == FormCommand && m.Encoding != EncodingJSON:
		return unfit("/encoding", "found %q: want %s, which form %s reads and writes", m.Encoding, EncodingJSON, FormCommand)
	}
	return nil
}

func (m *Manifest) checkCall() *ManifestError {
	switch {
	case m.Call != CallAlways && m.Call != CallTriggered:
		return unfitText("", "call", m.Call, oneOf(CallAlways, CallTriggered))
	case m.Patterns != nil && len(m.Patterns) == 0:
		return unfit("/patterns", "none: leave the member out, or want 1 to %d", maxPatterns)
	case m.Call == CallAlways && m.Trigger != nil:
		return unfit("/trigger", "found a trigger: want none where call is %s", CallAlways)
	case m.Call == CallTriggered && m.Trigger == nil && len(m.Patterns) == 0:
		return unfit("/call", "found %q: wants patterns or a trigger", m.Call)
	}
	if err := checkPatterns(m.Patterns); err != nil {
		return err
	}
	if m.Trigger != nil {
		return m.Trigger.check(m.Patterns)
	}
	return nil
}

func (m *Manifest) checkLimits() *ManifestError {
	switch {
	case m.Limits.DeadlineMs < 0:
		return unfit("/limits/deadlineMs", "found %d: want no negative number", m.Limits.DeadlineMs)
	case m.Limits.Fuel < 0:
		return unfit("/limits/fuel", "found %d: want no negative number", m.Limits.Fuel)
	}
	return nil
}

func (m *Manifest) checkRules() *ManifestError {
	switch n := len(m.Rules); {
	case n == 0:
		return unfit("", "rules is missing or empty: want 1 to %d", maxRules)
	case n > maxRules:
		return unfit("/rules", "found %d: want %d at most", n, maxRules)
	}
	seen := make(map[string]bool, len(m.Rules))
	for i := range m.Rules {
		r, at := &m.Rules[i], element("/rules", i)
		if err := r.check(at); err != nil {
			return err
		}
		if seen[r.ID] {
			return unfit(at+"/id", "found %s twice", quoted(r.ID))
		}
		seen[r.ID] = true
	}
	return nil
}

func (r *Rule) check(at jsontext.Pointer) *ManifestError {
	switch {
	case !ruleForm.MatchString(r.ID):
		return unfitText(at, "id", r.ID, idWanted)
	case len(r.ID) > maxName:
		return tooManyBytes(at+"/id", len(r.ID), maxName)
	case !slices.Contains(families, r.Family):
		return unfitText(at, "family", r.Family, oneOf(families...))
	case !r.Severity.Valid():
		return unfitText(at, "severity", string(r.Severity), oneOf(severities...))
	case r.Description == "":
		return unfitText(at, "description", "", "a sentence for reviewers")
	case len(r.Description) > maxDescription:
		return tooManyBytes(at+"/description", len(r.Description), maxDescription)
	case len(r.Taxonomy) > maxTaxonomy:
		return unfit(at+"/taxonomy", "found %d ids: want %d at most", len(r.Taxonomy), maxTaxonomy)
	}
	for i, id := range r.Taxonomy {
		if !taxonomyForm.MatchString(id) {
			return unfit(element(at+"/taxonomy", i), "found %s: want an id such as OWASP-MCP06 or AML.T0051", quoted(id))
		}
	}
	return nil
}

// What ids of rules and patterns look like, in words.
const idWanted = "lower-case words and digits, joined by dots, hyphens or underscores"

func element(of jsontext.Pointer, i int) jsontext.Pointer { return of.AppendToken(strconv.Itoa(i)) }
