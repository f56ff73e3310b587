package mcpb

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want *Manifest
		ok   bool
		err  error
	}{
		"node":             {`{"manifest_version":"0.3","name":"a","server":{"type":"node","entry_point":"./server/index.js","mcp_config":{}}}`, &Manifest{"node", "server/index.js"}, true, nil},
		"dxt":              {`{"dxt_version":"0.1","server":{"type":"binary","entry_point":"bin/x"}}`, &Manifest{"binary", "bin/x"}, true, nil},
		"another's":        {`{"name":"web app","server":5}`, nil, false, nil},
		"another's, plain": {`{"name":"web app"}`, nil, false, nil},
		"no server":        {`{"manifest_version":"0.3"}`, nil, true, ErrMalformed},
		"unknown type":     {`{"manifest_version":"0.3","server":{"type":"ruby","entry_point":"x"}}`, nil, true, ErrMalformed},
		"no entry point":   {`{"manifest_version":"0.3","server":{"type":"node"}}`, nil, true, ErrMalformed},
		"outside":          {`{"manifest_version":"0.3","server":{"type":"node","entry_point":"a/../../x"}}`, nil, true, ErrMalformed},
		"absolute":         {`{"manifest_version":"0.3","server":{"type":"node","entry_point":"/bin/sh"}}`, nil, true, ErrMalformed},
		"two servers":      {`{"manifest_version":"0.3","server":{"type":"node","entry_point":"x"},"server":{"type":"binary","entry_point":"y"}}`, nil, true, ErrMalformed},
	} {
		m, ok, err := Parse([]byte(tc.doc))
		if ok != tc.ok || !errors.Is(err, tc.err) || cmp.Diff(tc.want, m) != "" {
			t.Errorf("%s: %+v, %v, %v", name, m, ok, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"manifest_version":"0.3","server":{"type":"node","entry_point":"x"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, ok, err := Parse(b); err != nil && !errors.Is(err, ErrMalformed) || m != nil && !ok {
			t.Errorf("%+v, %v, %v", m, ok, err)
		}
	})
}
