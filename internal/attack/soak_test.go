//go:build soak

package attack

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	soakFor   = flag.Duration("soak", 30*time.Minute, "how long the soak takes")
	soakPause = flag.Duration("pause", 80*time.Millisecond, "pause of each client between two of its acts")
)

// TestSoak has clients of every kind at work for a long time, the hostile
// beside the honest, and demands that memory, goroutines and open files of the
// gateway are in the end what they were after warming up.
func TestSoak(t *testing.T) {
	w := open(t)
	pier, ferry := thePier(t, w), theFerry(t, w)
	theCellar(t, w)
	for _, a := range []*actor{pier, ferry} {
		a.deaf = true
		a.rehearse()
	}
	d, err := w.open("soak", soakConfig(0))
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	w.seen(t, d, ferry)
	s := &soak{d: d, w: w, left: map[string]string{}}
	for _, name := range []string{"idler", "stranger", "local"} {
		if s.left[name], err = w.Key(name, "--role", "agent"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), *soakFor)
	defer stop()
	var work sync.WaitGroup
	for name, act := range s.acts() {
		work.Go(func() { s.repeat(ctx, name, act) })
	}
	work.Go(func() { s.reload(ctx) })
	samples := s.watch(ctx, t)
	work.Wait()
	s.report(t, samples)
}

func soakConfig(turn int) string {
	return fmt.Sprintf("gateway:\n  unsafeRun: true\n  drainGrace: %ds\n  servers:\n    - alias: pier\n      server: io.example/pier\n      url: %s/pier\n      headers: {X-Turn: '%d'}\n",
		30+turn%2, lasting.world.stage.server.URL, turn/4%2)
}

