// Package train makes the weights of the injection and poisoning scanners from
// the detection corpora, from all of their sources or with one left out.
//
// The same corpora give the same bytes on every machine: one thread, a fixed
// order, no library function whose last bit depends on the processor. Rows of
// unverified licence are measured, never learnt from; no row is written
// anywhere. It must not know a command line, where corpora are kept, nor how
// a scanner is run.
package train

import "fmt"

// Ship trains both learned scanners on the corpora in dir and writes
// weights.bin and provenance.json of each below root, the repository's.
func Ship(dir, root string) error {
	files, err := filesIn(dir)
	if err != nil {
		return err
	}
	corpora, err := loadCorpora(files)
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
