// Command shadowing is the scanner for entries that pass themselves off as, or
// interfere with, entries of other servers in view of the same model.
//
// It compares the names and descriptions of a listing with the entries that the
// host gives as context, and reads descriptions for orders about tools that are
// not the listing's own. Two servers may well offer a tool of one name: an
// equal name alone is never more than recorded.
package main

import scanner "github.com/bartizan-mcp/bartizan/sdk/go"

func init() { scanner.Handle(nil, scan) }

func main() {}
