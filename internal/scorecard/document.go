package scorecard

import (
	"strconv"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// Document is a report with what it is of. `bartizan eval -o json` prints it.
type Document struct {
	Version     string    `json:"version"` // of the program
	LeaveOneOut bool      `json:"leaveOneOut"`
	Scanners    []Scanner `json:"scanners"`
	Files       []File    `json:"files"`
	Report
	Listings []Listing `json:"listings,omitzero"`
}

// Scanner is a scanner that was measured.
type Scanner struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// File is a file of rows.
type File struct {
	Name   string `json:"name"` // without its folder
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"` // sha256:<hex>
}

// Listing is a whole capture of a real server, and how many findings of each
// action the scanners have in it.
type Listing struct {
	Name   string `json:"name"`
	Failed bool   `json:"failed"`
	Log    int    `json:"log"`
	Flag   int    `json:"flag"`
	Redact int    `json:"redact"`
	Block  int    `json:"block"`
}

// ListingTable is the findings in whole listings.
func (d *Document) ListingTable() Table {
	t := Table{Title: "Whole listings of real servers, findings of all scanners", Header: []string{"listing", "log", "flag", "redact", "block", "failed"}}
	for _, l := range d.Listings {
		failed := "no"
		if l.Failed {
			failed = "yes"
		}
		t.Rows = append(t.Rows, []string{l.Name, strconv.Itoa(l.Log), strconv.Itoa(l.Flag), strconv.Itoa(l.Redact), strconv.Itoa(l.Block), failed})
	}
	return t
}

// Markdown is the document without what depends on the machine, the goals of the
// project first.
func (d *Document) Markdown() string {
	var b strings.Builder
	benchtable.Print(&b, d.Reach())
	tables := d.Tables()
	if len(d.Listings) > 0 {
		tables = append(tables, d.ListingTable())
	}
	for _, t := range tables {
		b.WriteString("\n" + t.Markdown())
	}
	return b.String()
}
