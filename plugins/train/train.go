// Package train makes the weights of the injection and poisoning scanners from
// the detection corpora.
//
// The same corpora give the same bytes on every machine: one thread, a fixed
// order, no library function whose last bit depends on the processor. Rows of
// unverified licence are measured, never learnt from; no row is written
// anywhere. It must not know a command line, nor where corpora are kept.
package train

import (
	"context"
	"fmt"
)

// Ship trains both learned scanners on the corpora in dir and writes
// weights.bin and provenance.json of each below root, the repository's.
func Ship(dir, root string) error {
	corpora, err := loadCorpora(dir)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if err := t.ship(corpora, root); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// Evaluate leaves each source out in turn, measures all four scanners on the
// engine and writes the table of docs/detection.md below root. Listings is a
// folder of captures, "" for none.
func Evaluate(ctx context.Context, dir, listings, root string) error {
	corpora, err := loadCorpora(dir)
	if err != nil {
		return err
	}
	return evaluate(ctx, corpora, listings, root)
}
