package audit

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	noon   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

	ann = identity.Caller{
		Tenant: "default", Principal: "ann", Kind: identity.KindUser, KeyID: "aaaaaaaaaaaaaaaa",
		Roles: []string{identity.RoleReviewer}, Attributes: map[string]string{"mail": "must-not-appear"},
	}
	bot = identity.Caller{
		Tenant: "default", Principal: "bot", Kind: identity.KindAgent, KeyID: "bbbbbbbbbbbbbbbb",
		Roles: []string{identity.RoleAgent},
	}
	call = Call{
		Origin: Origin{Caller: bot, Source: "192.0.2.7:51234"},
		ID:     "0193-call", Method: "tools/call", Kind: "tool", Entry: "read_file",
		Server: "io.github.acme/files", Version: "1.2.0", Alias: "files", Protocol: "2025-11-25",
		Approval: digest, Request: Payload{Digest: digest, Bytes: 120},
	}
	verdict = Verdict{
		Phase: "result", Action: "block",
		Findings: []Finding{{
			Scanner: "injection", Rule: "injection.override", Family: "injection", Severity: "high", Confidence: 0.9,
			Action: "block", Pointer: "/result/content/0/text", Taxonomy: []string{"OWASP-MCP06"},
		}},
	}
	change = Change{
		Origin: Origin{Caller: ann, Source: "2001:db8::1"},
		Server: "io.github.acme/files", Version: "1.2.0", Digest: digest, Subject: digest, Review: "r-1", State: "in_review",
	}
)

func key() identity.KeyRecord {
	return identity.KeyRecord{
		ID: "cccccccccccccccc", Hash: "must-not-appear", Tenant: "default", Principal: "ci", Kind: identity.KindService,
		Roles: []string{identity.RolePublisher}, Namespaces: []string{"io.github.acme"}, Expires: noon.Add(time.Hour),
	}
}

func denied(err error) error { return &identity.DeniedError{Caller: bot, Err: err} }

// every returns one event of every kind.
func every() map[string]*Event {
	quarantined := change
	quarantined.State, quarantined.Reasons = "quarantined", []string{"unsigned", "malicious_listing"}
	deleted := change
	deleted.State = "deleted"
	readOnly := call
	readOnly.ReadOnly = true
	listing := call
	listing.Method, listing.Kind, listing.Entry = "tools/list", "", ""
	failing := Verdict{Phase: "request", Action: "block", Failures: []Failure{{Scanner: "exfil", Digest: digest, Kind: "deadline", Detail: "bartizan_scan gave no answer within 5s", Skipped: true}}, Unexamined: true}
	aggregated := &bucket{
		key: refusalKey{"credential_missing", prefixOf("192.0.2.7:1")}, id: "id-fixed",
		first: noon.UnixMilli(), last: noon.UnixMilli() + 900, count: 17,
	}
	inFlight := calls{open: map[string]*Event{"0193-call": CallIntent(call)}}
	return map[string]*Event{
		"call_intent":           CallIntent(call),
		"call_outcome_answered": CallOutcome(readOnly, Outcome{Result: Answered, Response: Payload{digest, 2048}, Elapsed: 12 * time.Millisecond}),
		"call_outcome_redacted": CallOutcome(call, Outcome{Result: Redacted, Reason: "redacted", Verdict: &verdict, Response: Payload{digest, 2048}}),
		"call_outcome_blocked":  CallOutcome(call, Outcome{Result: Blocked, Reason: "scan_result", Verdict: &verdict, Code: -31403}),
		"call_outcome_failed":   CallOutcome(call, Outcome{Result: Failed, Reason: "upstream_timeout", Code: -32603}),
		"call_outcome_unknown":  unknownOutcome(CallIntent(call), ReasonOrphaned),
		"call_refused":          CallRefused(call, Refusal{Reason: "drift", Pointers: []string{"/description"}, Code: -31403}),
		"listing_served":        ListingServed(listing, Counts{Served: 9, Hidden: 1, Root: digest}),
		"verdict_reached":       VerdictReached(call, verdict),
		"verdict_failed":        VerdictReached(call, failing),
		"listing_scanned":       ListingScanned(change, verdict),
		"drift_found": DriftFound(Drift{
			Tenant: "default", Server: "io.github.acme/files", Version: "1.2.0", Alias: "files", Approval: digest,
			Kind: "tool", Key: "read_file", Reason: "changed", Pointers: []string{"/description"}, OldDigest: digest, NewDigest: digest,
		}),
		"unsafe_used":           UnsafeUsed(Origin{Caller: ann}, "unsafe-run", "io.github.acme/files"),
		"snapshot_refused":      SnapshotRefused("default", "rollback", 41),
		"checklist_completed":   ChecklistCompleted(change, []ChecklistItem{{"S1", "Signed", "pass"}, {"S2", "Licence known", ""}}),
		"published":             Published(change),
		"quarantined":           Quarantined(quarantined),
		"released":              Released(change),
		"status_changed":        StatusChanged(deleted),
		"item_answered":         ItemAnswered(change, ChecklistItem{"S2", "Licence known", "pass"}),
		"voted":                 Voted(change, Vote{Decision: "approve", KeyID: "k1"}),
		"waived":                Waived(change, Waiver{"injection.override", "/tools/0/description", digest, noon.UnixMilli()}),
		"approved":              Approved(change, digest),
		"rejected":              Rejected(change),
		"signers_changed":       SignersChanged(change.Origin, "io.github.acme", digest),
		"trust_changed":         TrustChanged(Origin{}, 2, digest),
		"scanners_changed":      ScannersChanged(change.Origin, []Scanner{{"ticket", "1.1.0", digest}}, []Scanner{{"ticket", "1.0.0", digest}}),
		"configuration_changed": ConfigurationChanged(change.Origin, []string{"gateway.drainGrace", "gateway.servers"}),
		"scanners_kept":         ScannersKept(change.Origin, "self_test"),
		"scanners_refused":      ScannersRefused(change.Origin, "rollback"),
		"server_ended":          ServerEnded(change.Origin, "files", "io.github.acme/files", "1.2.0", ServerCrashLoop, 4),
		"server_struck":         ServerStruck(Strikes{Origin: change.Origin, Alias: "files", Server: "io.github.acme/files", Version: "1.2.0", Reason: StrikesReached, Strikes: 20, Principals: 1}),
		"server_suspended":      ServerStruck(Strikes{Origin: change.Origin, Alias: "files", Server: "io.github.acme/files", Version: "1.2.0", Reason: ServerSuspended, Strikes: 20, Principals: 2, Until: noon.Add(time.Hour)}),
		"key_issued":            KeyIssued(change.Origin, key()),
		"key_revoked":           KeyRevoked(change.Origin, key()),
		"refused_revoked":       Refused("192.0.2.7:51234", denied(identity.ErrRevoked)),
		"refused_expired":       Refused("192.0.2.7:51234", denied(identity.ErrExpired)),
		"refused_invalid":       Refused("", errors.New("bz_must-not-appear")),
		"refusals":              aggregated.event(),
		"segment_opened":        inFlight.header(7),
		"log_opened":            logOpened(),
		"log_closed":            logClosed(),
	}
}

