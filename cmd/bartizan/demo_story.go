package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// demoStory is the main job of Bartizan in the order in which it happens.
var demoStory = []demoStep{
	{"both doors open on empty storage", openDoors},
	{"people get keys", handOutKeys},
	{"an unsigned server is quarantined", publishUnsigned},
	{"a poisoned server is quarantined", publishPoisoned},
	{"an honest, signed server goes to review", publishHonest},
	{"a reviewer votes with a key and the approval is signed", reviewHonest},
	{"a real MCP client calls it through the gateway", callHonest},
	{"a second server is approved", approveWeather},
	{"a call that carries a secret is refused", callWithSecret},
	{"a result that carries an injection is stopped", callInjected},
	{"a tool changes upstream: refused by JSON Pointer, its neighbours answer", callDrifted},
	{"server diff shows both texts", showDiff},
	{"a database row edited to approved by hand opens nothing", editDatabase},
	{"a revoked key is refused at once", revokeKey},
	{"the audit log shows it all", searchAudit},
}

func openDoors(w *demoWorld) (string, error) {
	var err error
	if w.weatherURL, err = w.start(filepath.Join(w.fixtures, "weather"), "-http", "127.0.0.1:0"); err != nil {
		return "", err
	}
	if w.poisonedURL, err = w.start(filepath.Join(w.fixtures, "weather"), "-http", "127.0.0.1:0", "-poisoned"); err != nil {
		return "", err
	}
	if w.everythingURL, err = w.startEverything(); err != nil {
		return "", err
	}
	// The intruder's server is configured by hand: what keeps it out is the
	// approval that is missing, not a route that is missing.
	configuration := fmt.Sprintf("gateway:\n  servers:\n    - alias: almanac\n      server: io.github.acme/almanac\n      url: %s\n", w.poisonedURL)
	if err := os.WriteFile(w.path("bartizan.yaml"), []byte(configuration), 0o600); err != nil {
		return "", err
	}
	line, err := w.start(w.bin, "serve", "--data", w.path("data"), "--config", w.path("bartizan.yaml"),
		"--registry-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal([]byte(line), &w.doors); err != nil {
		return "", fmt.Errorf("first line of serve: %w", err)
	}
	for _, url := range []string{w.doors.Registry, w.doors.Gateway} {
		if err := w.ready(url); err != nil {
			return "", err
		}
	}
	return "registry " + w.doors.Registry + ", gateway " + w.doors.Gateway, nil
}

func handOutKeys(w *demoWorld) (string, error) {
	for _, name := range []string{"author.key", "reviewer.key"} {
		if _, _, err := w.cli("", "key", "generate", "--out", w.path(name)); err != nil {
			return "", err
		}
	}
	if _, _, err := w.cli(w.doors.AdminKey, "key", "allow", "--namespace", "io.github.acme", "--public", w.path("author.key.pub")); err != nil {
		return "", err
	}
	if _, _, err := w.cli("", "trust", "rotate", "--data", w.path("data"), "--add-voter", "rita="+w.path("reviewer.key.pub")); err != nil {
		return "", err
	}
	for _, k := range []struct {
		name string
		into *string
		args []string
	}{
		{"author", &w.publisherKey, []string{"--role", "publisher", "--namespace", "io.github.acme"}},
		{"rita", &w.reviewerKey, []string{"--role", "reviewer"}},
		{"agent", &w.agentKey, []string{"--role", "agent"}},
	} {
		var made struct {
			Token string           `json:"token"`
			Key   admission.APIKey `json:"key"`
		}
		if err := w.cliJSON(&made, w.doors.AdminKey, append([]string{"key", "create", "--name", k.name}, k.args...)...); err != nil {
			return "", err
		}
		*k.into = made.Token
		if k.name == "agent" {
			w.agentKeyID = made.Key.ID
		}
	}
	return "author, reviewer and agent", nil
}

// publish runs `bartizan publish` and demands its exit code.
func (w *demoWorld) publish(wantExit int, args ...string) (admission.Version, error) {
	out, code, err := w.cli(w.publisherKey, append([]string{"publish", "-o", "json"}, args...)...)
	if code != wantExit {
		return admission.Version{}, fmt.Errorf("exit code %d, wanted %d: %v", code, wantExit, err)
	}
	var v admission.Version
	return v, json.Unmarshal([]byte(out), &v)
}

