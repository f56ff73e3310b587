// Command guest is the scanner that the engine's tests run: a Go module as any
// author would write it, with a few bad habits that a test can ask for.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func main() {}

func init() { scanner.Handle(configure, scan) }

var (
	needle = "attack"
	calls  int
)

func configure(config []byte) error {
	if string(config) == "refuse" {
		return errors.New("refused")
	}
	if len(config) > 0 {
		needle = string(config)
	}
	return nil
}

func scan(in *scanner.Input) *scanner.Output {
	calls++
	out := scanner.NewOutput()
	for i, s := range in.Segments {
		switch s.Text {
		case "panic":
			panic("asked to")
		case "loop":
			for {
				calls++
			}
		case "eat":
			var kept [][]byte
			for {
				kept = append(kept, make([]byte, 1<<20))
				calls += len(kept)
			}
		case "nil":
			return nil
		case "skip":
			out.Skip(i, 0, 4)
		case "world":
			var random [4]byte
			rand.Read(random[:])
			out.Add(scanner.Finding{Rule: "test.low", Segment: i, Message: fmt.Sprint(
				"calls ", calls, " args ", len(os.Args), " env ", len(os.Environ()),
				" time ", time.Now().UnixNano(), " random ", random, " context ", len(in.Context), " limits ", in.Limits)})
		}
		if at := strings.Index(s.Text, "remember "); at >= 0 { // as the word that follows
			from := at + len("remember ")
			kind, _, _ := strings.Cut(s.Text[from:], " ")
			severity := ""
			if kind == "whisper" {
				severity = "info"
			}
			out.Add(scanner.Finding{Rule: "test.low", Severity: severity, Segment: i, Start: from + len(kind), End: len(s.Text), Mark: kind})
		}
		for at := 0; ; {
			n := strings.Index(s.Text[at:], needle)
			if n < 0 {
				break
			}
			at += n + len(needle)
			replacement := "[removed]"
			out.Add(scanner.Finding{Rule: "test.high", Confidence: .9, Segment: i, Start: at - len(needle), End: at, Replacement: &replacement})
		}
	}
	for _, f := range in.Flow {
		out.Add(scanner.Finding{Rule: "test.low", Segment: f.Segment, Start: f.Start, End: f.End, Message: fmt.Sprint(f.Mark, " ", f.Origin, " ", f.Age)})
	}
	return out
}
