package attack

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// door is a running bartizan-gateway.
type door struct {
	*doors.Process
	w    *world
	url  string
	data string
	yaml string // its configuration file
}

// open starts a gateway that follows the registry of the world. config is what
// its file says beyond the flags.
func (w *world) open(name, config string) (*door, error) { return w.openAt(name, config, w.Registry) }

func (w *world) openAt(name, config, registry string) (*door, error) {
	d := &door{w: w, data: w.Path(name), yaml: w.Path(name + ".yaml")}
	// What the registry's process compiled, the gateway need not compile again.
	if err := os.CopyFS(filepath.Join(d.data, "cache"), os.DirFS(w.Path("data/cache"))); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := ownerOnly(d.data); err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.yaml, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return d, d.start(registry, true)
}

// start runs the gateway, which may have run before.
func (d *door) start(registry string, await bool) (err error) {
	d.Process, d.url, err = d.w.Follow(d.data, registry, "--config", d.yaml)
	if err != nil {
		return err
	}
	d.w.mu.Lock()
	d.w.doors = append(d.w.doors, d)
	d.w.mu.Unlock()
	if !await {
		return nil
	}
	return doors.Ready(context.Background(), d.url, 20*time.Millisecond)
}

// ownerOnly takes from others what copying gave them.
func ownerOnly(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
}

func (d *door) host() string { return strings.TrimPrefix(d.url, "http://") }

// events are the audit records that match.
func (d *door) events(t testing.TB, q audit.Query) []audit.Record {
	t.Helper()
	q.Limit = 10_000
	if q.Text == "" {
		q.Text = cmp.Or(q.ID, q.Code) // most lines need no decoding then
	}
	q.Damaged = func(segment string, offset int64) { t.Errorf("damaged record in %s at %d", segment, offset) }
	records, err := audit.Search(t.Context(), filepath.Join(d.data, "audit"), q)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// reply is one HTTP answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// newRequest is a request as MCP clients make it. header entries are
// "Name: value"; an empty value takes the header away.
func newRequest(t testing.TB, method, url, token, body string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	setHeader(req, token, header)
	return req
}

func setHeader(req *http.Request, token string, header []string) {
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+token)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); {
		case strings.EqualFold(name, "Host"):
			req.Host = value
		case value == "":
			req.Header.Del(name)
		default:
			req.Header.Set(name, value)
		}
	}
}

// do sends a request and reads its answer to the end.
func do(t testing.TB, req *http.Request) reply {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("after %q: %v", body, err)
	}
	return reply{resp.StatusCode, resp.Header, body}
}

// post sends a body as alice.
func (d *door) post(t testing.TB, alias, body string, header ...string) reply {
	t.Helper()
	return do(t, newRequest(t, http.MethodPost, d.url+"/mcp/"+alias, d.w.alice, body, header...))
}

// call sends a request of the modern era as alice, with its headers.
func (d *door) call(t testing.TB, alias, method, params string, extra ...string) reply {
	t.Helper()
	body, header := modern(`1`, method, params)
	return d.post(t, alias, body, append(header, extra...)...)
}

// raw puts bytes on a connection of its own and reads what comes back until
// the gateway closes it or has answered so many requests.
func (d *door) raw(t testing.TB, answers int, wire ...string) (got []reply, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", d.host())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute)) // only what hangs gets there
	for _, part := range wire {
		if _, err := io.WriteString(conn, part); err != nil {
			break // the gateway has heard enough
		}
	}
	in := bufio.NewReader(conn)
	for len(got) < answers {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Fatalf("no answer, and the connection stays open, after %d", len(got))
			}
			return got, true
		}
		body, _ := io.ReadAll(resp.Body)
		got = append(got, reply{resp.StatusCode, resp.Header, body})
		if resp.Close {
			_, err := in.ReadByte()
			return got, err != nil
		}
	}
	return got, false
}

// message is the last JSON-RPC message of the answer, out of its event stream
// where it is one.
func (r reply) message(t testing.TB) *jsonrpc.Message {
	t.Helper()
	body := r.body
	if all := r.messages(); len(all) > 0 {
		body = all[len(all)-1]
	}
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	if err != nil {
		t.Fatalf("answer %d %.2000q: %v", r.status, r.body, err)
	}
	return m
}

// messages are the events of an answer that is a stream.
func (r reply) messages() (all [][]byte) {
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		return nil
	}
	for line := range bytes.SplitSeq(r.body, []byte("\n")) {
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && len(data) > 0 {
			all = append(all, data)
		}
	}
	return all
}

// text is the first text of a tool's result.
func (r reply) text(t testing.TB) string {
	t.Helper()
	m := r.message(t)
	if m.Result == nil {
		t.Fatalf("answer %d has no result: %s", r.status, m.Raw)
	}
	return jsonrpc.Text(m.Result, "/content/0/text")
}

// told is an error of the gateway's as the client sees it.
type told struct {
	Code int `json:"code"`
	Data struct {
		Reason   string   `json:"reason"`
		Rules    []string `json:"rules"`
		Pointers []string `json:"pointers"`
		AuditID  string   `json:"auditId"`
	} `json:"data"`
}

func (r reply) told(t testing.TB) (e told) {
	t.Helper()
	m := r.message(t)
	if m.Error == nil {
		t.Fatalf("no error in %d %.2000s", r.status, m.Raw)
	}
	if err := json.Unmarshal(m.Error, &e); err != nil {
		t.Fatalf("error %s: %v", m.Error, err)
	}
	return e
}

// refused holds an answer to be a refusal for a reason, in what the client is
// told and in the audit log.
func (d *door) refused(t testing.TB, r reply, status, code int, reason string) told {
	t.Helper()
	e := r.told(t)
	if r.status != status || e.Code != code || e.Data.Reason != reason {
		t.Errorf("answer %d code %d reason %q, want %d %d %q (%.500s)", r.status, e.Code, e.Data.Reason, status, code, reason, r.body)
	}
	d.onRecord(t, e.Data.AuditID, reason)
	return e
}

// onRecord waits until the audit log says under an id that a reason refused:
// what nobody known was refused is written every few seconds.
func (d *door) onRecord(t testing.TB, id, reason string) {
	t.Helper()
	if id == "" {
		t.Errorf("%s: the client was told no audit id", reason)
		return
	}
	eventually(t, fmt.Sprintf("record %s of %s", id, reason), func() bool {
		for _, rec := range d.events(t, audit.Query{ID: id}) {
			if rec.Event.StatusCode == reason {
				return true
			}
		}
		return false
	})
}
