package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// endpoint is one way to the server.
type endpoint struct {
	name  string
	url   string
	token string
	era   protocol.Era
}

// caller makes one call after the other, as one client does: in the legacy era
// with a session of its own. Its connection is not shared.
type caller struct {
	at      endpoint
	http    *http.Client
	session string
	id      int64
}

// newCaller connects from a local address, "" for any.
func newCaller(ctx context.Context, at endpoint, from string) (*caller, error) {
	dialer := &net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c := &caller{at: at, http: &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
	}}}
	if at.era == protocol.Modern {
		return c, nil
	}
	resp, err := c.post(ctx, protocol.MethodInitialize, "", []byte(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`))
	if err != nil {
		return nil, err
	}
	c.session = resp.Header.Get(protocol.HeaderSessionID)
	if _, err := answer(resp, "0"); err != nil {
		return nil, err
	}
	resp, err = c.post(ctx, protocol.NotificationInitialized, "", []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return nil, fmt.Errorf("initialized: HTTP %d", resp.StatusCode)
	}
	return c, nil
}

// call has a tool give a text back and checks that it did.
func (c *caller) call(ctx context.Context, tool, text string, quoted []byte) error {
	c.id++
	id := strconv.FormatInt(c.id, 10)
	body := append(make([]byte, 0, len(quoted)+400), `{"jsonrpc":"2.0","id":`+id+`,"method":"tools/call","params":{"name":"`+tool+`","arguments":{"message":`...)
	body = append(append(body, quoted...), '}')
	if c.at.era == protocol.Modern {
		body = append(body, `,"_meta":{"io.modelcontextprotocol/protocolVersion":"`+protocol.VersionModern+`","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`...)
	}
	body = append(body, `}}`...)
	resp, err := c.post(ctx, protocol.MethodToolsCall, tool, body)
	if err != nil {
		return err
	}
	result, err := answer(resp, id)
	if err != nil {
		return err
	}
	said, _, _, err := jsonrpc.Get(result, "/content/0/text")
	if err != nil {
		return fmt.Errorf("%w: %.200s", err, result)
	}
	if bytes.Equal(said, quoted) {
		return nil
	}
	if plain, err := jsontext.AppendUnquote(nil, said); err != nil || string(plain) != text {
		return errors.New("another text came back")
	}
	return nil
}

func (c *caller) post(ctx context.Context, method, name string, body []byte) (*http.Response, error) {
	req, err := c.request(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	if c.at.era == protocol.Modern {
		req.Header.Set(protocol.HeaderProtocolVersion, protocol.VersionModern)
		req.Header.Set(protocol.HeaderMethod, method)
		req.Header.Set(protocol.HeaderName, name)
	}
	return c.http.Do(req)
}

func (c *caller) request(ctx context.Context, method string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.at.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.at.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.at.token)
	}
	if c.session != "" {
		req.Header.Set(protocol.HeaderSessionID, c.session)
		req.Header.Set(protocol.HeaderProtocolVersion, "2025-11-25")
	}
	return req, nil
}

// listen opens the stream of messages outside of any request, which the caller
// closes.
func (c *caller) listen(ctx context.Context) (io.Closer, error) {
	req, err := c.request(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Del("Content-Type")
	req.Header.Set("Accept", "text/event-stream")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("stream: HTTP %d", resp.StatusCode)
	}
	return resp.Body, nil
}

// end closes the session.
func (c *caller) end(ctx context.Context) error {
	req, err := c.request(ctx, http.MethodDelete, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// close lets the connections go.
func (c *caller) close() { c.http.CloseIdleConnections() }

// answer reads the response to a request to its end, as JSON or events.
func answer(resp *http.Response, id string) (jsontext.Value, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d: %.300s", resp.StatusCode, body)
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media == "text/event-stream" {
		body = lastData(body)
	}
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	if err != nil {
		return nil, err
	}
	if m.Result == nil || string(m.ID) != id {
		return nil, fmt.Errorf("answer %s to request %s: %.300s", m.ID, id, body)
	}
	return m.Result, nil
}

// lastData is the data of the last event.
func lastData(events []byte) []byte {
	var last []byte
	for line := range bytes.Lines(events) {
		if rest, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			last = bytes.TrimRight(rest, "\r\n")
		}
	}
	return last
}

// prose is text of about n bytes that no scanner minds, different for each seed.
func prose(n, seed int) string {
	words := strings.Fields("the harbour office keeps tide tables for every berth and posts them at noon together with the weather " +
		"of the coming day so that crews can plan when to load and when to leave without asking twice about depth wind or light")
	var b strings.Builder
	for i := seed; b.Len() < n; i += 1 + i%7 {
		b.WriteString(words[i%len(words)])
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String()[:n])
}
