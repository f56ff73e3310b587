package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// editDatabase does what an intruder with the database file would do, and
// shows that the gateway takes no notice.
func editDatabase(w *demoWorld) (string, error) {
	db, err := store.Open(filepath.Join(w.path("data"), "registry.db"), nil)
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	result, err := db.ExecContext(ctx, `UPDATE versions SET state = 'approved' WHERE name = 'io.github.acme/almanac'`)
	if err != nil {
		return "", err
	}
	if rows, err := result.RowsAffected(); err != nil || rows != 1 {
		return "", fmt.Errorf("%d rows were edited: %v", rows, err)
	}
	var v admission.Version
	if err := w.cliJSON(&v, w.reviewerKey, "server", "show", "io.github.acme/almanac@1.0.0"); err != nil {
		return "", err
	}
	if v.State != admission.Approved {
		return "", fmt.Errorf("the edit did not take: state %s", v.State)
	}
	for range 10 { // through at least one fresh snapshot
		_, err := w.call("almanac", "forecast", map[string]any{"city": "Lisbon"})
		if _, err := refused(err, "not_approved"); err != nil {
			return "", err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "the row says approved, the gateway refuses: not_approved", nil
}

func revokeKey(w *demoWorld) (string, error) {
	if _, err := w.call("weather", "save_note", map[string]any{"topic": "before"}); err != nil {
		return "", fmt.Errorf("before the revocation: %w", err)
	}
	if _, _, err := w.cli(w.doors.AdminKey, "key", "revoke", w.agentKeyID); err != nil {
		return "", err
	}
	_, err := w.call("weather", "save_note", map[string]any{"topic": "after"})
	if err == nil {
		return "", fmt.Errorf("the call passed")
	}
	return "key " + w.agentKeyID + " answered with 401", w.unauthorized()
}

// searchAudit reads the log back and looks for every part of the story.
func searchAudit(w *demoWorld) (string, error) {
	out, _, err := w.cli(w.doors.AdminKey, "audit", "search", "--limit", "1000", "-o", "json")
	if err != nil {
		return "", err
	}
	var events []jsontext.Value
	if err := json.Unmarshal([]byte(out), &events); err != nil {
		return "", err
	}
	seen := map[string]int{}
	for _, raw := range events {
		var e struct {
			ClassUID   int    `json:"class_uid"`
			StatusCode string `json:"status_code"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return "", err
		}
		seen[fmt.Sprint(e.ClassUID)]++
		seen[e.StatusCode]++
	}
	for _, want := range []string{"6003", "3004", "2004", "3002", "finding", "entry_drifted", "not_approved"} {
		if seen[want] == 0 {
			return "", fmt.Errorf("no event %q among %d", want, len(events))
		}
	}
	return fmt.Sprintf("%d events, among them every refusal above", len(events)), nil
}
