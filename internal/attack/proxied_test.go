//go:build e2e

package attack

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// front is a proxy in front of the gateway, with the configuration that its
// manual begins with: connections to the gateway are shared by all clients.
// Nothing passes it to /mcp/jetty.
type front struct {
	name, program string
	args          func(file, dir string) []string
	config        func(listen, gate, dir string) string
}

var fronts = []front{
	{
		name: "haproxy", program: "haproxy",
		args: func(file, _ string) []string { return []string{"-db", "-f", file} },
		config: func(listen, gate, _ string) string {
			return fmt.Sprintf(`global
    maxconn 512
defaults
    mode http
    http-reuse always
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend front
    bind %s
    http-request deny if { path_beg /mcp/jetty }
    default_backend gate
backend gate
    server gate %s pool-max-conn 2
`, listen, gate)
		},
	},
	{
		name: "nginx", program: "nginx",
		args: func(file, dir string) []string { return []string{"-e", "stderr", "-p", dir, "-c", file} },
		config: func(listen, gate, dir string) string {
			user := ""
			if os.Getuid() == 0 {
				user = "user root;\n" // else it changes to one who cannot write to the folder
			}
			temp := ""
			for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
				temp += fmt.Sprintf("    %s_temp_path %s;\n", of, filepath.Join(dir, of))
			}
			// Upgrades pass, as for web sockets.
			return user + fmt.Sprintf(`daemon off;
worker_processes 1;
pid %s;
error_log stderr crit;
events { worker_connections 512; }
http {
    access_log off;
%s    upstream gate { server %s; keepalive 2; }
    map $http_upgrade $way { default upgrade; '' ''; }
    server {
        listen %s;
        location /mcp/jetty { return 403; }
        location / {
            proxy_pass http://gate;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $way;
            proxy_buffering off;
        }
    }
}
`, filepath.Join(dir, "pid"), temp, gate, listen)
		},
	},
}

