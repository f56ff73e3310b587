package config

import (
	"errors"
	"fmt"
	"net/url"
)

// Tracing says where the gateway's spans go.
type Tracing struct {
	// Endpoint is the URL of a receiver of OTLP over HTTP, path included;
	// empty sends none.
	Endpoint string `json:"endpoint"`
	// SampleRatio is the share of traces that begin here and are sent. Where a
	// client names a trace, its own decision holds.
	SampleRatio float64 `json:"sampleRatio"`
	// Headers is a file of lines "Name: value" for the receiver.
	Headers string `json:"headers"`
	// Propagate names the gateway's span to upstreams over HTTP, in the header
	// of the request; messages never change.
	Propagate bool `json:"propagate"`
	// UnsafePlaintext sends spans beyond this machine without TLS; audited.
	UnsafePlaintext bool `json:"unsafePlaintext"`
}

func (t Tracing) validate() []error {
	var problems []error
	if !(t.SampleRatio >= 0 && t.SampleRatio <= 1) {
		problems = append(problems, fmt.Errorf("tracing.sampleRatio: %v is not within 0 and 1", t.SampleRatio))
	}
	if t.Endpoint == "" {
		return problems
	}
	u, err := url.Parse(t.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		problems = append(problems, errors.New("tracing.endpoint: no http(s) URL"))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		problems = append(problems, errors.New("tracing.endpoint: credentials belong into the file of tracing.headers; a query or fragment means nothing"))
	case u.Path == "" || u.Path == "/":
		problems = append(problems, errors.New("tracing.endpoint: the path is needed, usually /v1/traces"))
	case u.Scheme == "http" && !Loopback(withPort(u.Host)) && !t.UnsafePlaintext:
		problems = append(problems, errors.New("tracing.endpoint: plain text beyond this machine; use https or tracing.unsafePlaintext"))
	}
	return problems
}
