package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

func callWithSecret(w *demoWorld) (string, error) {
	// Assembled here so that no scanner of this source takes it for a leak.
	secret := "gh" + "p_" + "zQ8mW2xKcV5nT7rJ4hLsD9fYbG3aP20RkQ2P"
	_, err := w.call("weather", "save_note", map[string]any{"topic": "token " + secret})
	r, err := refused(err, "finding")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("rules %v at %v, audit %s", r.Rules, r.Pointers, r.AuditID), nil
}

func callInjected(w *demoWorld) (string, error) {
	_, err := w.call("weather", "read_page", map[string]any{"topic": "lisbon"})
	r, err := refused(err, "finding")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("rules %v at %v, audit %s", r.Rules, r.Pointers, r.AuditID), nil
}

func callDrifted(w *demoWorld) (string, error) {
	resp, err := http.Post(strings.TrimSuffix(w.weatherURL, "/mcp")+"/fixture/drift", "", nil)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return "", fmt.Errorf("fixture answered %s", resp.Status)
	}
	// list_changed reaches the gateway on its own connection; without one the
	// listing is at most 60 seconds old.
	var r refusal
	for deadline := time.Now().Add(70 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		_, callErr := w.call("weather", "forecast", map[string]any{"city": "Lisbon"})
		if callErr != nil || time.Now().After(deadline) {
			if r, err = refused(callErr, "entry_drifted"); err != nil {
				return "", err
			}
			break
		}
	}
	if !slices.Contains(r.Pointers, "/description") {
		return "", fmt.Errorf("refused at %v, not at /description", r.Pointers)
	}
	session, err := w.connect("weather")
	if err != nil {
		return "", err
	}
	defer session.Close()
	names, err := toolNames(w.ctx, session)
	if err != nil {
		return "", err
	}
	if slices.Contains(names, "forecast") || !slices.Contains(names, "save_note") {
		return "", fmt.Errorf("the client sees %v", names)
	}
	said, err := callTool(w.ctx, session, "save_note", map[string]any{"topic": "umbrella"})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("forecast refused at %v, save_note says %q", r.Pointers, said), nil
}

func showDiff(w *demoWorld) (string, error) {
	// The gateway's report may still be on its way.
	var changes []admission.Change
	for range 50 {
		out, code, err := w.cli(w.reviewerKey, "server", "diff", "io.github.acme/weather@1.0.1", "-o", "json")
		if code != exitOK && code != exitPolicy {
			return "", err
		}
		if err := json.Unmarshal([]byte(out), &changes); err != nil {
			return "", err
		}
		for _, c := range changes {
			if c.Key == "forecast" && c.Pointer == "/description" {
				if c.Old == "" || c.New == "" || c.Old == c.New {
					return "", fmt.Errorf("old %q, new %q", c.Old, c.New)
				}
				return fmt.Sprintf("%s %s: %s → %s", c.Key, c.Pointer, c.Old, c.New), nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", fmt.Errorf("no change of forecast's description among %d", len(changes))
}
