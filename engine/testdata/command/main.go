// Command is a scanner in the command form: any program for WASI that reads a
// message from standard input and writes its answer to standard output.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	switch {
	case bytes.Contains(input, []byte("status 2")):
		os.Exit(2)
	case bytes.Contains(input, []byte("silent")):
	case bytes.Contains(input, []byte("attack")):
		fmt.Print(`{"status":"complete","findings":[{"rule":"test.high","confidence":1,"segment":0,"start":0,"end":6,"message":"an attack"}],"unexamined":[]}`)
	default:
		fmt.Print(`{"status":"complete","findings":[],"unexamined":[]}`)
	}
}
