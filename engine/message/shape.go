package message

// The shapes of MCP (schema.ts of 2025-11-25 and 2026-07-28). A member name
// means nearly the same wherever it stands, so that one table serves params,
// results and entries; the few exceptions are places of their own.
var (
	body     = newBody() // tools, templates and resources of a listing too
	envelope = newEnvelope(body)

	// reply is what a client answers to an upstream: what a user typed, or
	// what a model wrote.
	reply = newEnvelope(body.extend().link(body.extend().
		define(KindArgument, "name", "title", "description", "value").named(KindArgument, KindArgumentName), "content"))

	// promptEntry describes its arguments where other shapes carry them.
	promptEntry = body.defined["prompts"]

	promptArgument = texts(KindOther).
			define(KindParameter, "name").
			define(KindSchemaTitle, "title").
			define(KindSchemaDescription, "description").
			define(KindOther, "required")

	serverInfo = texts(KindServerInfo).
			define(KindServerInfo, "name", "title", "version", "description", "websiteUrl").
			link(icons, "icons")

	icons = texts(KindOther).
		define(KindURI, "src").define(KindMIME, "mimeType").
		link(words("any"), "sizes").link(words("light", "dark"), "theme")

	capabilities = newCapabilities()

	annotation = texts(KindAnnotation).
			define(KindAnnotation, "title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint", "priority", "lastModified").
			link(words("user", "assistant"), "audience")
)

// newEnvelope is a whole JSON-RPC message. Its id is skipped: the gateway
// answers with ids of its own.
func newEnvelope(content *place) *place {
	rpcError := texts(KindError).define(KindError, "code", "message", "data")
	return texts(KindOther).
		link(nil, "jsonrpc", "id").
		link(&place{kind: KindOther, names: KindOther, method: true}, "method").
		link(content, "params", "result").link(rpcError, "error")
}

func newCapabilities() *place {
	p := texts(KindOther)
	p.link(p, "tools", "prompts", "resources", "logging", "completions", "listChanged", "subscribe", "tasks", "list",
		"cancel", "requests", "call", "sampling", "createMessage", "elicitation", "create", "form", "url", "roots", "context")
	return p.link(texts(KindOther), "experimental", "extensions")
}

func newBody() *place {
	p := texts(KindOther)
	media := texts(KindText)
	media.base64 = true
	p.
		define(KindName, "name", "logger").
		define(KindTitle, "title").
		define(KindDescription, "description").
		define(KindInstructions, "instructions").
		define(KindText, "text", "message", "reason", "statusMessage", "systemPrompt", "values", "stopSequences").
		define(KindURI, "uri", "uriTemplate", "url", "websiteUrl").
		define(KindMIME, "mimeType").
		define(KindMeta, "_meta", "metadata").
		define(KindStructured, "structuredContent").
		define(KindArgument, "value").
		link(opaque(KindArgument, KindArgumentName), "arguments", "input").
		link(media, "data", "blob").
		link(annotation, "annotations").
		link(serverInfo, "serverInfo").
		link(capabilities, "capabilities").
		link(icons, "icons").
		link(schema, "inputSchema", "outputSchema", "requestedSchema").
		// Containers of what is named above.
		link(p, "content", "contents", "resource", "resources", "resourceTemplates", "messages", "tools", "completion",
			"ref", "argument", "context", "execution", "inputRequests", "inputResponses", "params", "result",
			"task", "tasks", "roots", "modelPreferences", "hints", "clientInfo").
		// Closed vocabularies.
		link(words("text", "image", "audio", "resource", "resource_link", "tool_use", "tool_result",
			"ref/prompt", "ref/resource", "ref/tool"), "type").
		link(words("user", "assistant"), "role").
		link(words("accept", "decline", "cancel"), "action").
		link(words("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"), "level").
		link(words("form", "url", "auto", "required", "none"), "mode").
		link(words("forbidden", "optional", "required"), "taskSupport").
		link(words("none", "thisServer", "allServers"), "includeContext").
		link(words("complete", "input_required", "task"), "resultType").
		link(words("public", "private"), "cacheScope").
		link(words("working", "input_required", "completed", "failed", "cancelled"), "status").
		// Tokens, numbers and flags: texts only where a server makes them so.
		define(KindOther, "nextCursor", "cursor", "requestState", "protocolVersion", "supportedVersions", "version", "taskId",
			"isError", "progressToken", "progress", "total", "hasMore", "maxTokens", "temperature", "size", "model",
			"stopReason", "id", "toolUseId", "method", "ttl", "ttlMs", "pollInterval", "createdAt", "lastUpdatedAt", "requestId",
			"costPriority", "speedPriority", "intelligencePriority", "toolChoice", "elicitationId", "required")
	return p.link(p.extend().link(promptArgument, "arguments"), "prompts")
}
