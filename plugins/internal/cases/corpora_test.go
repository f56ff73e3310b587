package cases_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
)

// corpus is the messages of one file of the public corpora.
type corpus struct {
	file     string
	messages []*message.Message
}

// readCorpora reads the public corpora where they are at hand. They are no part
// of the repository.
func readCorpora(t *testing.T) (all []corpus) {
	t.Helper()
	dir := os.Getenv("BARTIZAN_CORPORA")
	if dir == "" {
		dir = "../../../../shared/corpora"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpora here: set BARTIZAN_CORPORA to their directory")
	}
	for _, file := range files {
		c := corpus{file: filepath.Base(file)}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var row corpusRow
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			messages, err := row.messages()
			if err != nil {
				t.Fatalf("%s: %s: %v", file, row.ID, err)
			}
			c.messages = append(c.messages, messages...)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		all = append(all, c)
	}
	return all
}

type corpusRow struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind"`
	Server    string         `json:"server"`
	Tool      jsontext.Value `json:"tool"`
	Arguments jsontext.Value `json:"arguments"`
	Content   string         `json:"content"`
	Context   []struct {
		Server string         `json:"server"`
		Tool   jsontext.Value `json:"tool"`
	} `json:"context"`
	Steps []struct {
		Call      string         `json:"call"`
		Arguments jsontext.Value `json:"arguments"`
		Result    string         `json:"result"`
	} `json:"steps"`
}

func (r *corpusRow) messages() (all []*message.Message, err error) {
	add := func(m *message.Message, failed error) {
		all = append(all, m)
		if err == nil {
			err = failed
		}
	}
	switch r.Kind {
	case "listing":
		m, err := message.FromTool(r.Server, r.Tool)
		if err != nil {
			return nil, err
		}
		for _, c := range r.Context {
			entry, err := message.ContextOf(c.Server, fingerprint.KindTool, c.Tool)
			if err != nil {
				return nil, err
			}
			m.Context = append(m.Context, entry)
		}
		add(m, nil)
	case "call":
		add(message.FromArguments(r.Server, "tool", r.Arguments))
	case "result":
		add(message.FromContent(r.Server, "tool", r.Content))
	case "session":
		for _, step := range r.Steps {
			if step.Call != "" {
				add(message.FromArguments(r.Server, step.Call, step.Arguments))
			} else if step.Result != "" {
				add(message.FromContent(r.Server, "tool", step.Result))
			}
		}
	}
	return all, err
}
