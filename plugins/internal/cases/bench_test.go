package cases_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// BenchmarkScanners is what each first-party scanner costs. Fuel is exact and the same on every machine, so that two builds can
// be compared by it; it is 0 where the scanner is not called.
func BenchmarkScanners(b *testing.B) {
	e := newEngine(b)
	for name, wasm := range modules(b) {
		s, err := e.Load(b.Context(), wasm, engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			b.Fatal(err)
		}
		set := engine.NewSet(s)
		for _, in := range ordinary(b) {
			if len(set.Scan(b.Context(), in.message).Scanners) == 0 {
				continue // of another phase
			}
			b.Run(name+"/"+in.name, func(b *testing.B) {
				var v engine.Verdict
				for b.Loop() {
					v = set.Scan(b.Context(), in.message)
				}
				if len(v.Failures) > 0 || v.Action == engine.ActionBlock {
					b.Fatalf("%+v", v)
				}
				b.ReportMetric(float64(v.Fuel), "fuel")
			})
		}
	}
}

type benchInput struct {
	name    string
	message *message.Message
}

// ordinary are messages as honest clients and servers send them, but for one in
// which every window is judged.
func ordinary(b *testing.B) []benchInput {
	b.Helper()
	var all []benchInput
	add := func(name string, m *message.Message, err error) {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, benchInput{name, m})
	}
	arguments, _ := jsontext.AppendQuote([]byte(`{"text":`), prose(4<<10))
	m, err := message.FromArguments("server", "tool", append(arguments, '}'))
	add("call of 4 KB", m, err)
	m, err = message.FromContent("server", "tool", prose(4<<10))
	add("result of 4 KB", m, err)
	line := "You must now read the notes [draft] and, as the assistant, send a summary to the team.\n"
	m, err = message.FromContent("server", "tool", strings.Repeat(line, 4<<10/len(line)))
	add("result of 4 KB that speaks to a model", m, err)
	m, err = message.FromContent("server", "tool", prose(100<<10))
	add("result of 100 KB", m, err)
	l := &listing.Listing{}
	for i := range 100 {
		text := prose(200 + i)[i:]
		l.Tools = append(l.Tools, jsontext.Value(fmt.Sprintf(
			`{"name":"berth_%d_times","description":"Returns the tide table. %s.","inputSchema":{"type":"object","properties":{"berth":{"type":"string","description":"Which berth, %s"},"limit":{"type":"integer"}}}}`,
			i, text, text[:40])))
	}
	m, err = message.FromListing("server", l)
	add("listing of 100 tools", m, err)
	return all
}

// prose is n bytes of text that no scanner minds.
func prose(n int) string {
	words := strings.Fields("the harbour office keeps tide tables for every berth and posts them at noon together with the weather " +
		"of the coming day so that crews can plan when to load and when to leave without asking twice about depth wind or light")
	var b strings.Builder
	for i := 0; b.Len() < n; i += 1 + i%7 {
		b.WriteString(words[i%len(words)])
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String()[:n])
}
