package gateway

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var crossCalls = flag.Int("cross", 0, "how many calls TestCrossDelivery makes")

// TestCrossDelivery has many clients call at once, all with the same ids and
// progress tokens, in both eras, at the merged endpoint and at those of single
// servers. The servers answer out of order. Whatever comes back must hold the
// nonce of the very call that it answers.
func TestCrossDelivery(t *testing.T) {
	calls := *crossCalls
	switch {
	case calls > 0:
	case testing.Short() || raceDetector:
		calls = 2_000
	default:
		calls = 10_000
	}
	h := open(t, func(c *Config) {
		auto(c)
		c.SessionsPerCaller, c.Processes, c.ProcessesPerCaller, c.RequestsPerAddress = 512, 512, 128, 4096
		c.SilenceTimeout = 30 * time.Second
		c.Logger = slog.New(slog.DiscardHandler) // it warns of every answer to nobody
	})
	w := &crossing{house: h, aliases: h.shufflers(), left: int64(calls)}
	w.http.MaxIdleConnsPerHost = 1024
	t.Cleanup(w.http.CloseIdleConnections)
	began := time.Now()
	var work sync.WaitGroup
	for p := range 4 {
		token := h.keys.issue(t, fmt.Sprint("principal-", p), identity.RoleAgent)
		for i := range 6 {
			era := []protocol.Era{protocol.Modern, protocol.Legacy}[i%2]
			c := &crosser{crossing: w, name: fmt.Sprintf("p%d-c%d", p, i), token: token, era: era, merged: i < 4, sessions: map[string][]string{}}
			work.Go(c.run)
		}
	}
	work.Wait()
	took := time.Since(began).Round(time.Second)
	t.Logf("%d calls by 24 clients of 4 principals in %v: %d answered with their own nonce, %d with another's, %d refused, %d failed; %d tell, %d ask, %d of them in vain",
		calls, took, w.right.Load(), w.crossed.Load(), w.refused.Load(), w.failed.Load(), w.told.Load(), w.asked.Load(), w.declined.Load())
	if right, refused := w.right.Load(), w.refused.Load(); w.crossed.Load() > 0 || right+refused != int64(calls) || refused > right/100 {
		t.Error("not every call was answered with its own nonce")
	}
}

// crossing is what all clients of the test share.
type crossing struct {
	*house
	http    http.Transport
	aliases []string
	left    int64 // calls still to make, atomically

	right, crossed, refused, failed, told, asked, declined atomic.Int64
}

// crosser is one client with several calls under way.
type crosser struct {
	*crossing
	name, token string
	era         protocol.Era
	merged      bool
	lastID      atomic.Int64

	mu       sync.Mutex
	sessions map[string][]string // header lines, by endpoint
}

const callsAtOnce = 4

// errTooBusy is a call whose scanner ran out of time: the machine has others to
// serve, and the gateway fails closed.
var errTooBusy = errors.New("refused for want of time")

func (c *crosser) run() {
	var work sync.WaitGroup
	for range callsAtOnce {
		work.Go(func() {
			for atomic.AddInt64(&c.left, -1) >= 0 {
				err := c.once()
				if errors.Is(err, errTooBusy) {
					c.refused.Add(1)
					continue
				}
				if err != nil {
					if n := c.failed.Add(1); n < 20 {
						c.t.Errorf("%s: %v", c.name, err)
					}
					continue
				}
				c.right.Add(1)
			}
		})
	}
	work.Wait()
}

