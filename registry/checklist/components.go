package checklist

import (
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
)

// incidents reads the report about the SBOM. What could not be measured is for
// people; without any database it informs them and holds up nothing, unless
// the operator said otherwise.
func incidents(f *Facts) outcome {
	if f.Artifact == "" && f.Binding == "endpoint" {
		return notNeeded("a remote endpoint without an artifact: no components are known")
	}
	r := f.Vulnerabilities
	if r == nil {
		return unmeasured("nobody looked")
	}
	out := outcome{facts: r, basis: r.Basis()}
	switch r.Result {
	case assess.Vulnerable:
		worst := r.Counting()[0]
		out.result, out.note = admission.Fail, fmt.Sprintf("%d findings at or above %s, such as %s in %s (%s)", len(r.Counting()), r.Policy.FailAt, admission.Visible(worst.ID), admission.Visible(worst.Component), measuredBy(r))
	case assess.Tolerated, assess.Clean:
		out.result, out.note = admission.Pass, fmt.Sprintf("%d components, %d findings below %s or suppressed (%s)", r.Components, len(r.Findings), r.Policy.FailAt, measuredBy(r))
	default:
		out.result, out.note = admission.Unanswered, "unmeasured: "+strings.Join(r.Why, "; ")
		out.informs = r.Database == nil && !f.MustMeasure
		if r.Database != nil {
			out.note += " (" + measuredBy(r) + ")"
		}
	}
	return out
}

// measuredBy names the database, as it stood then.
func measuredBy(r *assess.Report) string {
	return fmt.Sprintf("database %.19s, %d hours old", r.Database.Digest, r.Database.AgeHours)
}

// licencesAllowed reads the operator's lists. What they do not settle is for
// people; without lists it informs them.
func licencesAllowed(f *Facts) outcome {
	if f.Artifact == "" && f.Binding == "endpoint" {
		return notNeeded("a remote endpoint without an artifact: no components are known")
	}
	l := f.Licences
	if !l.Configured {
		out := unmeasured("there is no licence policy").on("none")
		out.informs = true
		return out
	}
	facts := map[string]any{"sbom": f.SBOM.Digest, "allowed": l.Allowed, "denied": clip(l.Denied), "review": clip(l.Review)}
	out := outcome{facts: facts, basis: []any{l.Denied, l.Review}}
	switch {
	case len(l.Denied) > 0:
		out.result, out.note = admission.Fail, fmt.Sprintf("%d components of a denied licence, such as %s", len(l.Denied), admission.Visible(l.Denied[0].Component))
	case len(l.Review) > 0:
		out.result, out.note = admission.Unanswered, fmt.Sprintf("%d components whose licence no list settles, such as %s", len(l.Review), admission.Visible(l.Review[0].Component))
	case f.SBOM.Components == 0 && !f.SBOM.Complete:
		return unmeasured("no components could be read")
	default:
		out.result, out.note = admission.Pass, fmt.Sprintf("%d components, all allowed", l.Allowed)
	}
	return out
}
