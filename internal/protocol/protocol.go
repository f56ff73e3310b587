// Package protocol holds the names that the Model Context Protocol fixes:
// versions, methods, headers, metadata keys and error codes.
//
// It is a table of constants. It must not parse messages, open connections or
// know any policy.
package protocol

import "slices"

// Era is a generation of the protocol. The two generations share message
// shapes and differ in how a conversation is opened and carried.
type Era string

const (
	// Legacy is every version up to 2025-11-25: initialize, sessions, server
	// requests over the stream.
	Legacy Era = "legacy"
	// Modern is 2026-07-28: server/discover, stateless requests that each
	// carry their version and capabilities in _meta.
	Modern Era = "modern"
)

const (
	// VersionModern is the protocol version of the modern era.
	VersionModern = "2026-07-28"
	// LatestLegacy is the newest protocol version of the legacy era.
	LatestLegacy = "2025-11-25"
)

// LegacyVersions are the published versions of the legacy era, newest first.
var LegacyVersions = []string{LatestLegacy, "2025-06-18", "2025-03-26", "2024-11-05"}

// EraOf returns the era of a protocol version, or "" when no published version
// has that name.
func EraOf(version string) Era {
	switch {
	case version == VersionModern:
		return Modern
	case slices.Contains(LegacyVersions, version):
		return Legacy
	}
	return ""
}

// Valid reports whether e is one of the two eras.
func (e Era) Valid() bool { return e == Legacy || e == Modern }

// Keys of _meta that the modern era fixes (2026-07-28, basic/index, "_meta").
const (
	MetaProtocolVersion    = "io.modelcontextprotocol/protocolVersion"
	MetaClientInfo         = "io.modelcontextprotocol/clientInfo"
	MetaServerInfo         = "io.modelcontextprotocol/serverInfo"
	MetaClientCapabilities = "io.modelcontextprotocol/clientCapabilities"
	MetaLogLevel           = "io.modelcontextprotocol/logLevel"
	MetaSubscriptionID     = "io.modelcontextprotocol/subscriptionId"
)

// TransportSSE is what server.json calls HTTP with server-sent events, the
// transport of 2024-11-05 that streamable HTTP has replaced.
const TransportSSE = "sse"

// HTTP headers of the streamable HTTP transport, in canonical form.
const (
	HeaderProtocolVersion = "Mcp-Protocol-Version"
	HeaderSessionID       = "Mcp-Session-Id"
	HeaderMethod          = "Mcp-Method"
	HeaderName            = "Mcp-Name"
	HeaderParamPrefix     = "Mcp-Param-"
	HeaderLastEventID     = "Last-Event-ID"
)

// Error codes of JSON-RPC 2.0 §5.1 and of MCP.
const (
	CodeParseError              = -32700
	CodeInvalidRequest          = -32600
	CodeMethodNotFound          = -32601
	CodeInvalidParams           = -32602
	CodeInternalError           = -32603
	CodeResourceNotFound        = -32002 // legacy era; the modern era uses CodeInvalidParams
	CodeHeaderMismatch          = -32020 // headers do not equal the body
	CodeMissingClientCapability = -32021
	CodeUnsupportedVersion      = -32022
	CodeURLElicitationRequired  = -32042
	// CodeBlocked is Bartizan's own: a door refused the message.
	CodeBlocked = -31403
)
