package gateway

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// refusal is a no: a value, not an error. Everything in it but cause may be
// told to the client, so it holds host-owned text, rule ids and pointers only.
type refusal struct {
	reason    Reason
	rules     []string
	pointers  []string
	supported []string // ReasonVersion: what is served instead
	requested string
	uri       string // ReasonEntryUnknown: the resource that was asked for
	retry     time.Duration
	badToken  bool  // ReasonUnauthenticated: a credential came, and it was wrong
	cause     error // for the log
}

func refuse(reason Reason) *refusal { return &refusal{reason: reason} }

// because keeps the error for the log; clients never see it.
func (r *refusal) because(err error) *refusal { r.cause = err; return r }

// errorData is the data member of every error that the gateway writes.
type errorData struct {
	Reason    Reason   `json:"reason"`
	Rules     []string `json:"rules"`
	Pointers  []string `json:"pointers"`
	AuditID   string   `json:"auditId,omitzero"`
	Supported []string `json:"supported,omitzero"`
	Requested string   `json:"requested,omitzero"`
	URI       string   `json:"uri,omitzero"`
}

// maxURI bounds the URI that an error repeats to the client who sent it.
const maxURI = 2048

// noResource is a resource that the server does not list, which the modern era
// has a code and data of its own for.
func (r *refusal) noResource(era protocol.Era) bool { return r.uri != "" && era == protocol.Modern }

// code is the JSON-RPC code of the refusal. The modern era fixes the codes of a
// method that is not served (2026-07-28, streamable-http, "Error handling") and
// of a resource that does not exist (server/resources, "Error Handling").
func (r *refusal) code(era protocol.Era) int {
	switch {
	case r.reason == ReasonMethodDenied && era == protocol.Modern:
		return protocol.CodeMethodNotFound
	case r.noResource(era):
		return protocol.CodeInvalidParams
	}
	return meanings[r.reason].code
}

// status is the HTTP status of the refusal. blockStatus replaces 403 of blocks.
func (r *refusal) status(era protocol.Era, blockStatus int) int {
	m := meanings[r.reason]
	switch {
	case r.reason == ReasonMethodDenied && era == protocol.Modern:
		return http.StatusNotFound
	case r.noResource(era):
		return statusOfError(protocol.CodeInvalidParams)
	case m.code == protocol.CodeBlocked && m.status == http.StatusForbidden:
		return blockStatus
	}
	return m.status
}

// message is the JSON-RPC error response of the refusal to request id.
func (r *refusal) message(id jsontext.Value, era protocol.Era, auditID string) []byte {
	data := errorData{
		Reason: r.reason, Rules: orEmpty(r.rules), Pointers: orEmpty(shownPointers(r.pointers)), AuditID: auditID,
		Supported: r.supported, Requested: r.requested,
	}
	if r.noResource(era) && len(r.uri) <= maxURI {
		data.URI = r.uri
	}
	return jsonrpc.NewError(id, r.code(era), meanings[r.reason].text, data)
}

// plainToken is a member name that cannot carry a message.
var plainToken = regexp.MustCompile(`\A[A-Za-z0-9_$.~-]{1,32}\z`)

// shownPointers are pointers as clients see them. Member names are written by
// servers, and a model reads the errors of its tools: a name that is more than
// a name is shown as "*". The audit log has the pointer as it is.
func shownPointers(pointers []string) []string {
	var shown []string
	for _, pointer := range pointers {
		tokens := strings.Split(pointer, "/")
		for i, token := range tokens {
			if i > 0 && !plainToken.MatchString(token) {
				tokens[i] = "*"
			}
		}
		shown = appendOnce(shown, strings.Join(tokens[:min(len(tokens), maxTokens)], "/"))
	}
	return shown
}

// maxTokens bounds the depth of a pointer that is shown.
const maxTokens = 16

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// challenge sets the headers that go with the refusal (RFC 6750 §3, RFC 9728
// §5.1; RFC 9110 §10.2.3 and §15.5.6).
func (r *refusal) challenge(h http.Header, metadata string) {
	switch r.reason {
	case ReasonUnauthenticated:
		value := `Bearer realm="bartizan"`
		if r.badToken {
			value += `, error="invalid_token"`
		}
		if metadata != "" {
			value += `, resource_metadata="` + metadata + `"`
		}
		h.Set("WWW-Authenticate", value)
	case ReasonShuttingDown:
		h.Set("Connection", "close") // the next one finds another gateway
		h.Set("Retry-After", "1")
	case ReasonTooManyRequests, ReasonSessionsExceeded, ReasonUpstreamBusy, ReasonSuspended:
		h.Set("Retry-After", strconv.Itoa(max(1, int(r.retry/time.Second))))
	case ReasonHTTPMethod:
		h.Set("Allow", "GET, POST, DELETE")
	}
}

// refuseTransport answers a request that never became a message.
func (g *Gateway) refuseTransport(w http.ResponseWriter, r *http.Request, no *refusal) {
	g.logRefusal(r.Context(), no)
	no.challenge(w.Header(), g.cfg.ResourceMetadata)
	writeJSON(w, no.status("", g.cfg.BlockStatus), no.message(nil, "", ""))
}

func (g *Gateway) logRefusal(ctx context.Context, no *refusal) {
	if no.cause != nil {
		g.log.WarnContext(ctx, "refused", "reason", string(no.reason), "cause", no.cause)
	}
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
