package attack

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var collisions = flag.Int("collisions", 4000, "calls of TestCollisions, all clients together")

// TestCollisions (row 5): clients of different principals and eras that use the
// same ids at once get the answers to their own calls, each exactly one.
func TestCollisions(t *testing.T) {
	w := enter(t)
	echo := func(a *actor) {
		a.deaf = true
		a.on(protocol.MethodToolsCall, func(rw http.ResponseWriter, r *http.Request) {
			body := readAll(r)
			id, _, _, _ := jsonrpc.Get(body, "/id")
			text, _, _, _ := jsonrpc.Get(body, "/params/arguments/text")
			rw.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(rw, `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[{"type":"text","text":%s}]}}`, id, text)
		})
	}
	w.cast(t, "gull", protocol.Modern, echo)
	w.cast(t, "tern", protocol.Legacy, echo)
	d, err := w.open("collide", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gull", "tern"} {
		w.seen(t, d, w.stage.actors[name])
	}
	var clients sync.WaitGroup
	paths := []struct{ path, tool string }{{"gull", "gull_look"}, {"tern", "tern_look"}, {"", "gull__gull_look"}, {"", "tern__tern_look"}}
	each := *collisions / (2 * 2 * len(paths))
	for who, token := range map[string]string{"alice": w.alice, "mallory": w.mallory} {
		for _, to := range paths {
			for _, era := range []protocol.Era{protocol.Modern, protocol.Legacy} {
				var session []string
				if era == protocol.Legacy {
					session = d.visit(t, to.path, token).header
				}
				client := &http.Client{Transport: &http.Transport{}}
				t.Cleanup(client.CloseIdleConnections)
				clients.Go(func() {
					for i := range each {
						nonce := fmt.Sprintf("%s %s %s %d", who, to.tool, era, i)
						params := fmt.Sprintf(`{"name":%q,"arguments":{"text":%q}}`, to.tool, nonce)
						body, header := modern(fmt.Sprint(i), "tools/call", params)
						if era == protocol.Legacy {
							body, header = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":%s}`, i, params), session
						}
						req := newRequest(t, http.MethodPost, strings.TrimSuffix(d.url+"/mcp/"+to.path, "/"), token, body, header...)
						resp, err := client.Do(req)
						if err != nil {
							t.Errorf("%s: %v", nonce, err)
							return
						}
						said, err := io.ReadAll(resp.Body)
						resp.Body.Close()
						r := reply{resp.StatusCode, resp.Header, said}
						if all := r.messages(); len(all) > 0 {
							said = all[len(all)-1]
						}
						if id, _, _, _ := jsonrpc.Get(said, "/id"); err != nil || string(id) != fmt.Sprint(i) || jsonrpc.Text(said, "/result/content/0/text") != nonce || len(r.messages()) > 1 {
							t.Errorf("%s: %d %v %.500s", nonce, resp.StatusCode, err, said)
							return
						}
					}
				})
			}
		}
	}
	clients.Wait()
}