func reasonCodes(v admission.Version) []string {
	var codes []string
	for _, r := range v.Reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

func publishUnsigned(w *demoWorld) (string, error) {
	server, err := w.serverJSON("io.github.acme/weather", "1.0.0", w.weatherURL)
	if err != nil {
		return "", err
	}
	v, err := w.publish(exitPolicy, server)
	if err != nil {
		return "", err
	}
	if v.State != admission.Quarantined || !slices.Equal(reasonCodes(v), []string{admission.ReasonUnsigned}) {
		return "", fmt.Errorf("state %s, reasons %v", v.State, reasonCodes(v))
	}
	return "io.github.acme/weather 1.0.0, reason unsigned", nil
}

func publishPoisoned(w *demoWorld) (string, error) {
	server, err := w.serverJSON("io.github.acme/almanac", "1.0.0", w.poisonedURL)
	if err != nil {
		return "", err
	}
	v, err := w.publish(exitPolicy, server, "--key", w.path("author.key"))
	if err != nil {
		return "", err
	}
	if v.State != admission.Quarantined || !slices.Contains(reasonCodes(v), admission.ReasonMaliciousListing) {
		return "", fmt.Errorf("state %s, reasons %v", v.State, reasonCodes(v))
	}
	for _, f := range v.Findings {
		if f.Action == "block" {
			return fmt.Sprintf("%s at %s (%s): %s", f.Rule, f.Pointer, f.Severity, f.Message), nil
		}
	}
	return "", fmt.Errorf("no blocking finding among %d", len(v.Findings))
}

func publishHonest(w *demoWorld) (string, error) {
	server, err := w.serverJSON("io.github.acme/everything", "1.0.0", w.everythingURL)
	if err != nil {
		return "", err
	}
	v, err := w.publish(exitOK, server, "--key", w.path("author.key"),
		"--artifact", filepath.Join(w.fixtures, "everything-server"))
	if err != nil {
		return "", err
	}
	if v.State != admission.InReview || v.SBOM == "" {
		return "", fmt.Errorf("state %s, SBOM %q", v.State, v.SBOM)
	}
	w.everythingReview = v.Review
	return "in review, SBOM " + short(v.SBOM) + "…", nil
}

// approve votes with the reviewer's key and has the approval signed.
func (w *demoWorld) approve(review string) (admission.Version, error) {
	if _, _, err := w.cli(w.reviewerKey, "review", "vote", review, "--key", w.path("reviewer.key")); err != nil {
		return admission.Version{}, err
	}
	var v admission.Version
	return v, w.cliJSON(&v, w.reviewerKey, "review", "approve", review)
}

func reviewHonest(w *demoWorld) (string, error) {
	var r admission.Review
	if err := w.cliJSON(&r, w.reviewerKey, "review", "show", w.everythingReview); err != nil {
		return "", err
	}
	answered := 0
	for _, item := range r.Items {
		if item.Class == admission.Automatic && item.Evidence != "" {
			answered++
		}
	}
	if answered < 12 {
		return "", fmt.Errorf("only %d items were answered with evidence", answered)
	}
	v, err := w.approve(w.everythingReview)
	if err != nil {
		return "", err
	}
	if v.State != admission.Approved || v.Approval == "" {
		return "", fmt.Errorf("state %s", v.State)
	}
	return fmt.Sprintf("%d items answered with evidence, approval %s…", answered, short(v.Approval)), nil
}

func callHonest(w *demoWorld) (string, error) {
	if err := w.untilServed("everything"); err != nil {
		return "", err
	}
	session, err := w.connect("everything")
	if err != nil {
		return "", err
	}
	defer session.Close()
	names, err := toolNames(w.ctx, session)
	if err != nil {
		return "", err
	}
	said, err := callTool(w.ctx, session, "test_simple_text", nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d tools, test_simple_text says %q", len(names), said), nil
}

// untilServed waits for an approval to reach the gateway.
func (w *demoWorld) untilServed(alias string) error {
	var err error
	for range 100 {
		session, e := w.connect(alias)
		if e == nil {
			return session.Close()
		}
		err = e
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func approveWeather(w *demoWorld) (string, error) {
	server, err := w.serverJSON("io.github.acme/weather", "1.0.1", w.weatherURL)
	if err != nil {
		return "", err
	}
	v, err := w.publish(exitOK, server, "--key", w.path("author.key"))
	if err != nil {
		return "", err
	}
	if _, err := w.approve(v.Review); err != nil {
		return "", err
	}
	if err := w.untilServed("weather"); err != nil {
		return "", err
	}
	said, err := w.call("weather", "forecast", map[string]any{"city": "Lisbon"})
	if err != nil {
		return "", err
	}
	return "forecast says " + said, nil
}
