package main

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
)

func TestCases(t *testing.T) {
	all, rules, err := cases.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			if problem := c.Check(scan, rules); problem != "" {
				t.Error(problem)
			}
		})
	}
}
