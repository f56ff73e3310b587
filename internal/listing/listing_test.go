package listing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

func listingsDir(t *testing.T) string {
	dir := os.Getenv("BARTIZAN_LISTINGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "listings")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no recorded listings: set BARTIZAN_LISTINGS to their directory")
	}
	return dir
}

func TestRecordedListingsParse(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(listingsDir(t), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseCapture(b)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		l := c.Listings[0]
		if c.Server == "" || c.CapturedAt.IsZero() || l.Era != protocol.Legacy || len(l.Tools) == 0 || l.Capabilities == nil {
			t.Errorf("%s: incomplete: %q %v %s, %d tools", filepath.Base(file), c.Server, c.CapturedAt, l.Era, len(l.Tools))
		}
		roundTrip(t, c)
	}
}

func roundTrip(t *testing.T, c *Capture) {
	t.Helper()
	own, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseCapture(own)
	if err != nil {
		t.Fatalf("own schema: %v\n%.200s", err, own)
	}
	if diff := cmp.Diff(c, back); diff != "" {
		t.Errorf("round trip (-before +after):\n%s", diff)
	}
	again, err := back.Marshal()
	if err != nil || string(again) != string(own) {
		t.Errorf("not deterministic: %v", err)
	}
}

func TestRoundTripKeepsAbsentAndEmptyApart(t *testing.T) {
	empty, text := "", "line\n\"quoted\" \u2028"
	roundTrip(t, &Capture{
		Server: "io.example/a", Source: SourceRegistry,
		CapturedAt: time.Date(2026, 11, 20, 10, 0, 0, 5, time.UTC),
		Listings: []Listing{
			{Era: protocol.Legacy, ProtocolVersion: "2025-11-25", Instructions: &empty, Tools: []jsontext.Value{},
				Capabilities: jsontext.Value(`{ "tools" : {} }`)},
			{Era: protocol.Modern, ProtocolVersion: "2026-07-28", Instructions: &text,
				ServerInfo: jsontext.Value(`{"name":"a"}`),
				Tools:      []jsontext.Value{jsontext.Value(`{"name":"t","n":1.00}`), jsontext.Value(`{ "name" : "\u0075" }`)},
				Resources:  []jsontext.Value{jsontext.Value(`{"uri":"x:y"}`)}},
		},
	})
	roundTrip(t, &Capture{Listings: []Listing{{Era: protocol.Legacy}}})
}

