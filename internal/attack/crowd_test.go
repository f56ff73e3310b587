//go:build unix

package attack

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// from dials the gateway from another address of this machine.
func (d *door) from(address string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: time.Minute}
	return dialer.Dial("tcp", d.host())
}

// ended waits until the gateway closes a connection.
func ended(conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(3 * time.Minute)) // only what hangs gets there
	_, err := io.Copy(io.Discard, conn)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return err
	}
	return nil
}

// TestSlowloris (row 16): who sends header or body drop by drop, or nothing at
// all, is cut off; others are served meanwhile.
func TestSlowloris(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	d, err := w.open("slowloris", "")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	drip := func(conn net.Conn, head, drop string) error {
		defer conn.Close()
		if _, err := io.WriteString(conn, head); err != nil {
			return nil
		}
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(500 * time.Millisecond):
				}
				if _, err := io.WriteString(conn, drop); err != nil {
					return
				}
			}
		}()
		return ended(conn)
	}
	request := fmt.Sprintf("POST /mcp/pier HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n", d.host(), w.alice)
	var attackers sync.WaitGroup
	for i := range 240 {
		conn, err := d.from(fmt.Sprintf("127.0.1.%d", 1+i%4))
		if err != nil {
			t.Skip("other addresses of this machine cannot be used:", err)
		}
		attackers.Go(func() {
			var err error
			switch i % 4 {
			case 0:
				err = drip(conn, "", "")
			case 1:
				err = drip(conn, request, "X-A: b\r\n")
			case 2:
				err = drip(conn, "PO", "S")
			case 3:
				err = drip(conn, request+"Content-Length: 1000000\r\n\r\n", " ")
			}
			if err != nil {
				t.Errorf("attacker %d is still there: %v", i, err)
			}
		})
	}
	done := make(chan struct{})
	go func() { attackers.Wait(); close(done) }()
	for served := 0; ; served++ {
		if r := d.call(t, "pier", "tools/call", pier.act("slowloris")); r.status != http.StatusOK {
			t.Fatalf("an honest call: %d %s", r.status, r.body)
		}
		select {
		case <-done:
			t.Logf("%d calls were served meanwhile", served+1)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestCrowd (row 16): connections and streams that nobody uses, as many as may
// be, keep nobody else out.
func TestCrowd(t *testing.T) {
	w := enter(t)
	thePier(t, w)
	a := w.cast(t, "bridge", protocol.Legacy, func(a *actor) {
		a.on(http.MethodGet, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/event-stream")
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
		})
	})
	d, err := w.open("crowd", "")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, a)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	crowd := min(10_000, int(limit.Cur)/2-1000)
	if crowd < 500 {
		t.Skipf("only %d files may be open", limit.Cur)
	}
	// Streams: as many as one address and one caller get.
	var streams, turned atomic.Int64
	var visitors []*visitor
	for range 8 {
		visitors = append(visitors, d.visit(t, a.name, w.mallory))
	}
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.2.1")}}).DialContext}
	defer transport.CloseIdleConnections()
	var opening sync.WaitGroup
	for i := range 300 {
		req := visitors[i%len(visitors)].request(t, http.MethodGet, "", "Accept: text/event-stream")
		opening.Go(func() {
			resp, err := transport.RoundTrip(req)
			if err != nil {
				turned.Add(1)
				return
			}
			t.Cleanup(func() { resp.Body.Close() })
			if resp.StatusCode == http.StatusOK {
				streams.Add(1)
			} else {
				turned.Add(1)
			}
		})
	}
	opening.Wait()
	// Connections: from so many addresses that no address has too many.
	var idle []net.Conn
	defer func() {
		for _, conn := range idle {
			conn.Close()
		}
	}()
	for i := range crowd {
		conn, err := d.from(fmt.Sprintf("127.0.3.%d", 1+i/400))
		if err != nil {
			if errors.Is(err, syscall.EMFILE) || os.IsTimeout(err) {
				break
			}
			t.Skip("other addresses of this machine cannot be used:", err)
		}
		// Half of them were served once and now idle.
		if i%2 == 0 {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: "+d.host()+"\r\n\r\n")
		}
		idle = append(idle, conn)
	}
	t.Logf("%d idle streams, %d turned away; %d idle connections", streams.Load(), turned.Load(), len(idle))
	if streams.Load() == 0 {
		t.Error("no stream was opened")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // each call a newcomer
	for i := range 30 {
		req := newRequest(t, http.MethodPost, d.url+"/mcp/bridge", w.alice, "")
		body, header := modern("1", "tools/call", `{"name":"bridge_look","arguments":{}}`)
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		setHeader(req, w.alice, header)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("newcomer %d: %v", i, err)
		}
		said, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("newcomer %d: %d %s", i, resp.StatusCode, said)
		}
	}
	if now, _ := memory(t, d.Process); now > 1<<30 {
		t.Errorf("the gateway holds %d MiB", now>>20)
	}
}
