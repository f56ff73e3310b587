// Command poisoning is the scanner for listings that give orders to the model:
// instructions hidden in descriptions, parameters that ask for what no tool
// needs, text that a reader of the listing does not see.
//
// Phrases are read as in the injection scanner; the structure of the entry
// (which member a text stands in, what its parameters are called) is the other
// half. Documentation orders a model about as a matter of course ("always use
// absolute paths"), so an order alone is nothing here.
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