// rehearse sets the cues of the soak.
func (a *actor) rehearse() {
	note := `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"on the way"}}`
	answer := `{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[{"type":"text","text":"fine"}]}}`
	a.cue("stream", streams(note, note, note, answer))
	a.cue("hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	a.cue("cut", func(w http.ResponseWriter, _ *http.Request) { cut(w, rand.IntN(2) == 0) })
	a.cue("flood", func(w http.ResponseWriter, r *http.Request) {
		flood("application/json", `{"x":"`, 0, make(chan struct{}))(w, r)
	})
	a.cue("rubbish", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}`)
	})
	a.cue("inject", saysText(injection))
	a.cue("large", saysText(prose(100_000)))
	a.cue("image", says(`{"resultType":"complete","content":[{"type":"image","mimeType":"image/png","data":"`+base64.StdEncoding.EncodeToString([]byte(prose(20_000)))+`"}]}`))
	a.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; r.Context().Err() == nil; i++ {
			fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i, note)
			w.(http.Flusher).Flush()
			if i%20 == 19 {
				fmt.Fprint(w, `data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`+"\n\n")
			}
			select {
			case <-r.Context().Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	a.on(http.MethodDelete, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	a.on(protocol.MethodSubscriptionsListen, func(w http.ResponseWriter, r *http.Request) {
		id := string(idOf(r))
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, `data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{}}}`+"\n\n", id)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
}

// prose is harmless text of about n bytes.
func prose(n int) string {
	words := strings.Fields("the harbour office keeps tide tables for every berth and posts them at noon together with the weather of the coming day so that crews can plan when to load and when to leave")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[rand.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.String()
}

// soak is the state of one run.
type soak struct {
	d    *door
	w    *world
	left map[string]string // keys of clients that leave things behind

	done   atomic.Int64
	mu     sync.Mutex
	counts map[string]int // by act and outcome
	wrong  []string
}

// repeat does an act again and again. Its error is what nobody should see.
func (s *soak) repeat(ctx context.Context, name string, act func(context.Context) (outcome string, err error)) {
	for ctx.Err() == nil {
		outcome, err := act(ctx)
		if ctx.Err() != nil {
			return
		}
		s.done.Add(1)
		s.mu.Lock()
		if s.counts == nil {
			s.counts = map[string]int{}
		}
		s.counts[name+": "+outcome]++
		if err != nil && len(s.wrong) < 20 {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %v", name, err))
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(*soakPause/2 + rand.N(*soakPause)):
		}
	}
}

// send makes a request and reads its answer; what is expected is among allowed.
func (s *soak) send(ctx context.Context, method, path, token, body string, header []string, allowed ...int) (reply, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.d.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, "", err
	}
	setHeader(req, token, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, "no answer", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	r := reply{resp.StatusCode, resp.Header, b}
	if err == nil && !slices.Contains(allowed, r.status) {
		err = fmt.Errorf("%s %s: %d %.300s", method, path, r.status, b)
	}
	return r, strconv.Itoa(r.status), err
}

func (s *soak) modern(ctx context.Context, path, token, params string, allowed ...int) (string, error) {
	body, header := modern("1", "tools/call", params)
	_, outcome, err := s.send(ctx, http.MethodPost, path, token, body, header, allowed...)
	return outcome, err
}

// session opens a legacy session.
func (s *soak) session(ctx context.Context, path, token string, allowed ...int) ([]string, string, error) {
	r, outcome, err := s.send(ctx, http.MethodPost, path, token, initialize, nil, append(allowed, 200)...)
	if err != nil || r.status != http.StatusOK {
		return nil, outcome, err
	}
	header := []string{"Mcp-Session-Id: " + r.header.Get(protocol.HeaderSessionID), "MCP-Protocol-Version: 2025-11-25"}
	// 404: a reload gave the alias another target, and its sessions ended.
	_, outcome, err = s.send(ctx, http.MethodPost, path, token, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, header, 202, 404)
	return header, outcome, err
}

// visit is a session with a few calls, which is ended or left open.
func (s *soak) visit(ctx context.Context, path, token, tool string, end bool, allowed ...int) (string, error) {
	header, outcome, err := s.session(ctx, path, token, allowed...)
	if err != nil || header == nil {
		return outcome, err
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"text":%q},"_meta":{"progressToken":%d}}}`, i, tool, prose(rand.IntN(4000)), i)
		if _, outcome, err = s.send(ctx, http.MethodPost, path, token, body, header, append(allowed, 200, 404)...); err != nil {
			return outcome, err
		}
	}
	if end {
		_, outcome, err = s.send(ctx, http.MethodDelete, path, token, "", header, 204, 404)
	}
	return outcome, err
}

// abandon begins a request and leaves.
func (s *soak) abandon(ctx context.Context, method, path, token, body string, header []string) (string, error) {
	ctx, leave := context.WithTimeout(ctx, 50*time.Millisecond+rand.N(500*time.Millisecond))
	defer leave()
	_, _, err := s.send(ctx, method, path, token, body, header, 200, 404)
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return "left", nil
	}
	return "answered", err
}

