// Command train makes the weights of the injection and poisoning scanners from
// the detection corpora (plugins/train), and puts what `bartizan eval` measured
// into a document.
//
//	go run ./cmd/train -corpora DIR                    # weights.bin and provenance.json of both plugins
//	bartizan eval -o json ... | go run ./cmd/train -into docs/detection.md
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
	"github.com/bartizan-mcp/bartizan/internal/scorecard"
	"github.com/bartizan-mcp/bartizan/plugins/train"
)

func main() {
	corpora := flag.String("corpora", os.Getenv("BARTIZAN_CORPORA"), "directory of the corpora")
	root := flag.String("root", ".", "root of the repository")
	into := flag.String("into", "", "document that gets the table of the measurement on standard input")
	flag.Parse()
	if err := run(*corpora, *root, *into, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(corpora, root, into string, in io.Reader) error {
	if into == "" {
		return train.Ship(corpora, root)
	}
	return publish(into, in)
}

// errBlocked means that an ordinary listing would be refused.
var errBlocked = errors.New("a listing of a real server is blocked")

// mark is where the table stands in a document.
const mark = "measured"

func publish(file string, in io.Reader) error {
	var d scorecard.Document
	if err := json.UnmarshalRead(in, &d, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("the measurement: %w", err)
	}
	for _, l := range d.Listings {
		if l.Block > 0 {
			return fmt.Errorf("%w: %s", errBlocked, l.Name)
		}
	}
	return benchtable.Insert(file, mark, d.Markdown())
}