// start runs the proxy and returns where it listens.
func (f front) start(t *testing.T, gate string) string {
	t.Helper()
	program, err := exec.LookPath(f.program)
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/" + f.program)
	}
	switch {
	case err != nil && os.Getenv("BARTIZAN_PROXIES") == "required":
		t.Fatal(err)
	case err != nil:
		t.Skipf("%s is not installed", f.program)
	}
	for range 5 { // the port may be taken meanwhile
		dir := t.TempDir()
		listen := freePort(t)
		file := filepath.Join(dir, "front.conf")
		if err := os.WriteFile(file, []byte(f.config(listen, gate, dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, program, f.args(file, dir)...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // a fast shutdown to both
		cmd.WaitDelay = 5 * time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		stop := func() { cancel(); <-ended }
		for up := false; !up; {
			select {
			case <-ended:
				t.Logf("%s: %s", f.name, said.String())
			case <-time.After(10 * time.Millisecond):
				resp, err := http.Get("http://" + listen + "/healthz")
				if up = err == nil && resp.StatusCode == http.StatusOK; err == nil {
					resp.Body.Close()
				}
				continue
			}
			break
		}
		select {
		case <-ended:
			stop()
		default:
			t.Cleanup(stop)
			return listen
		}
	}
	t.Fatalf("%s does not start", f.name)
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// moreOf are requests that a lenient proxy may hand on as they came.
func (m smuggler) moreOf() []smuggling {
	te := func(line string) func(cue, inner string) string {
		return func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, line, fmt.Sprintf("Content-Length: %d", len(chunked(body))+len(inner)))
			return request + chunked(body) + inner
		}
	}
	ext := func(size string) func(cue, inner string) string {
		return func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + fmt.Sprintf(size, len(body)) + "\r\n" + body + "\r\n0\r\n\r\n" + inner
		}
	}
	length := func(line string) func(cue, inner string) string {
		return func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, fmt.Sprintf(line, len(body)))
			return request + body + inner
		}
	}
	return []smuggling{
		{name: "TE after a tab", wire: te("Transfer-Encoding:\tchunked")},
		{name: "TE after a vertical tab", wire: te("Transfer-Encoding:\vchunked")},
		{name: "TE before a space", wire: te("Transfer-Encoding: chunked ")},
		{name: "TE on a second line", wire: te("Transfer-Encoding:\r\n chunked")},
		{name: "TE behind a line feed alone", wire: te("X-A: b\nTransfer-Encoding: chunked")},
		{name: "TE in capitals", wire: te("TRANSFER-ENCODING: CHUNKED")},
		{name: "TE in quotes", wire: te(`Transfer-Encoding: "chunked"`)},
		{name: "TE twice", wire: te("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
		{name: "TE, then none", wire: te("Transfer-Encoding: chunked, identity")},
		{name: "TE that the connection owns", wire: te("Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked")},
		{name: "CL that the connection owns", wire: length("Connection: keep-alive, Content-Length\r\nContent-Length: %d")},
		{name: "CL in hexadecimal", wire: length("Content-Length: 0x%x")},
		{name: "CL with an underscore", wire: length("Content_Length: 0\r\nContent-Length: %d")},
		{name: "CL after zeros", wire: length("Content-Length: 000%d")},
		{name: "CL of nothing", wire: func(cue, inner string) string {
			request, _ := m.head(cue, "Content-Length: 0", "Expect: 100-continue")
			return request + inner
		}},
		{name: "CL, smaller, then larger", wire: length("Content-Length: 4\r\nContent-Length: %d")},
		{name: "a body that is expected", wire: length("Expect: 100-continue\r\nContent-Length: %d")},
		{name: "an extension of a chunk", wire: ext("%x;a=b")},
		{name: "an extension with a line feed", wire: ext("%x;a\nb")},
		{name: "an extension with a carriage return", wire: ext("%x;a\rb")},
		{name: "an extension in quotes with a line end", wire: ext("%x;a=\"\r\n\"")},
		{name: "a size and a space", wire: ext("%x ")},
		{name: "a size after zeros", wire: ext("00000000000000000%x")},
		{name: "a size with a prefix", wire: ext("0x%x")},
		{name: "a last chunk of two zeros and a trailer", wire: func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + fmt.Sprintf("%x\r\n%s\r\n00\r\nContent-Length: 5\r\n\r\n", len(body), body) + inner
		}},
		{name: "a chunk longer than it says", wire: func(cue, inner string) string {
			request, body := m.head(cue, "Transfer-Encoding: chunked")
			return request + fmt.Sprintf("%x\r\n%sXX\r\n0\r\n\r\n", len(body), body) + inner
		}},
		{name: "an upgrade that goes on", wire: func(cue, inner string) string {
			_, body := m.head(cue)
			request, _ := m.head(cue, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", fmt.Sprintf("Content-Length: %d", len(body)))
			return request + body + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner
		}},
		{name: "an absolute target of another path", wire: func(cue, inner string) string {
			return strings.Replace(m.whole(cue), "POST /mcp/", "POST http://"+m.host+"/healthz/../mcp/", 1) + inner
		}},
	}
}

// TestBehindProxies (row 15): a proxy in front that shares its connections to
// the gateway among clients. What one client writes is never a request of
// somebody else's, gets past the proxy to nobody whom it forbids, and a client on
// the next connection gets its own answers all the while.
func TestBehindProxies(t *testing.T) {
	w := open(t)
	d, err := w.open("proxied", "")
	if err != nil {
		t.Fatal(err)
	}
	quay := w.cast(t, "quay", protocol.Modern, func(a *actor) {
		a.cue("mirror", func(rw http.ResponseWriter, r *http.Request) {
			body := readAll(r)
			r.Body = io.NopCloser(bytes.NewReader(body))
			saysText(jsonrpc.Text(body, "/params/arguments/nonce"))(rw, r)
		})
	}, d)
	jetty := w.cast(t, "jetty", protocol.Modern, nil, d)
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			host := f.start(t, d.host())
			outer, inner := smuggler{host, w.alice, quay}, smuggler{host, w.alice, jetty}
			if got := exchange(t, host, inner.whole("forbidden")); len(got) == 0 || got[0].status != http.StatusForbidden {
				t.Fatalf("the proxy lets everything pass: %+v", got)
			}
			done := make(chan struct{})
			var victims sync.WaitGroup
			for n := range 2 {
				victims.Go(func() { beVictim(t, host, w.mallory, fmt.Sprintf("%s-victim-%d", f.name, n), done) })
			}
			var attackers sync.WaitGroup
			atOnce := make(chan struct{}, 4)
			for i, tt := range append(outer.all(), outer.moreOf()...) {
				attackers.Go(func() {
					atOnce <- struct{}{}
					defer func() { <-atOnce }()
					for _, got := range exchange(t, host, tt.wire(fmt.Sprintf("%s-outer-%d", f.name, i), inner.whole(f.name+"-smuggled"))) {
						if got.status == http.StatusSwitchingProtocols {
							t.Errorf("%s: the protocol was switched", tt.name)
						}
					}
				})
			}
			attackers.Wait()
			close(done)
			victims.Wait()
			jetty.untouched(t, "smuggled")
			jetty.untouched(t, "forbidden")
			for _, rec := range d.events(t, audit.Query{Text: "jetty_act"}) {
				t.Errorf("on record as a call: %.500s", rec.Raw)
			}
		})
	}
}

// beVictim calls again and again, over one connection as long as the proxy
// keeps it, and holds that each answer is its own.
func beVictim(t *testing.T, host, token, name string, done <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for n := 0; ; n++ {
		select {
		case <-done:
			if n > 20 { // some after the last attack, too
				return
			}
		default:
		}
		nonce := fmt.Sprintf("%s-%d", name, n)
		body, header := modern(fmt.Sprint(n), "tools/call", fmt.Sprintf(`{"name":"quay_act","arguments":{"cue":"mirror","nonce":%q}}`, nonce))
		resp, err := client.Do(newRequest(t, http.MethodPost, "http://"+host+"/mcp/quay", token, body, header...))
		if err != nil {
			t.Errorf("%s: %v", nonce, err)
			return
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		m, malformed := jsonrpc.Parse(answer, jsonrpc.Limits{})
		if err != nil || malformed != nil || resp.StatusCode != http.StatusOK || string(m.ID) != fmt.Sprint(n) || jsonrpc.Text(m.Result, "/content/0/text") != nonce {
			t.Errorf("%s got %d %s, %v", nonce, resp.StatusCode, answer, err)
			return
		}
	}
}

// exchange puts bytes on a connection of its own, says that there are no more,
// and reads the answers until the other side closes it or keeps silent.
func exchange(t *testing.T, host, wire string) (got []reply) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, wire) // it may have heard enough before the end
	in := bufio.NewReader(conn)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return got
		}
		body, _ := io.ReadAll(resp.Body)
		got = append(got, reply{resp.StatusCode, resp.Header, body})
	}
}