// once makes one call and checks everything that comes back.
func (c *crosser) once() error {
	id := c.lastID.Add(1) // every client counts alike
	nonce := fmt.Sprintf("%s-%d-%x", c.name, id, rand.Uint64())
	server := c.aliases[rand.IntN(len(c.aliases))]
	endpoint, prefix := server, ""
	if c.merged {
		endpoint, prefix = "", server+"__"
	}
	a := &crossAnswer{
		nonce: nonce, id: jsontext.Value(fmt.Sprint(id)), want: nonce, token: fmt.Sprint("token-", id), anyCall: server == "pipe-"+string(protocol.Legacy),
	}
	if id%3 == 0 {
		a.id = jsontext.Value(fmt.Sprintf(`"%d"`, id))
	}
	var method, params string
	switch n := rand.IntN(20); {
	case n < 11:
		method, params, a.at = protocol.MethodToolsCall, fmt.Sprintf(`"name":"%secho","arguments":{"nonce":%q}`, prefix, nonce), "/result/content/0/text"
	case n < 13:
		method, params, a.at = protocol.MethodPromptsGet, fmt.Sprintf(`"name":"%secho","arguments":{"nonce":%q}`, prefix, nonce), "/result/messages/0/content/text"
	case n < 15:
		method, params, a.at = protocol.MethodResourcesRead, fmt.Sprintf(`"uri":"%s://%s"`, server, nonce), "/result/contents/0/text"
	case n < 16:
		method, a.at = protocol.MethodCompletionComplete, "/result/completion/values/0"
		params = fmt.Sprintf(`"ref":{"type":"ref/prompt","name":"%secho"},"argument":{"name":"nonce","value":%q}`, prefix, nonce)
	case n < 18:
		c.told.Add(1)
		method, params, a.at = protocol.MethodToolsCall, fmt.Sprintf(`"name":"%stell","arguments":{"nonce":%q}`, prefix, nonce), "/result/content/0/text"
		a.progress = true
	default:
		c.asked.Add(1)
		method, params, a.at = protocol.MethodToolsCall, fmt.Sprintf(`"name":"%sask","arguments":{"nonce":%q}`, prefix, nonce), "/result/content/0/text"
		a.want = nonce + "|" + nonce
	}
	if err := c.ask(endpoint, method, params, a); err != nil {
		return fmt.Errorf("%s of %s (merged %v, %s): %w", method, server, c.merged, c.era, err)
	}
	if a.progress && a.reports != 2 {
		return fmt.Errorf("%s: %d reports of progress came", server, a.reports)
	}
	return nil
}

// crossAnswer is what a call expects, and what came of it.
type crossAnswer struct {
	nonce, want, token string
	id                 jsontext.Value
	at                 jsontext.Pointer
	progress           bool
	// A legacy server on one pipe asks without naming a call: it may ask in the
	// answer to any call of the client's.
	anyCall bool

	reports int
	more    string // params of the next round
	done    bool
}

