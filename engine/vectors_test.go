package engine

import (
	"bytes"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// The published vectors of the ABI, which other engines and SDKs test too.
const vectors = "../sdk/abi/vectors/"

func readVectors(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(vectors + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func TestManifestVectors(t *testing.T) {
	var all []struct {
		Name     string         `json:"name"`
		Engine   bool           `json:"engine"`
		Manifest jsontext.Value `json:"manifest"`
	}
	readVectors(t, "manifests.json", &all)
	for _, v := range all {
		if _, err := ParseManifest(v.Manifest); (err == nil) != v.Engine {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestOutputVectors(t *testing.T) {
	var all struct {
		Manifest jsontext.Value `json:"manifest"`
		Segments []string       `json:"segments"`
		Cases    []struct {
			Name   string `json:"name"`
			Engine bool   `json:"engine"`
			Output string `json:"output"`
		} `json:"cases"`
	}
	readVectors(t, "outputs.json", &all)
	m, err := ParseManifest(all.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	s := &Scanner{manifest: m, rules: map[string]Rule{}, opts: Options{Limits: DefaultLimits}}
	for _, r := range m.Rules {
		s.rules[r.ID] = r
	}
	var windows []window
	for i, text := range all.Segments {
		windows = append(windows, window{segment: i, text: text})
	}
	for _, c := range all.Cases {
		if _, err := s.parseAnswer([]byte(c.Output), windows); (err == nil) != c.Engine {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// TestInputVector holds the encoder to the published bytes.
func TestInputVector(t *testing.T) {
	want, err := os.ReadFile(vectors + "input.json")
	if err != nil {
		t.Fatal(err)
	}
	m := &message.Message{
		Phase: message.PhaseResult, Server: "io.github.acme/weather", Entry: "forecast", Caller: "agent",
		Segments: []message.Segment{
			{Kind: message.KindText, Pointer: "/result/content/0/text", Text: "line one\n\"quoted\" é 😀 \\ \x00"},
			{Kind: message.KindText, Pointer: "/result/content/0/text", Text: "decoded", Provenance: "percent>base64"},
		},
		Context: []message.ContextEntry{{Server: "io.github.acme/mail", Kind: "tool", Name: "send", Title: "Send", Description: "Sends mail.", Parameters: []string{"to", "body"}}},
	}
	p := &prepared{message: m, nearest: m.Context, batches: batches(m.Phase, m.Segments)}
	if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(appendJSON(nil, p, p.batches[0], particulars{limits: DefaultLimits}))); diff != "" {
		t.Error(diff)
	}
}