func TestParseCaptureForms(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want Listing
	}{
		"recording": {
			`{"server":"s","captured":"2026-08-22","toolPages":1,"initialize":{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"x"},"instructions":""},"tools":[{"name":"a"}],"prompts":[],"resources":null}`,
			Listing{Era: protocol.Legacy, ProtocolVersion: "2024-11-05", Capabilities: jsontext.Value(`{}`), ServerInfo: jsontext.Value(`{"name":"x"}`),
				Instructions: new(string), Tools: []jsontext.Value{jsontext.Value(`{"name":"a"}`)}, Prompts: []jsontext.Value{}},
		},
		"recording of a modern server": {
			`{"server":"s","initialize":{"protocolVersion":"2026-07-28"}}`,
			Listing{Era: protocol.Modern, ProtocolVersion: "2026-07-28"},
		},
		"response": {
			`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}],"nextCursor":"2"}}`,
			Listing{Era: protocol.Legacy, Tools: []jsontext.Value{jsontext.Value(`{"name":"a"}`)}},
		},
		"modern response": {
			`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"tools":[]}}`,
			Listing{Era: protocol.Modern, Tools: []jsontext.Value{}},
		},
		"result": {
			` {"prompts":[{"name":"p"}]} `,
			Listing{Era: protocol.Legacy, Prompts: []jsontext.Value{jsontext.Value(`{"name":"p"}`)}},
		},
	} {
		c, err := ParseCapture([]byte(tc.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Source != SourceOperator {
			t.Errorf("%s: source %q", name, c.Source)
		}
		if diff := cmp.Diff([]Listing{tc.want}, c.Listings); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestParseCaptureRefuses(t *testing.T) {
	const own = `{"bartizanCapture":1,"server":"s","source":"operator","capturedAt":"2026-11-20T10:00:00Z","listings":[`
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"empty":                     {``, ErrMalformed},
		"array":                     {`[]`, ErrMalformed},
		"nothing listed":            {`{}`, ErrMalformed},
		"truncated":                 {`{"tools":[{"name":"a"}`, ErrMalformed},
		"duplicate list":            {`{"tools":[],"tools":[]}`, ErrMalformed},
		"duplicate key in a tool":   {`{"tools":[{"name":"a","name":"b"}]}`, ErrMalformed},
		"Tools beside tools":        {`{"tools":[],"Tools":[{"name":"a"}]}`, ErrMalformed},
		"long s":                    {`{"tools":[],"tool\u017f":[]}`, ErrMalformed},
		"lone surrogate":            {`{"tools":[{"name":"\ud800"}]}`, ErrMalformed},
		"tool is a string":          {`{"tools":["a"]}`, ErrMalformed},
		"tools is an object":        {`{"tools":{}}`, ErrMalformed},
		"request":                   {`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, ErrMalformed},
		"error response":            {`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}`, ErrMalformed},
		"batch":                     {`[{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}]`, ErrMalformed},
		"response without a list":   {`{"jsonrpc":"2.0","id":1,"result":{}}`, ErrMalformed},
		"unknown version":           {`{"initialize":{"protocolVersion":"2025-01-01"},"tools":[]}`, ErrMalformed},
		"no version":                {`{"initialize":{},"tools":[]}`, ErrMalformed},
		"Instructions":              {`{"initialize":{"protocolVersion":"2025-11-25","instructions":"a","Instructions":"b"},"tools":[]}`, ErrMalformed},
		"instructions not a string": {`{"initialize":{"protocolVersion":"2025-11-25","instructions":1},"tools":[]}`, ErrMalformed},
		"capabilities not an object": {
			`{"initialize":{"protocolVersion":"2025-11-25","capabilities":[]},"tools":[]}`, ErrMalformed},
		"captured yesterday":          {`{"captured":"yesterday","initialize":{"protocolVersion":"2025-11-25"}}`, ErrMalformed},
		"own: other version":          {`{"bartizanCapture":2,"listings":[]}`, ErrMalformed},
		"own: unknown member":         {`{"bartizanCapture":1,"listing":[]}`, ErrMalformed},
		"own: no listing":             {own + `]}`, ErrMalformed},
		"own: unknown era":            {own + `{"era":"future"}]}`, ErrMalformed},
		"own: era against version":    {own + `{"era":"legacy","protocolVersion":"2026-07-28"}]}`, ErrMalformed},
		"own: two listings, one era":  {own + `{"era":"legacy"},{"era":"legacy"}]}`, ErrMalformed},
		"own: unknown listing member": {own + `{"era":"legacy","Tools":[]}]}`, ErrMalformed},
		"own: no time":                {`{"bartizanCapture":1,"listings":[{"era":"legacy"}]}`, ErrMalformed},
		"deep":                        {`{"tools":[{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}]}`, ErrMalformed},
		"too many tools":              {`{"tools":[{}` + strings.Repeat(`,{}`, MaxEntries) + `]}`, ErrTooLarge},
		"too large":                   {strings.Repeat(" ", MaxBytes+1), ErrTooLarge},
	} {
		if c, err := ParseCapture([]byte(tc.in)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %+v, %v; want %v", name, c, err, tc.want)
		}
	}
}

func TestMarshalRefusesWhatItCouldNotReadBack(t *testing.T) {
	for name, c := range map[string]*Capture{
		"no listing":   {},
		"unknown era":  {Listings: []Listing{{Era: "x"}}},
		"invalid JSON": {Listings: []Listing{{Era: protocol.Legacy, Tools: []jsontext.Value{jsontext.Value(`{`)}}}},
		"fragments":    {Listings: []Listing{{Era: protocol.Legacy, Tools: []jsontext.Value{jsontext.Value(`{"a":[1`), jsontext.Value(`2]}`)}}}},
		"smuggled":     {Listings: []Listing{{Era: protocol.Legacy, ServerInfo: jsontext.Value(`{},"tools":[]`)}}},
		"not UTF-8":    {Server: "\xff", Listings: []Listing{{Era: protocol.Legacy}}},
	} {
		if b, err := c.Marshal(); err == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
}

func FuzzParseCapture(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}`))
	f.Add([]byte(`{"server":"s","captured":"2026-08-22","initialize":{"protocolVersion":"2024-11-05"},"tools":[{"name":"a"}],"prompts":null}`))
	f.Add([]byte(`{"bartizanCapture":1,"server":"s","source":"operator","capturedAt":"2026-11-20T10:00:00Z","listings":[{"era":"modern","instructions":"x","tools":[{}]}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := ParseCapture(in)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("not a sentinel: %v", err)
			}
			return
		}
		roundTrip(t, c)
	})
}
