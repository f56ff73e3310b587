// Command injection is the scanner for instructions aimed at the model in what
// a server returns: results, prompts and resources.
//
// A text is read in windows of ninety words. Rules over the phrases of a window
// say why it is suspect, and alone may block; the linear model weighs the same
// phrases together with the words themselves, and flags what no rule names.
package main

import (
	_ "embed"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

//go:embed weights.bin
var shipped string

var model *textmodel.Model

func init() { scanner.Handle(configure, scan) }

// configure takes the shipped weights, or those that the operator gives: the
// whole configuration is then a weights file made by cmd/train.
func configure(config []byte) (err error) {
	weights := shipped
	if len(config) > 0 {
		weights = string(config)
	}
	model, err = textmodel.Load(weights)
	return err
}

func main() {}
