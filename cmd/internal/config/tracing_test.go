package config

import (
	"math"
	"strings"
	"testing"
)

func TestTracing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		tracing Tracing
		problem string // "" where it is valid
	}{
		{"off", Tracing{}, ""},
		{"loopback", Tracing{Endpoint: "http://127.0.0.1:4318/v1/traces", SampleRatio: 1}, ""},
		{"localhost without a port", Tracing{Endpoint: "http://localhost/v1/traces"}, ""},
		{"TLS", Tracing{Endpoint: "https://otel.example.com/v1/traces", SampleRatio: 0.01}, ""},
		{"plain text, named unsafe", Tracing{Endpoint: "http://otel.example.com:4318/v1/traces", UnsafePlaintext: true}, ""},
		{"plain text", Tracing{Endpoint: "http://otel.example.com:4318/v1/traces"}, "plain text"},
		{"plain text to all of this network", Tracing{Endpoint: "http://0.0.0.0:4318/v1/traces"}, "plain text"},
		{"no URL", Tracing{Endpoint: "otel:4318"}, "no http(s) URL"},
		{"another scheme", Tracing{Endpoint: "grpc://otel.example.com/v1/traces"}, "no http(s) URL"},
		{"no path", Tracing{Endpoint: "https://otel.example.com"}, "/v1/traces"},
		{"a password", Tracing{Endpoint: "https://a:secret@otel.example.com/v1/traces"}, "tracing.headers"},
		{"a query", Tracing{Endpoint: "https://otel.example.com/v1/traces?key=secret"}, "tracing.headers"},
		{"too much", Tracing{SampleRatio: 1.5}, "sampleRatio"},
		{"less than nothing", Tracing{SampleRatio: -0.5}, "sampleRatio"},
		{"no number", Tracing{SampleRatio: math.NaN()}, "sampleRatio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			c.Data, c.Tracing = "/data", tt.tracing
			err := c.Validate()
			switch {
			case tt.problem == "" && err != nil:
				t.Error(err)
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("%v, want %q", err, tt.problem)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("the error holds a credential: %v", err)
			}
		})
	}
}

// TestTracingIsRead from the file and the environment.
func TestTracingIsRead(t *testing.T) {
	file := write(t, "tracing:\n  endpoint: https://otel.example.com/v1/traces\n  sampleRatio: 0.25\n  headers: /etc/otel\n  propagate: true\n")
	c, _, err := Load(Sources{File: file})
	want := Tracing{Endpoint: "https://otel.example.com/v1/traces", SampleRatio: 0.25, Headers: "/etc/otel", Propagate: true}
	if err != nil || c.Tracing != want {
		t.Errorf("%+v, %v", c.Tracing, err)
	}
	c, _, err = Load(Sources{File: file, Env: env(map[string]string{"BARTIZAN_TRACING_SAMPLE_RATIO": "0"})})
	if err != nil || c.Tracing.SampleRatio != 0 {
		t.Errorf("%+v, %v", c.Tracing, err)
	}
	if _, _, err := Load(Sources{Env: env(map[string]string{"BARTIZAN_TRACING_SAMPLE_RATIO": "half"})}); err == nil {
		t.Error("half is taken for a number")
	}
}
