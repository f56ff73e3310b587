package protocol

import "slices"

// Direction says which peer sends a method.
type Direction int

const (
	ClientToServer Direction = iota + 1
	ServerToClient
	Both
)

// MethodKind says whether a method is answered.
type MethodKind int

const (
	Request MethodKind = iota + 1
	Notification
)

// Method is what the specification fixes about one method.
type Method struct {
	Name      string
	Kind      MethodKind
	Direction Direction
	// Eras in which the method travels as a message of its own. The modern era
	// removed several and carries server requests inside results (MRTR).
	Eras []Era
	// Entry is the member of params that names a listed entry ("name" or
	// "uri"), "" when the method addresses none.
	Entry string
	// List is the member of the result that holds the entries of a paged
	// list, "" for methods that list nothing a fingerprint covers.
	List string
	// Params are the members of params that the protocol defines, _meta
	// included. A spelling of one of these in another case is ambiguous.
	Params []string
}

// In reports whether the method travels as a message in era.
func (m Method) In(era Era) bool { return slices.Contains(m.Eras, era) }

// Lookup returns the table row of a method; false for a method that the core
// specification does not define, extensions included.
func Lookup(name string) (Method, bool) {
	m, ok := methods[name]
	return m, ok
}

var (
	bothEras   = []Era{Legacy, Modern}
	legacyOnly = []Era{Legacy}
	modernOnly = []Era{Modern}
)

// methods follows schema.ts of 2025-11-25 and 2026-07-28. Members that exist
// in one era only are defined in both: a wrong case is refused in either.
var methods = index(
	request(MethodInitialize, ClientToServer, legacyOnly, "protocolVersion", "capabilities", "clientInfo"),
	request(MethodDiscover, ClientToServer, modernOnly),
	request(MethodPing, Both, legacyOnly),
	request(MethodToolsList, ClientToServer, bothEras, "cursor").lists("tools"),
	request(MethodToolsCall, ClientToServer, bothEras, "name", "arguments", "task", "inputResponses", "requestState").names("name"),
	request(MethodPromptsList, ClientToServer, bothEras, "cursor").lists("prompts"),
	request(MethodPromptsGet, ClientToServer, bothEras, "name", "arguments", "inputResponses", "requestState").names("name"),
	request(MethodResourcesList, ClientToServer, bothEras, "cursor").lists("resources"),
	request(MethodResourcesTemplatesList, ClientToServer, bothEras, "cursor").lists("resourceTemplates"),
	request(MethodResourcesRead, ClientToServer, bothEras, "uri", "inputResponses", "requestState").names("uri"),
	request(MethodResourcesSubscribe, ClientToServer, legacyOnly, "uri").names("uri"),
	request(MethodResourcesUnsubscribe, ClientToServer, legacyOnly, "uri").names("uri"),
	request(MethodSubscriptionsListen, ClientToServer, modernOnly, "notifications"),
	request(MethodCompletionComplete, ClientToServer, bothEras, "ref", "argument", "context"),
	request(MethodLoggingSetLevel, ClientToServer, legacyOnly, "level"),
	request(MethodTasksGet, Both, legacyOnly, "taskId"),
	request(MethodTasksResult, Both, legacyOnly, "taskId"),
	request(MethodTasksList, Both, legacyOnly, "cursor"),
	request(MethodTasksCancel, Both, legacyOnly, "taskId"),
	request(MethodSamplingCreateMessage, ServerToClient, legacyOnly, "messages", "modelPreferences",
		"systemPrompt", "includeContext", "temperature", "maxTokens", "stopSequences", "metadata", "tools", "toolChoice", "task"),
	request(MethodElicitationCreate, ServerToClient, legacyOnly, "mode", "message", "requestedSchema", "url", "elicitationId", "task"),
	request(MethodRootsList, ServerToClient, legacyOnly),

	notification(NotificationInitialized, ClientToServer, legacyOnly),
	notification(NotificationCancelled, Both, bothEras, "requestId", "reason"),
	notification(NotificationProgress, Both, bothEras, "progressToken", "progress", "total", "message"),
	notification(NotificationMessage, ServerToClient, bothEras, "level", "logger", "data"),
	notification(NotificationToolsListChanged, ServerToClient, bothEras),
	notification(NotificationPromptsListChanged, ServerToClient, bothEras),
	notification(NotificationResourcesListChanged, ServerToClient, bothEras),
	notification(NotificationResourcesUpdated, ServerToClient, bothEras, "uri"),
	notification(NotificationRootsListChanged, ClientToServer, legacyOnly),
	notification(NotificationElicitationComplete, ServerToClient, legacyOnly, "elicitationId"),
	notification(NotificationSubscriptionsAck, ServerToClient, modernOnly, "notifications"),
	notification(NotificationTasksStatus, Both, legacyOnly, "taskId", "status", "statusMessage", "createdAt", "lastUpdatedAt", "ttl", "pollInterval"),
)

func request(name string, d Direction, eras []Era, params ...string) Method {
	return Method{Name: name, Kind: Request, Direction: d, Eras: eras, Params: append(params, "_meta")}
}

func notification(name string, d Direction, eras []Era, params ...string) Method {
	m := request(name, d, eras, params...)
	m.Kind = Notification
	return m
}

func (m Method) names(member string) Method { m.Entry = member; return m }
func (m Method) lists(member string) Method { m.List = member; return m }

func index(rows ...Method) map[string]Method {
	byName := make(map[string]Method, len(rows))
	for _, m := range rows {
		byName[m.Name] = m
	}
	return byName
}
