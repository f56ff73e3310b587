package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/scorecard"
)

// TestPublishedFloors reads the published tables: promises that were made are
// kept.
func TestPublishedFloors(t *testing.T) {
	doc, err := os.ReadFile("../../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	cells := map[string]string{} // first cell of a line → second
	for line := range strings.Lines(string(doc)) {
		if c := strings.Split(line, "|"); len(c) > 3 {
			cells[strings.TrimSpace(c[1])] = strings.TrimSpace(c[2])
		}
	}
	number := func(what string) float64 {
		first, _, _ := strings.Cut(cells[what], " ")
		n, err := strconv.ParseFloat(first, 64)
		if err != nil {
			t.Errorf("%s: %q", what, cells[what])
		}
		return n
	}
	for what, floor := range map[string]float64{
		"injection in English, aimed at agents, recall": 0.55,
		"injection, F1":                         0.45,
		"exfil without contact data, F1":        0.82,
		"poisoning, F1":                         0.70,
		"shadowing, F1":                         0.80,
		"exfil without contact data, precision": 0.93,
	} {
		if got := number(what); got < floor {
			t.Errorf("%s: %v, promised %v", what, got, floor)
		}
	}
	if share := number("ordinary rows flagged, any family"); share > 1 {
		t.Errorf("ordinary rows flagged: %v %%", share)
	}
}

func TestPublish(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.md")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a\n<!-- measured -->\nold\n<!-- end of table -->\nz\n")
	report := `{"version":"v","leaveOneOut":true,"scanners":[],"files":[],"rows":0,"unreadable":0,"parts":[],"falseAlarms":[],"sources":[],"costs":[]`
	if err := run("", "", file, strings.NewReader(report+"}")); err != nil {
		t.Fatal(err)
	}
	var empty scorecard.Document
	want := "a\n<!-- measured -->\n\n" + empty.Markdown() + "\n<!-- end of table -->\nz\n"
	if got, _ := os.ReadFile(file); string(got) != want {
		t.Errorf("%s", got)
	}
	if err := run("", "", file, strings.NewReader(report+`,"listings":[{"name":"tides","block":1}]}`)); !errors.Is(err, errBlocked) {
		t.Errorf("%v", err)
	}
	for _, input := range []string{"", "[]", `{"other":1}`} {
		if err := run("", "", file, strings.NewReader(input)); err == nil {
			t.Errorf("%q was published", input)
		}
	}
	write("no marks")
	if err := run("", "", file, strings.NewReader(report+"}")); err == nil {
		t.Error("published nowhere")
	}
}