func (c *crosser) ask(endpoint, method, params string, a *crossAnswer) error {
	session, err := c.session(endpoint)
	if err != nil {
		return err
	}
	for !a.done {
		meta := ""
		if a.progress {
			meta = `"progressToken":"` + a.token + `"`
		}
		header := session
		if c.era == protocol.Modern {
			meta = strings.TrimPrefix(meta+`,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"io.modelcontextprotocol/clientInfo":{"name":"`+c.name+`","version":"1"}`, ",")
			header = []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method}
			for _, member := range []jsontext.Pointer{"/name", "/uri"} {
				if name := jsonrpc.Text(jsontext.Value("{"+params+"}"), member); name != "" {
					header = append(header, "Mcp-Name: "+protocol.EncodeHeader(name))
				}
			}
		}
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s%s,"_meta":{%s}}}`, a.id, method, params, a.more, meta)
		resp, err := c.post(endpoint, body, header)
		if err != nil {
			return err
		}
		err = c.read(resp, endpoint, session, a)
		resp.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// read takes every message of an answer.
func (c *crosser) read(resp *http.Response, endpoint string, session []string, a *crossAnswer) error {
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return c.take(raw, endpoint, session, a)
	}
	lines := bufio.NewScanner(resp.Body)
	answered := false
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if answered {
			return fmt.Errorf("after the answer came %s", data)
		}
		if err := c.take([]byte(data), endpoint, session, a); err != nil {
			return err
		}
		answered = a.done || a.more != "" && strings.Contains(data, "input_required")
	}
	if !answered {
		return fmt.Errorf("no answer came (%v)", lines.Err())
	}
	return nil
}

// take checks one message: it must be about this call and no other.
func (c *crosser) take(raw []byte, endpoint string, session []string, a *crossAnswer) error {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		return fmt.Errorf("%q: %w", raw, err)
	}
	wrong := func(what string) error {
		c.crossed.Add(1)
		return fmt.Errorf("%s in %s, the nonce is %s", what, raw, a.nonce)
	}
	switch {
	case m.Method == protocol.NotificationProgress:
		if jsonrpc.Text(m.Params, "/message") != a.nonce || jsonrpc.Text(m.Params, "/progressToken") != a.token {
			return wrong("progress of another call")
		}
		a.reports++
	case m.Method == protocol.MethodElicitationCreate:
		question := jsonrpc.Text(m.Params, "/message")
		if !c.concerns(a, question) {
			return wrong("a question of another call")
		}
		resp, err := c.post(endpoint, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"action":"accept","content":{"nonce":%q}}}`, m.ID, question), session)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			return fmt.Errorf("reply: %s", resp.Status)
		}
	case m.Error != nil && jsonrpc.Text(m.Error, "/data/reason") == string(ReasonScannerFailure):
		return errTooBusy
	case m.Kind != jsonrpc.Response || m.Error != nil:
		return fmt.Errorf("unexpected %s", raw)
	case string(m.ID) != string(a.id):
		return wrong("an answer to another call")
	case jsonrpc.Text(m.Result, "/resultType") == "input_required":
		return c.again(m, a, wrong)
	case a.anyCall && jsonrpc.Text(m.Raw, a.at) == a.nonce+"|": // no call was there to ask in
		c.declined.Add(1)
		a.done = true
	case jsonrpc.Text(m.Raw, a.at) != a.want:
		return wrong("an answer of another call")
	default:
		a.done = true
	}
	return nil
}

// again prepares the next round of a call that asked for input.
func (c *crosser) again(m *jsonrpc.Message, a *crossAnswer, wrong func(string) error) error {
	requests, err := jsonrpc.Members(valueAt(m.Result, "/inputRequests"))
	if err != nil || len(requests) != 1 || a.more != "" && !a.anyCall {
		return fmt.Errorf("asks %s (%v)", m.Raw, err)
	}
	question := jsonrpc.Text(requests[0].Value, "/params/message")
	if !c.concerns(a, question) {
		return wrong("a question of another call")
	}
	a.more = fmt.Sprintf(`,"inputResponses":{%q:{"action":"accept","content":{"nonce":%q}}},"requestState":%s`, requests[0].Name, question, valueAt(m.Result, "/requestState"))
	return nil
}

// concerns reports whether a question may come with this answer.
func (c *crosser) concerns(a *crossAnswer, question string) bool {
	return question == a.nonce || a.anyCall && strings.HasPrefix(question, c.name+"-")
}

// session opens the legacy session with an endpoint, once.
func (c *crosser) session(endpoint string) ([]string, error) {
	if c.era == protocol.Modern {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if lines := c.sessions[endpoint]; lines != nil {
		return lines, nil
	}
	resp, err := c.post(endpoint, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"t","version":"1"}}}`, nil)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	id := resp.Header.Get(protocol.HeaderSessionID)
	if id == "" {
		return nil, fmt.Errorf("initialize at %q: %s", endpoint, resp.Status)
	}
	lines := []string{"Mcp-Session-Id: " + id, "MCP-Protocol-Version: 2025-11-25"}
	c.sessions[endpoint] = lines
	resp, err = c.post(endpoint, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, lines)
	if err != nil {
		return nil, err
	}
	return lines, resp.Body.Close()
}

func (c *crosser) post(endpoint, body string, header []string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, strings.TrimSuffix(c.url+"/mcp/"+endpoint, "/"), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+c.token)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	return c.http.RoundTrip(req)
}
