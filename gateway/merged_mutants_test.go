package gateway

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var mergedSeeds = []string{
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"srv__one"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"srv__two","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"srv__ask"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"srv__ask"},"argument":{"name":"a","value":""}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"test://a"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}}`,
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
	`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`,
	`{"jsonrpc":"2.0","id":1,"result":{}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"srv__one","_meta":{"progressToken":{}}}}`,
}

// mutant is a message that is nearly one of the seeds: parts of it repeated,
// left out, taken from another, or a byte changed.
func mutant(r *rand.Rand, seeds []string) string {
	b := []byte(seeds[r.IntN(len(seeds))])
	for range 1 + r.IntN(3) {
		at := r.IntN(len(b))
		end := min(len(b), at+r.IntN(24))
		switch other := seeds[r.IntN(len(seeds))]; r.IntN(4) {
		case 0:
			b = slices.Delete(b, at, max(at, end-1))
		case 1:
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		case 2:
			from := r.IntN(len(other))
			b = slices.Insert(b, at, []byte(other[from:min(len(other), from+24)])...)
		default:
			b[at] = `"{}[]:,_0aA\ é`[r.IntN(14)]
		}
	}
	return string(b)
}

// Whatever is posted to the merged endpoint, in either era, is answered, never
// with a fault of the gateway's; and a server is called by its own names only.
func TestMergedAnswersMutants(t *testing.T) {
	h := open(t, auto)
	all := h.scripted(true, "srv")
	all["new"] = h.scripted(false, "new")["new"]
	session := h.initialize("")
	r := rand.New(rand.NewPCG(1, 2))
	n := 1500
	if testing.Short() || raceDetector {
		n = 150
	}
	for i := range n {
		body := mutant(r, mergedSeeds)
		if i < 2*len(mergedSeeds) { // as they are, first
			body = mergedSeeds[i/2]
		}
		if i%2 == 0 {
			body = strings.ReplaceAll(body, "srv__", "new__")
		}
		header := session
		if strings.Contains(body, protocol.VersionModern) && r.IntN(4) > 0 {
			header = []string{"MCP-Protocol-Version: 2026-07-28"}
			if m, err := jsonrpc.Parse([]byte(body), jsonrpc.Limits{}); err == nil {
				header = append(header, "Mcp-Method: "+protocol.EncodeHeader(m.Method), "Mcp-Name: "+protocol.EncodeHeader(jsonrpc.Text(m.Raw, "/params/name")+jsonrpc.Text(m.Raw, "/params/uri")))
			}
		}
		if got := h.raw("", body, header...); got.status == http.StatusInternalServerError {
			t.Errorf("%q: %d %s", body, got.status, got.body)
		}
	}
	for alias, s := range all {
		calls := s.sent(protocol.MethodToolsCall)
		for _, m := range calls {
			if name := jsonrpc.Text(m.Params, "/name"); name != "one" && name != "two" {
				t.Errorf("%s was called %q in %s", alias, name, m.Raw)
			}
		}
		if len(calls) == 0 {
			t.Errorf("no mutant reached %s", alias)
		}
	}
}
