package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// dir is a log that is a directory of segments.
type dir struct {
	path    string
	limit   int64
	lock    *os.File
	number  int   // of the current segment; 0 = none yet
	current *file // nil until the first append
}

func openDir(path string, limit int64) (sink, []*Event, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, nil, err
	}
	held, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := lock(held); err != nil {
		held.Close()
		return nil, nil, err
	}
	d := &dir{path: path, limit: limit, lock: held}
	orphans, err := d.resume()
	if err != nil {
		d.close()
		return nil, nil, err
	}
	return d, orphans, nil
}

// resume goes on with the newest segment, where an earlier process stopped.
func (d *dir) resume() ([]*Event, error) {
	segments, err := segmentsOf(d.path)
	if err != nil || len(segments) == 0 {
		return nil, err
	}
	newest := segments[len(segments)-1]
	d.number = segmentNumber(newest)
	if d.current, err = openFile(newest, true); err != nil {
		return nil, err
	}
	if err := d.current.cutTornLine(); err != nil {
		return nil, err
	}
	return orphansIn(segments)
}

func (d *dir) append(lines [][]byte, head func(int) ([]byte, error)) error {
	p := joined(lines)
	if d.current == nil || d.current.gone() || (d.current.size > 0 && d.current.size+int64(len(p)) > d.limit) {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	fresh := d.current.size == 0
	if fresh {
		h, err := head(d.number)
		if err != nil {
			return err
		}
		// The name has to be durable before anything in the file counts as such.
		if err := syncDir(d.path); err != nil {
			return err
		}
		p = append(h, p...)
	}
	return d.current.append(p)
}

// rotate begins the next segment, under the first number that is free.
func (d *dir) rotate() error {
	for {
		next := filepath.Join(d.path, fmt.Sprintf("%08d%s", d.number+1, segmentSuffix))
		f, err := os.OpenFile(next, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|durably, 0o600)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		d.number++
		if err != nil {
			continue // somebody put it there; it is not ours to write
		}
		self, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		if d.current != nil {
			d.current.close() // all of it is on disk already
		}
		d.current = &file{f: f, regular: true, self: self}
		return nil
	}
}

func (d *dir) close() error {
	var err error
	if d.current != nil {
		err = d.current.close()
	}
	return errors.Join(err, d.lock.Close())
}

const segmentSuffix = ".jsonl"

// segmentsOf lists the segments of a log directory, oldest first.
func segmentsOf(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var segments []string
	for _, e := range entries {
		if segmentNumber(e.Name()) > 0 && e.Type().IsRegular() {
			segments = append(segments, filepath.Join(path, e.Name()))
		}
	}
	slices.SortFunc(segments, func(a, b string) int { return segmentNumber(a) - segmentNumber(b) })
	return segments, nil
}

// segmentNumber is 0 for anything that is not a segment's name.
func segmentNumber(path string) int {
	digits, ok := strings.CutSuffix(filepath.Base(path), segmentSuffix)
	if !ok || len(digits) < 8 || strings.Trim(digits, "0123456789") != "" {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// syncDir makes the names in a directory durable. Windows has no such call and
// does it by itself.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
