// Command bench prints what a call through the gateway costs, as one table in which
// every figure stands beside its reference from the same run: the same server
// called directly, and through a reverse proxy that checks nothing.
//
// Everything is a process of its own: the built binaries of both doors, set up
// as an operator would, the MCP server, the plain proxy, and this program,
// which calls. It is a module of its own, so that the product does not depend
// on what it is measured with.
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
const mark = "table of make bench, gateway"

// options are what a run can be told.
type options struct {
	bin    string
	rounds int
	slice  time.Duration
	dir    string
	only   string
	into   string
}

func main() {
	role := flag.String("role", "", "be the server or the plain proxy of a run, not its caller")
	to := flag.String("to", "", "where the plain proxy sends calls")
	var o options
	flag.StringVar(&o.bin, "bin", "../../bin", "folder of bartizan and bartizan-gateway")
	flag.IntVar(&o.rounds, "rounds", 7, "how often the arms take turns")
	flag.DurationVar(&o.slice, "slice", 1500*time.Millisecond, "how long a turn is")
	flag.StringVar(&o.dir, "dir", "", "where the state of a run lies, whose disk takes the audit log; default a temporary folder")
	flag.StringVar(&o.only, "only", "", "measure only sections whose name holds this")
	flag.StringVar(&o.into, "into", "", "also put the table into this document, between its marks")
	flag.Parse()
	var err error
	switch *role {
	case "server":
		err = serveEcho()
	case "proxy":
		err = serveProxy(*to)
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = run(ctx, o)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// section is a group of rows that are measured together.
type section struct {
	name string
	run  func(context.Context, *world, options) ([]benchtable.Row, error)
}

func run(ctx context.Context, o options) error {
	began := time.Now()
	progress := func(what string) { fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(began).Seconds(), what) }
	progress("both doors, one approved server")
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer w.stop()
	var rows []benchtable.Row
	for _, s := range []section{{"startup", startRows}, {"calls", callRows}, {"sessions", sessionRows}, {"streams", streamRows}} {
		if !strings.Contains(s.name, o.only) {
			continue
		}
		progress(s.name)
		measured, err := s.run(ctx, w, o)
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
