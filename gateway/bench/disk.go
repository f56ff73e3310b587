package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// disk measures what the disk under the audit log takes for what one call has
// the log do: as many records as the call needs, each appended and synced, one
// after the other.
type disk struct {
	file    *os.File
	records int
	rounds  [][]float64 // ms a call, sorted
}

// recordBytes is about the size of a record.
const recordBytes = 1100

func newDisk(dir string, records int) (*disk, error) {
	f, err := os.Create(filepath.Join(dir, "synced"))
	return &disk{file: f, records: records}, err
}

func (d *disk) take(slice time.Duration) error {
	var all []float64
	record := make([]byte, recordBytes)
	for began := time.Now(); time.Since(began) < slice; {
		at := time.Now()
		for range d.records {
			if _, err := d.file.Write(record); err != nil {
				return err
			}
			if err := d.file.Sync(); err != nil {
				return err
			}
		}
		all = append(all, float64(time.Since(at).Nanoseconds())/1e6)
	}
	slices.Sort(all)
	d.rounds = append(d.rounds, all)
	return nil
}

func (d *disk) at(p float64) float64 {
	return over(len(d.rounds), func(i int) float64 { return quantile(d.rounds[i], p) })
}