// acts are the clients of the soak.
func (s *soak) acts() map[string]func(context.Context) (string, error) {
	alice := s.w.alice
	text := func(tool, cue string, n int) string {
		return fmt.Sprintf(`{"name":%q,"arguments":{"cue":%q,"text":%q}}`, tool, cue, prose(n))
	}
	pick := func(list ...string) string { return list[rand.IntN(len(list))] }
	return map[string]func(context.Context) (string, error){
		"modern": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp/pier", alice, text("pier_act", "", rand.IntN(50_000)), 200)
		},
		"modern stream": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp/pier", alice, text("pier_look", pick("stream", "large", "image"), 100), 200)
		},
		"legacy": func(ctx context.Context) (string, error) {
			return s.visit(ctx, "/mcp/ferry", alice, "ferry_act", true)
		},
		"legacy client, modern server": func(ctx context.Context) (string, error) {
			return s.visit(ctx, "/mcp/pier", alice, "pier_act", true)
		},
		"modern client, legacy server": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp/ferry", alice, text("ferry_look", pick("", "stream"), 1000), 200)
		},
		"merged": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp", alice, text(pick("pier__pier_act", "ferry__ferry_act"), "", 1000), 200)
		},
		"merged session": func(ctx context.Context) (string, error) {
			return s.visit(ctx, "/mcp", alice, pick("pier__pier_look", "ferry__ferry_look"), true)
		},
		"lists": func(ctx context.Context) (string, error) {
			body, header := modern(`"list"`, "tools/list", "")
			_, outcome, err := s.send(ctx, http.MethodPost, pick("/mcp/pier", "/mcp/ferry", "/mcp"), alice, body, header, 200)
			return outcome, err
		},
		"sessions left open": func(ctx context.Context) (string, error) {
			path, tool, _ := strings.Cut(pick("/mcp/ferry ferry_look", "/mcp/pier pier_look", "/mcp ferry__ferry_look"), " ")
			return s.visit(ctx, path, s.left["idler"], tool, false, 429)
		},
		"streams": func(ctx context.Context) (string, error) {
			header, outcome, err := s.session(ctx, "/mcp/ferry", alice)
			if err != nil {
				return outcome, err
			}
			if outcome, err = s.abandon(ctx, http.MethodGet, "/mcp/ferry", alice, "", append([]string{"Accept: text/event-stream"}, header...)); err != nil {
				return outcome, err
			}
			_, outcome, err = s.send(ctx, http.MethodDelete, "/mcp/ferry", alice, "", header, 204, 404)
			return outcome, err
		},
		"subscriptions": func(ctx context.Context) (string, error) {
			body, header := modern("7", protocol.MethodSubscriptionsListen, `{"notifications":{"toolsListChanged":true}}`)
			return s.abandon(ctx, http.MethodPost, pick("/mcp/pier", "/mcp"), alice, body, header)
		},
		"cancelled": func(ctx context.Context) (string, error) {
			body, header := modern("9", "tools/call", `{"name":"pier_act","arguments":{"cue":"hang"}}`)
			return s.abandon(ctx, http.MethodPost, "/mcp/pier", alice, body, header)
		},
		"local, modern": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp/cellar", alice, text("cellar_act", pick("echo", "progress", "shout", ""), 1000), 200, 503)
		},
		"local, legacy": func(ctx context.Context) (string, error) {
			return s.visit(ctx, "/mcp/cellar", alice, "cellar_look", true, 503)
		},
		"local that dies": func(ctx context.Context) (string, error) {
			return s.modern(ctx, "/mcp/cellar", s.left["local"], text("cellar_act", pick("die", "rubbish", ""), 10), 200, 502, 503)
		},
		"hostile servers": func(ctx context.Context) (string, error) {
			cue := pick("cut", "flood", "rubbish", "inject")
			return s.modern(ctx, "/mcp/pier", s.left["stranger"], text("pier_look", cue, 10), 403, 502)
		},
		"hostile clients": func(ctx context.Context) (string, error) {
			body, header := modern("1", "tools/call", text("pier_act", "", 10))
			token := s.left["stranger"]
			switch rand.IntN(6) {
			case 0:
				body = strings.Replace(body, `"id":1`, `"id":1,"id":2`, 1)
			case 1:
				header = append(header, "Mcp-Name: other")
			case 2:
				token = strings.Repeat("x", 80)
			case 3:
				header = append(header, "Host: evil.example")
			case 4:
				body = strings.Repeat("[", 1<<20)
			case 5:
				body, header = modern("1", "tools/call", `{"name":"pier_act","arguments":{"text":"token ghp_zQ8mW2xKcV5nT7rJ4hLsD9fYbG3aP20RkQ2P"}}`)
			}
			_, outcome, err := s.send(ctx, http.MethodPost, "/mcp/pier", token, body, header, 400, 401, 403)
			return outcome, err
		},
		"forged ids": func(ctx context.Context) (string, error) {
			header := []string{"Mcp-Session-Id: bzs_" + base64.RawURLEncoding.EncodeToString([]byte(prose(40)[:20])), "MCP-Protocol-Version: 2025-11-25"}
			_, outcome, err := s.send(ctx, http.MethodGet, "/mcp/ferry", s.left["stranger"], "", append([]string{"Accept: text/event-stream"}, header...), 404)
			return outcome, err
		},
	}
}

