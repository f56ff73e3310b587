package gateway

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/fixture/tasks"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var update = flag.Bool("update", false, "write the transcripts that the gateway produces now")

// TestTranscripts plays conversations with a scripted upstream, or with two
// behind the merged endpoint, or with the fixture of tasks. A file "upstream METHOD" ("alpha METHOD", "beta
// METHOD") sets what the upstream answers from there on; "request" is a request
// line, headers and a body; "answer" is what the client gets.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			about := string(archive.Comment)
			aliases := map[string]string{"upstream": "srv"}
			if strings.Contains(about, "merged") {
				aliases = map[string]string{"alpha": "alpha", "beta": "beta"}
			}
			h := open(t, auto)
			scripts, approved := map[string]*script{}, map[string]*approval.Approval{}
			if strings.Contains(about, "tasks") {
				aliases = nil
				server := httptest.NewServer(tasks.New())
				t.Cleanup(func() { closing.Server(server) })
				h.approve("srv", upstream.Target{URL: server.URL})
			}
			for name, alias := range aliases {
				s := newScript(t)
				s.legacy = strings.HasPrefix(about, "legacy")
				scripts[name], approved[name] = s, h.approve(alias, s.start())
			}
			session := ""
			for i, f := range archive.Files {
				switch kind, method, _ := strings.Cut(f.Name, " "); kind {
				case "upstream", "alpha", "beta":
					scripts[kind].set(method, strings.TrimSpace(string(f.Data)))
					for era := range approved[kind].Roots {
						h.changed(approved[kind], protocol.Era(era))
					}
				case "request":
					r := h.play(strings.ReplaceAll(string(f.Data), "SESSION", session))
					if id := r.header.Get(protocol.HeaderSessionID); id != "" {
						session = id
					}
					got, want := shown(r), &archive.Files[i+1]
					if *update {
						want.Data = []byte(got)
					} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
						t.Errorf("%s (-want +got):\n%s", f.Name, diff)
					}
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// play sends a request as it stands in a transcript.
func (h *house) play(transcript string) reply {
	h.t.Helper()
	head, body, _ := strings.Cut(strings.TrimSpace(transcript), "\n\n")
	lines := strings.Split(head, "\n")
	method, path, ok := strings.Cut(lines[0], " ")
	if !ok {
		h.t.Fatalf("request line %q", lines[0])
	}
	return h.do(method, path, body, lines[1:]...)
}

var changing = regexp.MustCompile(`"auditId":"[0-9a-f-]+"`)

// shown is an answer without what differs from run to run.
func shown(r reply) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", r.status)
	for _, name := range []string{"Content-Type", "WWW-Authenticate", "Retry-After", "Allow", protocol.HeaderSessionID} {
		if value := r.header.Get(name); value != "" {
			if name == protocol.HeaderSessionID {
				value = "SESSION"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteString("\n" + changing.ReplaceAllString(string(r.body), `"auditId":"ID"`) + "\n")
	return b.String()
}
