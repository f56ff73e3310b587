package main

import (
	"github.com/bartizan-mcp/bartizan/engine"
)

// The members of SARIF 2.1.0 that a scan needs (OASIS, section 3).
type sarif struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"driver"`
	} `json:"tool"`
	Results     []sarifResult     `json:"results"`
	Invocations []sarifInvocation `json:"invocations"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
	LogicalLocations []sarifLogical `json:"logicalLocations"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"` // JSON Pointer
}

type sarifInvocation struct {
	ExecutionSuccessful        bool          `json:"executionSuccessful"`
	ToolExecutionNotifications []sarifNotice `json:"toolExecutionNotifications"`
}

type sarifNotice struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

// sarifLog is a scan as SARIF: a finding is a result, a failure of a scanner
// is a notification of an unsuccessful run.
func sarifLog(document string, s scanned) sarif {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver.Name = "bartizan"
	run.Tool.Driver.Version = version()
	for _, f := range s.Findings {
		var at sarifLocation
		at.PhysicalLocation.ArtifactLocation.URI = document
		at.LogicalLocations = []sarifLogical{{FullyQualifiedName: f.Pointer}}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, Level: sarifLevel(f.Action),
			Message: sarifText{Text: f.Message}, Locations: []sarifLocation{at},
		})
	}
	invocation := sarifInvocation{ExecutionSuccessful: len(s.Failures) == 0, ToolExecutionNotifications: []sarifNotice{}}
	for _, f := range s.Failures {
		invocation.ToolExecutionNotifications = append(invocation.ToolExecutionNotifications,
			sarifNotice{Level: "error", Message: sarifText{Text: f.Scanner + ": " + f.Kind + ": " + f.Detail}})
	}
	run.Invocations = []sarifInvocation{invocation}
	return sarif{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	}
}

func sarifLevel(a engine.Action) string {
	switch a {
	case engine.ActionBlock, engine.ActionRedact:
		return "error"
	case engine.ActionFlag:
		return "warning"
	}
	return "note"
}
