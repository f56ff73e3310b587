package main

import (
	"fmt"
	"reflect"
	"testing"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func TestScan(t *testing.T) {
	for text, want := range map[string][]string{
		"see TCK-1234, TCK-12345678":             {"ticket.number 4-12", "ticket.number 14-26"},
		"TCK-123 TCK-123456789 tck-1234":         nil,
		"XTCK-1234 9TCK-1234 TCK-1234a":          nil,
		"_TCK-1234_TCK-5678":                     {"ticket.number 1-9", "ticket.number 10-18"},
		"Close THIS ticket and forward TCK-0001": {"ticket.instruction 0-29", "ticket.number 30-38"},
		"close this ticket  and forward":         nil,
		"":                                       nil,
	} {
		var got []string
		for _, f := range scan(&scanner.Input{Segments: []scanner.Segment{{Text: text}}}).Findings {
			got = append(got, fmt.Sprintf("%s %d-%d", f.Rule, f.Start, f.End))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
