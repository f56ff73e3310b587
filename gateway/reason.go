package gateway

import (
	"net/http"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Reason is why the gateway refused. The list is closed; docs/errors.md
// explains each, and a test holds the two together.
type Reason string

// Reasons, in the order of the pipeline.
const (
	ReasonPathUnknown         Reason = "path_unknown"
	ReasonHTTPMethod          Reason = "http_method"
	ReasonHostRefused         Reason = "host_refused"
	ReasonOriginRefused       Reason = "origin_refused"
	ReasonHeaderAmbiguous     Reason = "header_ambiguous"
	ReasonTooManyRequests     Reason = "too_many_requests"
	ReasonContentEncoding     Reason = "content_encoding"
	ReasonContentType         Reason = "content_type"
	ReasonNotAcceptable       Reason = "not_acceptable"
	ReasonBodyTooLarge        Reason = "body_too_large"
	ReasonBodyUnreadable      Reason = "body_unreadable"
	ReasonShuttingDown        Reason = "shutting_down"
	ReasonUnauthenticated     Reason = "unauthenticated"
	ReasonKeysUnavailable     Reason = "keys_unavailable"
	ReasonRole                Reason = "role"
	ReasonBatch               Reason = "batch"
	ReasonMalformed           Reason = "malformed"
	ReasonAmbiguous           Reason = "ambiguous"
	ReasonInvalidParams       Reason = "invalid_params"
	ReasonHeaderMismatch      Reason = "header_mismatch"
	ReasonVersion             Reason = "version_unsupported"
	ReasonSessionUnknown      Reason = "session_unknown"
	ReasonSessionRequired     Reason = "session_required"
	ReasonSessionsExceeded    Reason = "too_many_sessions"
	ReasonEventUnknown        Reason = "event_unknown"
	ReasonReplyUnexpected     Reason = "reply_unexpected"
	ReasonIDInUse             Reason = "id_in_use"
	ReasonServerUnknown       Reason = "server_unknown"
	ReasonNotApproved         Reason = "not_approved"
	ReasonApprovalsStale      Reason = "approvals_stale"
	ReasonAliasConflict       Reason = "alias_conflict"
	ReasonLaunchMismatch      Reason = "launch_mismatch"
	ReasonBindingTooWeak      Reason = "binding_too_weak"
	ReasonUnsafeRun           Reason = "unsafe_run_required"
	ReasonArtifactUnavailable Reason = "artifact_unavailable"
	ReasonArtifactChanged     Reason = "artifact_changed"
	ReasonRuntimeChanged      Reason = "runtime_changed"
	ReasonPinMismatch         Reason = "pin_mismatch"
	ReasonMethodDenied        Reason = "method_denied"
	ReasonListing             Reason = "listing_unavailable"
	ReasonSuspended           Reason = "server_suspended"
	ReasonEntryUnknown        Reason = "entry_unknown"
	ReasonEntryNotApproved    Reason = "entry_not_approved"
	ReasonEntryDrifted        Reason = "entry_drifted"
	ReasonEntryDuplicate      Reason = "entry_duplicate"
	ReasonPolicy              Reason = "policy_denied"
	ReasonContested           Reason = "resource_contested"
	ReasonForeign             Reason = "foreign_reference"
	ReasonStateForeign        Reason = "state_foreign"
	ReasonTaskUnknown         Reason = "task_unknown"
	ReasonFinding             Reason = "finding"
	ReasonScannerFailure      Reason = "scanner_failure"
	ReasonUnexamined          Reason = "unexamined"
	ReasonRedaction           Reason = "redaction_impossible"
	ReasonAudit               Reason = "audit_unavailable"
	ReasonUpstreamBusy        Reason = "upstream_busy"
	ReasonUpstreamDown        Reason = "upstream_unavailable"
	ReasonUpstreamRefused     Reason = "upstream_refused"
	ReasonUpstreamTimeout     Reason = "upstream_timeout"
	ReasonUpstreamGone        Reason = "upstream_gone"
	ReasonUpstreamTooLarge    Reason = "upstream_too_large"
	ReasonUpstreamProtocol    Reason = "upstream_protocol"
	ReasonClientGone          Reason = "client_gone"
	ReasonInternal            Reason = "internal"
)

// meaning is how a reason is told: HTTP status, JSON-RPC code and one
// host-owned sentence.
type meaning struct {
	status, code int
	text         string
}

const (
	blocked = protocol.CodeBlocked
	invalid = protocol.CodeInvalidRequest
	broken  = protocol.CodeInternalError
)

var meanings = map[Reason]meaning{
	ReasonPathUnknown:         {http.StatusNotFound, invalid, "nothing is served at this path"},
	ReasonHTTPMethod:          {http.StatusMethodNotAllowed, invalid, "this HTTP method is not served here"},
	ReasonHostRefused:         {http.StatusForbidden, invalid, "the Host header does not name this listener"},
	ReasonOriginRefused:       {http.StatusForbidden, invalid, "this Origin is not admitted"},
	ReasonHeaderAmbiguous:     {http.StatusBadRequest, invalid, "a header that must be single stands more than once"},
	ReasonTooManyRequests:     {http.StatusTooManyRequests, invalid, "too many requests under way from this address"},
	ReasonContentEncoding:     {http.StatusUnsupportedMediaType, invalid, "compressed request bodies are not accepted"},
	ReasonContentType:         {http.StatusUnsupportedMediaType, invalid, "the body must be application/json"},
	ReasonNotAcceptable:       {http.StatusNotAcceptable, invalid, "Accept must admit application/json and text/event-stream"},
	ReasonBodyTooLarge:        {http.StatusRequestEntityTooLarge, invalid, "the body is too large"},
	ReasonBodyUnreadable:      {http.StatusBadRequest, invalid, "the body could not be read"},
	ReasonShuttingDown:        {http.StatusServiceUnavailable, broken, "the gateway is shutting down"},
	ReasonUnauthenticated:     {http.StatusUnauthorized, invalid, "a valid API key is needed"},
	ReasonKeysUnavailable:     {http.StatusServiceUnavailable, broken, "API keys cannot be checked right now"},
	ReasonRole:                {http.StatusForbidden, blocked, "this key has no role for this"},
	ReasonBatch:               {http.StatusBadRequest, invalid, "JSON-RPC batches are not accepted"},
	ReasonMalformed:           {http.StatusBadRequest, protocol.CodeParseError, "the body is not one well-formed JSON-RPC message"},
	ReasonAmbiguous:           {http.StatusBadRequest, protocol.CodeParseError, "two readers could read this message differently"},
	ReasonInvalidParams:       {http.StatusBadRequest, protocol.CodeInvalidParams, "params lack a member that this method needs"},
	ReasonHeaderMismatch:      {http.StatusBadRequest, protocol.CodeHeaderMismatch, "a header does not equal the body"},
	ReasonVersion:             {http.StatusBadRequest, protocol.CodeUnsupportedVersion, "this protocol version is not served here"},
	ReasonSessionUnknown:      {http.StatusNotFound, invalid, "no such session"},
	ReasonSessionRequired:     {http.StatusBadRequest, invalid, "this request needs a session"},
	ReasonSessionsExceeded:    {http.StatusTooManyRequests, invalid, "too many sessions"},
	ReasonEventUnknown:        {http.StatusBadRequest, invalid, "this event id was not issued in this session"},
	ReasonReplyUnexpected:     {http.StatusBadRequest, invalid, "no server request is waiting for this reply"},
	ReasonIDInUse:             {http.StatusBadRequest, invalid, "a request with this id is under way"},
	ReasonServerUnknown:       {http.StatusNotFound, invalid, "no such server"},
	ReasonNotApproved:         {http.StatusForbidden, blocked, "the server has no approval in force"},
	ReasonApprovalsStale:      {http.StatusServiceUnavailable, blocked, "the list of approvals is out of date"},
	ReasonAliasConflict:       {http.StatusForbidden, blocked, "two approved servers claim this alias"},
	ReasonLaunchMismatch:      {http.StatusForbidden, blocked, "the server would not be started as approved"},
	ReasonBindingTooWeak:      {http.StatusForbidden, blocked, "the approval binds less than this gateway demands"},
	ReasonUnsafeRun:           {http.StatusForbidden, blocked, "local servers are not started without a sandbox here"},
	ReasonArtifactUnavailable: {http.StatusServiceUnavailable, blocked, "the approved artifact cannot be had here"},
	ReasonArtifactChanged:     {http.StatusForbidden, blocked, "the artifact is not the approved one"},
	ReasonRuntimeChanged:      {http.StatusForbidden, blocked, "the runtime is not an approved one"},
	ReasonPinMismatch:         {http.StatusForbidden, blocked, "who answers is not who was approved"},
	ReasonMethodDenied:        {http.StatusForbidden, blocked, "this method is not admitted for this server"},
	ReasonListing:             {http.StatusBadGateway, blocked, "the server's own listing could not be checked"},
	ReasonSuspended:           {http.StatusServiceUnavailable, blocked, "the server is suspended: too much of what it said was blocked"},
	ReasonEntryUnknown:        {http.StatusForbidden, blocked, "the server does not list this entry"},
	ReasonEntryNotApproved:    {http.StatusForbidden, blocked, "this entry was not approved"},
	ReasonEntryDrifted:        {http.StatusForbidden, blocked, "this entry is no longer what was approved"},
	ReasonEntryDuplicate:      {http.StatusForbidden, blocked, "the server lists this entry more than once"},
	ReasonPolicy:              {http.StatusForbidden, blocked, "no policy of this organisation permits this"},
	ReasonContested:           {http.StatusForbidden, blocked, "more than one server offers this resource"},
	ReasonForeign:             {http.StatusForbidden, blocked, "this names something of another server"},
	ReasonStateForeign:        {http.StatusForbidden, blocked, "this request state was not issued to this caller"},
	ReasonTaskUnknown:         {http.StatusBadRequest, protocol.CodeInvalidParams, "no such task"},
	ReasonFinding:             {http.StatusForbidden, blocked, "a scanner found something that must not pass"},
	ReasonScannerFailure:      {http.StatusForbidden, blocked, "a scanner could not examine this message"},
	ReasonUnexamined:          {http.StatusForbidden, blocked, "part of this message could not be examined"},
	ReasonRedaction:           {http.StatusForbidden, blocked, "what must be removed cannot be removed safely"},
	ReasonAudit:               {http.StatusServiceUnavailable, broken, "the audit log cannot be written"},
	ReasonUpstreamBusy:        {http.StatusServiceUnavailable, broken, "no more local servers can be started right now"},
	ReasonUpstreamDown:        {http.StatusBadGateway, broken, "the server cannot be reached"},
	ReasonUpstreamRefused:     {http.StatusBadGateway, broken, "the server refused the message"},
	ReasonUpstreamTimeout:     {http.StatusGatewayTimeout, broken, "the server did not answer in time"},
	ReasonUpstreamGone:        {http.StatusBadGateway, broken, "the server ended before it answered"},
	ReasonUpstreamTooLarge:    {http.StatusBadGateway, broken, "the server's answer is too large"},
	ReasonUpstreamProtocol:    {http.StatusBadGateway, broken, "the server's answer breaks the protocol"},
	ReasonClientGone:          {499, broken, "the client left before the answer came"},
	ReasonInternal:            {http.StatusInternalServerError, broken, "internal error"},
}
