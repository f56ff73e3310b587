// Command bench prints what publishing a server costs, and what is paid again
// and again afterwards: its SBOM, its signatures, its fingerprints. It is one
// table in which every figure stands beside a reference from the same run:
// syft alone, sigstore-go alone, a plain canonicalisation, a plain digest.
//
// The registry runs in this process as serve opens it, with the scanners that
// Bartizan ships. SBOMs are also made by processes that do nothing else, so that
// their memory and processor time are theirs. It is a module of its own, so
// that the product does not depend on what it is measured with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// mark names the place of the table in a document.
const mark = "table of make bench, registry"

// options are what a run can be told.
type options struct {
	publications int
	rounds       int
	licence      string
	dir          string
	only         string
	into         string
}

func main() {
	role := flag.String("role", "", "make SBOMs as one of the arms does, and nothing else")
	of := flag.String("of", "", "what that SBOM is of")
	n := flag.Int("n", warmSBOMs, "how many SBOMs that process makes")
	var o options
	flag.IntVar(&o.publications, "publications", 40, "how many versions are published, at least 20")
	flag.IntVar(&o.rounds, "rounds", 5, "how often processes that make SBOMs take turns")
	flag.StringVar(&o.licence, "licence", "../../LICENSE", "text that every package of a node_modules folder brings")
	flag.StringVar(&o.dir, "dir", "", "where the state of a run lies, whose disk takes blobs, database and audit log; default a temporary folder")
	flag.StringVar(&o.only, "only", "", "measure only sections whose name holds this")
	flag.StringVar(&o.into, "into", "", "also put the table into this document, between its marks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *role != "" {
		err = makeSBOMs(ctx, *role, *of, *n)
	} else {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// section is a group of rows that are measured together.
type section struct {
	name string
	run  func(context.Context, string, options) ([]benchtable.Row, error)
}

func run(ctx context.Context, o options) error {
	if o.publications < 20 {
		return fmt.Errorf("%d publications have no p95", o.publications)
	}
	dir, err := os.MkdirTemp(o.dir, "registry-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	var rows []benchtable.Row
	for _, s := range []section{{"publish", publishRows}, {"sbom", sbomRows}, {"bundle", bundleRows}, {"fingerprint", fingerprintRows}, {"check", checkRows}} {
		if !strings.Contains(s.name, o.only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(began).Seconds(), s.name)
		measured, err := s.run(ctx, dir, o)
		rows = append(rows, measured...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	var report strings.Builder
	fmt.Fprintln(&report, benchtable.Machine()+".\n")
	benchtable.Print(&report, rows)
	fmt.Fprintf(&report, "\n%s.\n", benchtable.Score(rows))
	fmt.Print(report.String())
	if o.into == "" {
		return nil
	}
	return benchtable.Insert(o.into, mark, report.String())
}
