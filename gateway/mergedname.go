package gateway

import (
	"strings"
	"sync"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// merger remembers what follows from approvals and listings: merged names,
// claims on resources, and checked lists. Names and claims are made of what was
// approved, so nothing that a server says later can move them.
type merger struct {
	mu     sync.Mutex
	names  map[string]*merge.Names
	claims map[string]*claims
	lists  map[listKey]*checked
	late   map[string]bool // servers that missed the last list
}

// claims are those on resources. Equal approvals share one.
type claims struct{ merge.Claims }

func newMerger() *merger {
	return &merger{names: map[string]*merge.Names{}, claims: map[string]*claims{}, lists: map[listKey]*checked{}, late: map[string]bool{}}
}

// keptMerged bounds each of merger's memories; beyond it they start anew.
const keptMerged = 4096

// remembered returns what m holds under key, making it where there is nothing.
func remembered[T any](mu *sync.Mutex, m map[string]T, key string, make func() T) T {
	mu.Lock()
	value, ok := m[key]
	mu.Unlock()
	if ok {
		return value
	}
	value = make()
	mu.Lock()
	defer mu.Unlock()
	if len(m) >= keptMerged {
		clear(m)
	}
	m[key] = value
	return value
}

// namesOf are the merged names of a server's tools or prompts.
func (m *merger) namesOf(y *exchange, kind fingerprint.Kind) *merge.Names {
	key := approvedAs(y) + " " + kind.String()
	return remembered(&m.mu, m.names, key, func() *merge.Names {
		return merge.NewNames(y.alias, keysOfKind(y.svc.approved[y.spoken], kind))
	})
}

// claimsOf says which of the servers a URI belongs to.
func (m *merger) claimsOf(usable []*exchange) *claims {
	var key strings.Builder
	for _, y := range usable {
		key.WriteString(approvedAs(y) + "\n")
	}
	return remembered(&m.mu, m.claims, key.String(), func() *claims {
		c := &claims{}
		for _, y := range usable {
			approved := y.svc.approved[y.spoken]
			c.Add(y.alias, keysOfKind(approved, fingerprint.KindResource), keysOfKind(approved, fingerprint.KindTemplate))
		}
		return c
	})
}

// approvedAs names what names and claims follow from.
func approvedAs(y *exchange) string {
	return y.alias + " " + y.svc.approval.Digest + " " + string(y.era) + " " + string(y.spoken)
}

func keysOfKind(approved inventory.Approved, kind fingerprint.Kind) []string {
	var keys []string
	for ref := range approved.Entries {
		if ref.Kind == kind {
			keys = append(keys, ref.Key)
		}
	}
	return keys
}

// capabilityOf is what a server declares that lists entries of a kind.
var capabilityOf = map[fingerprint.Kind]string{
	fingerprint.KindTool: "tools", fingerprint.KindPrompt: "prompts",
	fingerprint.KindResource: "resources", fingerprint.KindTemplate: "resources",
}

// changedBy is the notification that says that a list changed.
var changedBy = map[string]string{
	protocol.MethodToolsList: protocol.NotificationToolsListChanged, protocol.MethodPromptsList: protocol.NotificationPromptsListChanged,
	protocol.MethodResourcesList: protocol.NotificationResourcesListChanged, protocol.MethodResourcesTemplatesList: protocol.NotificationResourcesListChanged,
}
