package engine

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// TestCorporaCanBeExamined reads every row of the public corpora where they are
// at hand: each becomes a message, and the views of each have room, since a
// text without room for them is refused whatever it says.
func TestCorporaCanBeExamined(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPORA")
	if dir == "" {
		dir = "../../shared/corpora"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if len(files) == 0 {
		t.Skip("no corpora: set BARTIZAN_CORPORA")
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, crowded := 0, 0
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var row struct {
				ID        string         `json:"id"`
				Kind      string         `json:"kind"`
				Tool      jsontext.Value `json:"tool"`
				Arguments jsontext.Value `json:"arguments"`
				Content   string         `json:"content"`
			}
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			var m *message.Message
			switch row.Kind {
			case "listing":
				m, err = message.FromTool("s", row.Tool)
			case "call":
				m, err = message.FromArguments("s", "", row.Arguments)
			case "result":
				m, err = message.FromContent("s", "", row.Content)
			default:
				continue
			}
			if err != nil || len(m.Segments) == 0 {
				t.Errorf("%s: %d segments, %v", row.ID, len(m.Segments), err)
				continue
			}
			rows++
			if prepare(m).incomplete {
				crowded++
				if strings.HasPrefix(filepath.Base(file), "benign") {
					t.Errorf("%s: no room for its views", row.ID)
				}
			}
		}
		t.Logf("%s: %d rows, %d without room for their views", filepath.Base(file), rows, crowded)
	}
}