// reload has the gateway take over a changed configuration now and then.
func (s *soak) reload(ctx context.Context) {
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(7 * time.Second):
		}
		config := soakConfig(turn)
		if turn%5 == 4 {
			config = "gateway:\n  nonsense: true\n" // refused: what was in force stays
		}
		if os.WriteFile(s.d.yaml, []byte(config), 0o600) == nil {
			s.d.Signal(syscall.SIGHUP)
		}
	}
}

// sample is what the gateway uses at one moment.
type sample struct{ memory, goroutines, files float64 }

func (s *soak) watch(ctx context.Context, t *testing.T) (samples []sample) {
	every := max(*soakFor/300, 500*time.Millisecond)
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return samples
		case <-time.After(every):
		}
		if !alive(s.d.Process) {
			t.Fatalf("the gateway ended: %s", s.d.Said())
		}
		memory, _ := memory(t, s.d.Process)
		goroutines, err := s.goroutines(ctx)
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			continue
		}
		samples = append(samples, sample{float64(memory), goroutines, float64(descriptors(t, s.d.Process))})
		if n := len(samples); n%20 == 0 {
			t.Logf("%6s: %4.0f MiB, %4.0f goroutines, %3.0f files, %d acts", time.Since(began).Round(time.Second),
				samples[n-1].memory/(1<<20), samples[n-1].goroutines, samples[n-1].files, s.done.Load())
		}
	}
}

func (s *soak) goroutines(ctx context.Context) (float64, error) {
	r, _, err := s.send(ctx, http.MethodGet, "/metrics", "", "", []string{"Authorization:"}, 200)
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(r.body)))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			return strconv.ParseFloat(rest, 64)
		}
	}
	return 0, errors.New("/metrics has no go_goroutines")
}

// report compares the time after warming up with the end, by the median of a
// fifth of the samples each: what grows with time or with calls shows there,
// what the garbage collector does from one second to the next does not.
func (s *soak) report(t *testing.T, samples []sample) {
	for _, line := range sortedCounts(s.counts) {
		t.Log(line)
	}
	for _, wrong := range s.wrong {
		t.Error(wrong)
	}
	n := len(samples)
	if n < 20 {
		t.Fatalf("only %d samples", n)
	}
	for _, m := range []struct {
		name          string
		of            func(sample) float64
		unit          float64
		factor, slack float64
	}{
		{"memory, MiB", func(s sample) float64 { return s.memory }, 1 << 20, 1.15, 48},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 1, 1.15, 60},
		{"open files", func(s sample) float64 { return s.files }, 1, 1.15, 40},
	} {
		warm, end := median(samples[n/5:2*n/5], m.of)/m.unit, median(samples[4*n/5:], m.of)/m.unit
		fmt.Printf("count: soak: %s after warming up %.0f, at the end %.0f (at most %.0f) over %d acts in %s\n", m.name, warm, end, warm*m.factor+m.slack, s.done.Load(), *soakFor)
		if end > warm*m.factor+m.slack {
			t.Errorf("%s grew from %.0f to %.0f", m.name, warm, end)
		}
	}
}

// alive reports whether the program runs.
func alive(p *doors.Process) bool {
	select {
	case <-p.Ended():
		return false
	default:
		return true
	}
}

// descriptors is how many files the program has open.
func descriptors(t testing.TB, p *doors.Process) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.ID()))
	if err != nil {
		t.Skip("open files of another process are read from /proc:", err)
	}
	return len(entries)
}

func median(samples []sample, of func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func sortedCounts(counts map[string]int) (lines []string) {
	for what, n := range counts {
		lines = append(lines, fmt.Sprintf("%s: %d", what, n))
	}
	slices.Sort(lines)
	return lines
}
