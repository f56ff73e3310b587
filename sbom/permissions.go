package sbom

import (
	"cmp"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/bartizan-mcp/bartizan/internal/permission"
)

// none is the value of a property for a kind of which nothing is needed.
const none = "none"

// needsProperties writes what is declared, by kind. The names behind
// "capability:" are those of the capability taxonomy that is proposed for agents
// (CycloneDX property taxonomy, issue 180), where they mean the same.
func needsProperties(n permission.Needs) []cdx.Property {
	var out []cdx.Property
	add := func(name string, declared bool, values []string) {
		if declared && len(values) == 0 {
			values = []string{none}
		}
		for _, v := range values {
			out = append(out, cdx.Property{Name: name, Value: v})
		}
	}
	add(propMCPOAuth, n.OAuthScopes != nil, n.OAuthScopes)
	add(propMCPNetwork, n.Network != nil, n.Network)
	add(propMCPFiles, n.Files != nil, n.Paths())
	add(propMCPExec, n.Exec != nil, n.Exec)
	add(propMCPEnv, n.Env != nil, n.Env)
	return out
}

func flowsOf(data []permission.Data) []Flow {
	out := make([]Flow, len(data))
	for i, d := range data {
		out[i] = Flow{Direction: d.Flow, Classification: d.Classification}
	}
	return out
}

// crosses says whether data leaves the trust boundary with these needs; nil
// where nothing is declared.
func crosses(n permission.Needs) *bool {
	if n.Network == nil {
		return nil
	}
	return cdx.Bool(len(n.Network) > 0)
}

// dataOf writes flows as CycloneDX has them, sorted, each once.
func dataOf(flows []Flow) *[]cdx.DataClassification {
	var data []cdx.DataClassification
	for _, f := range flows {
		data = append(data, cdx.DataClassification{Flow: cdx.DataFlow(f.Direction), Classification: f.Classification})
	}
	slices.SortFunc(data, func(a, b cdx.DataClassification) int {
		return cmp.Or(strings.Compare(string(a.Flow), string(b.Flow)), strings.Compare(a.Classification, b.Classification))
	})
	return optional(slices.CompactFunc(data, func(a, b cdx.DataClassification) bool {
		return a.Flow == b.Flow && a.Classification == b.Classification
	}))
}
