package audit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
)

// sink is where lines go. append makes all of them durable or returns an error
// with none of them readable; it recovers by itself once the medium does.
type sink interface {
	append(lines [][]byte, head func(segment int) ([]byte, error)) error
	close() error
}

// openSink opens the log at path and returns the intents in it that have no
// outcome.
func openSink(path string, segmentBytes int64) (sink, []*Event, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return openSingle(path, info.Mode().IsRegular())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return openDir(path, segmentBytes)
}

// single is a log that is one file or device.
type single struct{ f *file }

func openSingle(path string, regular bool) (sink, []*Event, error) {
	f, err := openFile(path, regular)
	if err != nil {
		return nil, nil, err
	}
	if !regular {
		return &single{f}, nil, nil
	}
	if err := lock(f.f); err != nil {
		f.close()
		return nil, nil, err
	}
	if err := f.cutTornLine(); err != nil {
		f.close()
		return nil, nil, err
	}
	orphans, err := orphansIn([]string{path})
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return &single{f}, orphans, nil
}

func (s *single) append(lines [][]byte, _ func(int) ([]byte, error)) error {
	return s.f.append(joined(lines))
}

// joined is what goes out in one write.
func joined(lines [][]byte) []byte {
	if len(lines) == 1 {
		return lines[0]
	}
	return bytes.Join(lines, nil)
}

func (s *single) close() error { return s.f.close() }
