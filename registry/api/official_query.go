package api

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/registry"
)

// publicQuery reads what selects a page. Statuses are those of the official
// registry: 422 for what its schema refuses, 400 for the rest.
func publicQuery(q *call) (registry.PublicQuery, error) {
	out := registry.PublicQuery{Search: q.Query("search"), Version: q.Query("version"), Limit: 30}
	if s, given := q.GetQuery("limit"); given {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 100 {
			return out, malformed(http.StatusUnprocessableEntity, "limit is 1 to 100")
		}
		out.Limit = n
	}
	if out.Search != "" && utf8.RuneCountInString(strings.TrimSpace(out.Search)) < 3 {
		return out, malformed(http.StatusUnprocessableEntity, "search has at least 3 characters")
	}
	if s := q.Query("updated_since"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return out, malformed(http.StatusBadRequest, "updated_since is an RFC 3339 time")
		}
		out.UpdatedSince = t
	}
	deleted, given, err := includeDeleted(q)
	if err != nil {
		return out, err
	}
	// Who follows changes has to hear of deletions.
	if out.Deleted = deleted; !out.UpdatedSince.IsZero() {
		if given && !deleted {
			return out, malformed(http.StatusBadRequest, "include_deleted=false cannot be combined with updated_since: following changes needs deletions")
		}
		out.Deleted = true
	}
	cursor, err := base64.RawURLEncoding.DecodeString(q.Query("cursor"))
	if err != nil || len(cursor) > 0 && !strings.Contains(string(cursor), ":") {
		return out, malformed(http.StatusBadRequest, "cursor is not one of this registry")
	}
	out.After = string(cursor)
	return out, nil
}

func includeDeleted(q *call) (deleted, given bool, err error) {
	s, given := q.GetQuery("include_deleted")
	switch s {
	case "", "false":
		return false, given && s != "", nil
	case "true":
		return true, true, nil
	}
	return false, true, malformed(http.StatusUnprocessableEntity, "include_deleted is true or false")
}

func malformed(status int, detail string) error { return refusal(status, "malformed_query", detail) }
