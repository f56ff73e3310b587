package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/audit"
)

// call is one authenticated request.
type call struct {
	*gin.Context
	api *api
	ctx context.Context
	by  audit.Origin
}

// Param is a path parameter, unescaped as a path segment (RFC 3986). What is
// not well-formed is "", which names nothing.
func (q *call) Param(name string) string {
	s, err := url.PathUnescape(q.Context.Param(name))
	if err != nil {
		return ""
	}
	return s
}

func (q *call) tenant() string { return q.by.Caller.Tenant }

// answer writes a JSON body.
func (q *call) answer(status int, body any) error {
	b, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return err
	}
	return q.bytes(status, "application/json", b)
}

func (q *call) bytes(status int, media string, b []byte) error {
	q.Header("Content-Type", media)
	q.Status(status)
	_, err := q.Writer.Write(b)
	return err
}

func (q *call) plain(text string) error {
	return q.bytes(http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}

// read decodes the JSON body strictly: one value, no unknown, duplicate or
// misspelt members.
func (q *call) read(into any) error {
	b, err := q.body()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into, json.RejectUnknownMembers(true)); err != nil {
		return refusal(http.StatusBadRequest, "malformed_body", "the body is not the JSON object that this resource wants")
	}
	return nil
}

func (q *call) body() ([]byte, error) {
	media, _, err := mime.ParseMediaType(q.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return nil, refusal(http.StatusUnsupportedMediaType, "media_type", "send application/json")
	}
	return io.ReadAll(q.Request.Body)
}

// subject reads If-Match: the subject digest that the caller looked at.
func (q *call) subject(required bool) (string, error) {
	tag := q.Request.Header.Values("If-Match")
	switch {
	case len(tag) == 0 && !required:
		return "", nil
	case len(tag) == 0:
		return "", refusal(http.StatusPreconditionRequired, "subject_required", `name the subject that you looked at: If-Match: "<subject>"`)
	case len(tag) > 1:
		return "", refusal(http.StatusBadRequest, "malformed_header", "one If-Match header")
	}
	s := strings.Trim(tag[0], `"`)
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", refusal(http.StatusBadRequest, "malformed_header", "If-Match is a subject digest in quotes")
	}
	return s, nil
}
