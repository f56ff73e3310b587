package protocol

// Methods and notifications, all eras.
const (
	MethodInitialize             = "initialize"
	MethodDiscover               = "server/discover"
	MethodPing                   = "ping"
	MethodToolsList              = "tools/list"
	MethodToolsCall              = "tools/call"
	MethodPromptsList            = "prompts/list"
	MethodPromptsGet             = "prompts/get"
	MethodResourcesList          = "resources/list"
	MethodResourcesTemplatesList = "resources/templates/list"
	MethodResourcesRead          = "resources/read"
	MethodResourcesSubscribe     = "resources/subscribe"
	MethodResourcesUnsubscribe   = "resources/unsubscribe"
	MethodSubscriptionsListen    = "subscriptions/listen"
	MethodCompletionComplete     = "completion/complete"
	MethodLoggingSetLevel        = "logging/setLevel"
	MethodTasksGet               = "tasks/get"
	MethodTasksResult            = "tasks/result"
	MethodTasksList              = "tasks/list"
	MethodTasksCancel            = "tasks/cancel"
	MethodTasksUpdate            = "tasks/update"
	MethodSamplingCreateMessage  = "sampling/createMessage"
	MethodElicitationCreate      = "elicitation/create"
	MethodRootsList              = "roots/list"

	NotificationInitialized          = "notifications/initialized"
	NotificationCancelled            = "notifications/cancelled"
	NotificationProgress             = "notifications/progress"
	NotificationMessage              = "notifications/message"
	NotificationToolsListChanged     = "notifications/tools/list_changed"
	NotificationPromptsListChanged   = "notifications/prompts/list_changed"
	NotificationResourcesListChanged = "notifications/resources/list_changed"
	NotificationResourcesUpdated     = "notifications/resources/updated"
	NotificationRootsListChanged     = "notifications/roots/list_changed"
	NotificationElicitationComplete  = "notifications/elicitation/complete"
	NotificationSubscriptionsAck     = "notifications/subscriptions/acknowledged"
	NotificationTasksStatus          = "notifications/tasks/status"
)

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
	// Eras that define the method; the modern era removed several.
	Eras []Era
	// Entry is the member of params that names a listed entry ("name" or
	// "uri"), "" when the method addresses none.
	Entry string
	// List is the member of a list result that holds the entries, "" for
	// methods that list nothing.
	List string
	// Params are the members of params that the protocol defines, _meta
	// included. A spelling of one of these in other case is ambiguous.
	Params []string
}

// In reports whether era defines the method.
func (m Method) In(era Era) bool {
	for _, e := range m.Eras {
		if e == era {
			return true
		}
	}
	return false
}

// Lookup returns the table row of a method name; false for a method that the
// specification does not define.
func Lookup(name string) (Method, bool) {
	m, ok := methods[name]
	return m, ok
}

var methods = map[string]Method{}
