// Command train makes the weights of the injection and poisoning scanners from
// the detection corpora, and measures all four scanners on them. What it does
// is in plugins/train.
//
//	go run ./cmd/train -corpora DIR         # weights.bin and provenance.json of both plugins
//	go run ./cmd/train -corpora DIR -eval   # the table of docs/detection.md; needs make plugins
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/bartizan-mcp/bartizan/plugins/train"
)

func main() {
	corpora := flag.String("corpora", os.Getenv("BARTIZAN_CORPORA"), "directory of the corpora")
	listings := flag.String("listings", os.Getenv("BARTIZAN_LISTINGS"), "directory of real listings, for -eval")
	root := flag.String("root", ".", "root of the repository")
	eval := flag.Bool("eval", false, "leave each source out in turn, measure on the engine, write the table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *corpora, *listings, *root, *eval); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, corpora, listings, root string, eval bool) error {
	if eval {
		return train.Evaluate(ctx, corpora, listings, root)
	}
	return train.Ship(corpora, root)
}
