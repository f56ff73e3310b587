// Command exfil is the scanner for secrets and personal data that leave in a
// call or come back in a result.
//
// Secrets are data: a table of the token formats that providers publish, each
// matched at a fixed prefix and checked for alphabet, length, randomness and
// placeholders; private keys, signed tokens and passwords in URLs by structure;
// anything else by the words that announce it. Personal data counts only with
// its check digits. The scanner knows nothing of encodings: the host hands it
// decoded views as further segments.
package main

import scanner "github.com/bartizan-mcp/bartizan/sdk/go"

func init() { scanner.Handle(configure, scan) }

func main() {}
