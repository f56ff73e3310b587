package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector of spans, as lines of text.
type receiver struct {
	mu    sync.Mutex
	lines []string
}

type receiverKey struct{}

// cmdReceiver starts a receiver of OTLP over HTTP that wants a key, and sets
// RECEIVER to its URL.
func cmdReceiver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: receiver KEY")
	}
	r := ts.Value(receiverKey{}).(*receiver)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/v1/traces" || req.Header.Get("Api-Key") != args[0] {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		if err := r.take(req.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("RECEIVER", server.URL+"/v1/traces")
}

func (r *receiver) take(body io.Reader) error {
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(unzipped)
	if err != nil {
		return err
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		of := attributes(resource.Resource.Attributes)
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				r.lines = append(r.lines, fmt.Sprintf("%s trace=%x span=%x parent=%x name=%q state=%q%s status=%q resource:%s",
					s.Kind, s.TraceId, s.SpanId, s.ParentSpanId, s.Name, s.TraceState, attributes(s.Attributes), s.Status.GetMessage(), of))
			}
		}
	}
	return nil
}

func attributes(all []*common.KeyValue) (text string) {
	for _, a := range all {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return text
}

// cmdSpans prints what the receiver got.
func cmdSpans(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: spans")
	}
	r := ts.Value(receiverKey{}).(*receiver)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		fmt.Fprintln(ts.Stdout(), line)
	}
}