// stamped fixes what the log fills in.
func stamped(e *Event) *Event {
	l := &Log{opts: Options{
		Feature: "gateway", Version: "0.1.0",
		Now: func() time.Time { return noon }, NewID: func() string { return "id-fixed" },
	}}
	return l.stamp(e)
}

func TestEventsAreAsPublished(t *testing.T) {
	for name, e := range every() {
		t.Run(name, func(t *testing.T) {
			line, err := encode(stamped(e))
			if err != nil {
				t.Fatal(err)
			}
			got := jsontext.Value(line)
			if err := got.Indent(); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "events", name+".json")
			if *update {
				if err := os.WriteFile(file, append(bytes.TrimSpace(got), '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(bytes.TrimSpace(got))); diff != "" {
				t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
			}
			if bytes.Contains(line, []byte("must-not-appear")) {
				t.Error("the event holds a secret or a personal attribute")
			}
		})
	}
}

// A golden file of a kind that is gone would pass for documentation.
func TestNoStaleGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := every()
	for _, f := range files {
		name := filepath.Base(f[:len(f)-len(".json")])
		if kinds[name] == nil {
			t.Errorf("%s: no such event", f)
		}
	}
	if len(files) != len(kinds) {
		t.Errorf("%d golden files for %d kinds", len(files), len(kinds))
	}
}

// What OCSF 1.8.0 requires of every class, by its schema.
func TestEventsSatisfyOCSF(t *testing.T) {
	for name, e := range every() {
		e := stamped(e)
		has := func(what string, ok bool) {
			if !ok {
				t.Errorf("%s: OCSF requires %s", name, what)
			}
		}
		has("type_uid = class_uid*100 + activity_id", e.TypeUID == e.ClassUID*100+e.ActivityID)
		has("category_uid = class_uid/1000", e.CategoryUID == e.ClassUID/1000)
		has("time", e.Time == noon.UnixMilli())
		has("severity_id", e.SeverityID >= 1 && e.SeverityID <= 5 && e.Severity != "")
		has("metadata.version", e.Metadata.Version == "1.8.0")
		has("metadata.product", e.Metadata.Product.Name != "")
		has("metadata.uid", e.Metadata.UID != "")
		if e.ActionID != nil {
			has("profile security_control", len(e.Metadata.Profiles) > 0 && e.Metadata.Profiles[0] == profileSecurityControl)
			has("disposition with action", e.DispositionID != nil)
		}
		switch e.ClassUID {
		case ClassAPI:
			has("actor", e.Actor != nil)
			has("api.operation", e.API != nil && e.API.Operation != "")
			has("src_endpoint", e.SrcEndpoint != nil && (e.SrcEndpoint.IP != "" || e.SrcEndpoint.SvcName != ""))
			has("correlation_uid", e.Metadata.CorrelationUID != "" && e.API.Request.UID == e.Metadata.CorrelationUID)
		case ClassEntity:
			has("entity", e.Entity != nil && (e.Entity.Name != "" || e.Entity.UID != ""))
		case ClassAuth:
			has("user", e.User != nil && (e.User.Name != "" || e.User.UID != ""))
			has("service", e.Service != nil && e.Service.Name != "")
		case ClassDetection, ClassCompliance:
			has("finding_info.uid", e.FindingInfo != nil && e.FindingInfo.UID != "")
			has("compliance", e.ClassUID == ClassDetection || e.Compliance != nil)
		case ClassEventLog:
			has("log_name", e.LogName != "")
		default:
			t.Errorf("%s: class %d is none of ours", name, e.ClassUID)
		}
	}
}

func TestIntentAndOutcomeShareCorrelation(t *testing.T) {
	intent, outcome := CallIntent(call), CallOutcome(call, Outcome{Result: Answered})
	unknown := unknownOutcome(intent, ReasonOrphaned)
	for _, e := range []*Event{outcome, unknown, VerdictReached(call, verdict)} {
		if e.Metadata.CorrelationUID != intent.Metadata.CorrelationUID {
			t.Errorf("%s: correlation %q, intent has %q", e.Metadata.EventCode, e.Metadata.CorrelationUID, intent.Metadata.CorrelationUID)
		}
	}
	if intent.Unmapped.Stage != stageIntent || intent.Unmapped.Result != "" {
		t.Error("closing an orphan changed its intent")
	}
}
