package approval

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// Annotations are the tool annotations that a gateway may rely on, canonical, by
// tool. A tool about which the eras disagree, and one without any, has none.
func Annotations(listings []listing.Listing) map[string]jsontext.Value {
	out := map[string]jsontext.Value{}
	disputed := map[string]bool{}
	for _, l := range listings {
		for _, raw := range l.Tools {
			var tool struct {
				Name        string         `json:"name"`
				Annotations jsontext.Value `json:"annotations"`
			}
			if json.Unmarshal(raw, &tool) != nil {
				continue
			}
			a := tool.Annotations.Clone()
			if a.Kind() != '{' || a.Canonicalize() != nil {
				a = jsontext.Value("{}")
			}
			if earlier, seen := out[tool.Name]; seen && string(earlier) != string(a) {
				disputed[tool.Name] = true
			}
			out[tool.Name] = a
		}
	}
	for name, a := range out {
		if disputed[name] || string(a) == "{}" {
			delete(out, name)
		}
	}
	return out
}
