package merge

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// Introduction is how several servers present themselves as one.
type Introduction struct {
	declared     map[string]bool
	instructions []string
}

// Offer declares a capability that some server has entries for, whether or not
// that server can be reached now.
func (i *Introduction) Offer(capability string) {
	if i.declared == nil {
		i.declared = map[string]bool{}
	}
	i.declared[capability] = true
}

// Add takes in what one server says of itself. Instructions are those that its
// approval names.
func (i *Introduction) Add(alias string, capabilities jsontext.Value, instructions string) {
	for _, name := range []string{"tools", "prompts", "resources", "completions", "logging"} {
		if value, _, _, err := jsonrpc.Get(capabilities, jsontext.Pointer("").AppendToken(name)); err == nil && value.Kind() == '{' {
			i.Offer(name)
		}
	}
	if subscribe, _, _, err := jsonrpc.Get(capabilities, "/resources/subscribe"); err == nil && string(subscribe) == "true" {
		i.Offer("subscribe")
	}
	if instructions != "" {
		i.instructions = append(i.instructions, "# "+alias+"\n\n"+instructions)
	}
}

// Capabilities is the union of what can be served through one endpoint:
// list_changed always, since servers come and go; experimental capabilities and
// extensions never, since their methods name no server.
func (i *Introduction) Capabilities() jsontext.Value {
	var members []string
	for _, name := range []string{"completions", "logging"} {
		if i.declared[name] {
			members = append(members, `"`+name+`":{}`)
		}
	}
	for _, name := range []string{"prompts", "resources", "tools"} {
		if !i.declared[name] {
			continue
		}
		detail := `"listChanged":true`
		if name == "resources" && i.declared["subscribe"] {
			detail += `,"subscribe":true`
		}
		members = append(members, `"`+name+`":{`+detail+`}`)
	}
	return jsontext.Value("{" + strings.Join(members, ",") + "}")
}

// Instructions are those of all servers, each under its alias.
func (i *Introduction) Instructions() string {
	return strings.Join(slices.Sorted(slices.Values(i.instructions)), "\n\n")
}
