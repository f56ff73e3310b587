package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sbom"
)

// Formats of an SBOM.
const (
	formatCycloneDX = "cyclonedx"
	formatSPDX      = "spdx"
)

// documentFlags say how a document is printed: as a document of some format,
// or as the table of what is in it.
type documentFlags struct{ format, output string }

func newDocumentFlags(cmd *cobra.Command) *documentFlags {
	f := &documentFlags{}
	cmd.Flags().StringVar(&f.format, "format", formatCycloneDX, "format of the document: cyclonedx, spdx")
	cmd.Flags().StringVarP(&f.output, "output", "o", "json", "the document (json), or what is in it (table)")
	return f
}

func (f *documentFlags) check() error {
	if err := checkFormat(f.output, "table", "json"); err != nil {
		return err
	}
	if f.format != formatCycloneDX && f.format != formatSPDX {
		return usageError("--format is cyclonedx or spdx")
	}
	return nil
}

// print writes a document; raw is what it was read from, nil if it was made here.
func (f *documentFlags) print(w io.Writer, d *sbom.Document, raw []byte, created time.Time) (err error) {
	switch {
	case f.output == "table":
		return table(w, []string{"KIND", "NAME", "VERSION", "LICENCE", "SCOPE"}, documentRows(d))
	case f.format == formatSPDX:
		raw, err = d.SPDX(created)
	case raw == nil:
		if raw, err = d.Encode(); err == nil {
			raw = append(raw, '\n')
		}
	}
	if err != nil {
		return err
	}
	_, err = w.Write(raw)
	return err
}

func documentRows(d *sbom.Document) [][]string {
	root, c := d.Root(), d.Completeness()
	rows := [][]string{{"server", root.Name, root.Version, strings.Join(root.Licenses, ", "), c.Level}}
	for _, reason := range c.Reasons {
		rows = append(rows, []string{"incomplete", reason, "", "", ""})
	}
	for _, p := range d.Components() {
		rows = append(rows, []string{"component", packageName(p), p.Version, strings.Join(p.Licenses, ", "), p.Scope})
	}
	if e := d.Endpoint(); e.Transport != "" || e.Endpoint != "" {
		rows = append(rows, []string{"endpoint", strings.TrimSpace(e.Transport + " " + e.Endpoint), "", "", ""})
	}
	for _, s := range d.Scopes() {
		rows = append(rows, []string{"scope", s, "", "", ""})
	}
	for _, e := range d.Entries() {
		rows = append(rows, []string{e.Kind, e.Key, fmt.Sprintf("%.12s", e.Fingerprint), "", strings.Join(e.Scopes, ", ")})
	}
	return rows
}
