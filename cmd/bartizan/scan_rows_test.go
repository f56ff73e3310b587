package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestReadLine holds that a line over the limit costs itself only.
func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 100)
	r := bufio.NewReaderSize(strings.NewReader("one\n\n"+long+"\r\nthree\r\n"+long), 16)
	for i, want := range []string{"one", "", "long", "three", "long"} {
		line, err := readLine(r, 40)
		if want == "long" {
			if !errors.Is(err, errLongRow) {
				t.Errorf("line %d: %q, %v", i, line, err)
			}
		} else if err != nil || string(line) != want {
			t.Errorf("line %d: %q, %v; want %q", i, line, err, want)
		}
	}
	if _, err := readLine(r, 40); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}
