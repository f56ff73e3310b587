// Command train makes the weights of the injection and poisoning scanners from
// the detection corpora, and measures all four scanners on them.
//
//	go run ./cmd/train -corpora DIR         # weights.bin and provenance.json of both plugins
//	go run ./cmd/train -corpora DIR -eval   # the table of docs/detection.md; needs make plugins
//
// The same corpora give the same bytes on every machine: one thread, a fixed
// order, no library function whose last bit depends on the processor. Rows of
// unverified licence are measured, never learnt from; no row is written anywhere.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	corporaDir := flag.String("corpora", os.Getenv("BARTIZAN_CORPORA"), "directory of the corpora")
	listings := flag.String("listings", os.Getenv("BARTIZAN_LISTINGS"), "directory of real listings, for -eval")
	root := flag.String("root", ".", "root of the repository")
	eval := flag.Bool("eval", false, "leave each source out in turn, measure on the engine, write the table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *corporaDir, *listings, *root, *eval); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, corporaDir, listings, root string, eval bool) error {
	corpora, err := loadCorpora(corporaDir)
	if err != nil {
		return err
	}
	if eval {
		return evaluate(ctx, corpora, listings, root)
	}
	for _, t := range tasks {
		if err := t.ship(corpora, root); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}
