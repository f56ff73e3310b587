package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/scorecard"
)

// errNoRows is a folder in which there is nothing to measure on.
var errNoRows = errors.New("no .jsonl files in this folder")

// corpusFiles are the files that paths name, each once and in a fixed order.
func corpusFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, filepath.Clean(path))
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.jsonl"))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%s: %w", path, errors.Join(errNoRows, err))
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// eachLine calls do with every line of a file and says what file it was. A line
// over the limit comes as an error, which do may pass over.
func eachLine(ctx context.Context, name string, do func(line []byte, err error) error) (scorecard.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return scorecard.File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	counted := &countingReader{r: io.TeeReader(f, sum)}
	lines := bufio.NewReaderSize(counted, 1<<20)
	for {
		line, err := readLine(lines, maxScanInput)
		if errors.Is(err, io.EOF) {
			return scorecard.File{Name: filepath.Base(name), Bytes: counted.n, Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil))}, nil
		}
		if err != nil && !errors.Is(err, errLongRow) {
			return scorecard.File{}, fmt.Errorf("%s: %w", name, err)
		}
		if err := errors.Join(ctx.Err(), do(line, err)); err != nil {
			return scorecard.File{}, err
		}
	}
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
