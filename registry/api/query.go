package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
)

const maxWait = 30 * time.Second

func feedQuery(q *call) (cursor int64, wait time.Duration, err error) {
	if s := q.Query("cursor"); s != "" {
		if cursor, err = strconv.ParseInt(s, 10, 64); err != nil {
			return 0, 0, refusal(http.StatusBadRequest, "malformed_query", "cursor is a number")
		}
	}
	if s := q.Query("wait"); s != "" {
		seconds, err := strconv.Atoi(s)
		if err != nil || seconds < 0 {
			return 0, 0, refusal(http.StatusBadRequest, "malformed_query", "wait is a number of seconds")
		}
		wait = min(time.Duration(seconds)*time.Second, maxWait)
	}
	return cursor, wait, nil
}

// auditQuery never leaves the caller's tenant.
func auditQuery(q *call) (audit.Query, error) {
	out := audit.Query{
		Tenant: q.tenant(), Text: q.Query("text"), Server: q.Query("server"), Entry: q.Query("entry"),
		Principal: q.Query("principal"), Reason: q.Query("reason"), ID: q.Query("id"), Limit: 100,
	}
	for name, into := range map[string]*time.Time{"since": &out.Since, "until": &out.Until} {
		if s := q.Query(name); s != "" {
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return out, refusal(http.StatusBadRequest, "malformed_query", name+" is an RFC 3339 time")
			}
			*into = t
		}
	}
	if s := q.Query("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 10_000 {
			return out, refusal(http.StatusBadRequest, "malformed_query", "limit is 1 to 10000")
		}
		out.Limit = n
	}
	return out, nil
}
