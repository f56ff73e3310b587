//go:build sdk

package examples

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const goldenFile = "verdicts.golden"

func readGolden(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	return string(b)
}

// shown is how many findings of a case stand in the golden file. The others are
// there as their number and digest.
const shown = 8

// shortened writes verdicts as the golden file has them.
func shortened(t *testing.T, lines []byte) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(string(lines)) {
		var c struct {
			Name    string `json:"name"`
			Verdict struct {
				Action     string           `json:"action"`
				Findings   []jsontext.Value `json:"findings"`
				Failures   jsontext.Value   `json:"failures"`
				Unexamined bool             `json:"unexamined"`
			} `json:"verdict"`
		}
		if err := json.Unmarshal([]byte(line), &c, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		v := c.Verdict
		fmt.Fprintf(&out, "%s: %s, unexamined %t, failures %s\n", c.Name, v.Action, v.Unexamined, v.Failures)
		rest := sha256.New()
		for i, f := range v.Findings {
			if i < shown {
				fmt.Fprintf(&out, "\t%s\n", f)
			} else {
				fmt.Fprintf(rest, "%s\n", f)
			}
		}
		if n := len(v.Findings) - shown; n > 0 {
			fmt.Fprintf(&out, "\tand %d more, of digest %s\n", n, hex.EncodeToString(rest.Sum(nil)))
		}
	}
	return out.String()
}
