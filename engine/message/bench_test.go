package message

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// resultOf4K is a tools/call result as a search tool returns it: a text and the
// rows that it renders.
func resultOf4K() string {
	var text, rows strings.Builder
	for i := range 12 {
		fmt.Fprintf(&text, `%d. \"Report %d\" by the audit team\n   opened 2024-03-%02d, 4 comments, see reports/2024/summary_%d.md\n`, i+1, i, i+1, i)
		fmt.Fprintf(&rows, `{"id":%d,"title":"Report %d","author":"audit team","path":"reports/2024/summary_%d.md","labels":["finance","quarterly"],"open":true,"comments":4},`, 40200100+i, i, i)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"%s%s"}],"structuredContent":{"rows":[%s]},"isError":false}}`,
		text.String(), strings.Repeat("Nothing else was found in the repository. ", 24), strings.TrimSuffix(rows.String(), ","))
}

// listingOf100 is a listing of a hundred tools of some 900 bytes each.
func listingOf100() *listing.Listing {
	l := &listing.Listing{ServerInfo: jsontext.Value(`{"name":"tracker","title":"Issue tracker","version":"1.4.0"}`)}
	for i := range 100 {
		l.Tools = append(l.Tools, jsontext.Value(fmt.Sprintf(`{"name":"list_issues_%d","title":"List issues %[1]d","description":"Lists the issues of a repository, newest first.\nReturns at most \"limit\" of them.",`+
			`"inputSchema":{"type":"object","properties":{"owner":{"type":"string","description":"Owner of the repository"},"repo":{"type":"string","description":"Name of the repository"},`+
			`"state":{"type":"string","enum":["open","closed","all"],"default":"open","description":"Which of them"},"labels":{"type":"array","items":{"type":"string"}},`+
			`"limit":{"type":"integer","minimum":1,"maximum":100,"description":"How many at most"}},"required":["owner","repo"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"},`+
			`"annotations":{"title":"List issues","readOnlyHint":true,"openWorldHint":true}}`, i)))
	}
	return l
}

func BenchmarkFromResult(b *testing.B) {
	wire := resultOf4K()
	m, err := jsonrpc.Parse([]byte(wire), jsonrpc.DefaultLimits)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("message", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			FromResult("s", protocol.MethodToolsCall, "search", m)
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			referenceFromResult("s", protocol.MethodToolsCall, "search", m)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			jsonrpc.Parse(m.Raw, jsonrpc.DefaultLimits)
		}
	})
}

func BenchmarkFromListing(b *testing.B) {
	l := listingOf100()
	size := 0
	for _, raw := range l.Tools {
		size += len(raw)
	}
	b.Run("message", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			FromListing("s", l)
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			referenceFromListing("s", l)
		}
	})
}

// candidates are the entries of a tenant with many servers.
func candidates(n int) []ContextEntry {
	r := rand.New(rand.NewPCG(3, 4))
	verbs := []string{"get", "list", "search", "create", "update", "delete", "read", "write", "send", "run"}
	nouns := []string{"issue", "file", "message", "user", "event", "pull_request", "record", "page", "invoice", "branch", "comment", "table"}
	all := make([]ContextEntry, n)
	for i := range all {
		all[i] = ContextEntry{Server: fmt.Sprint("server", i/20), Kind: fingerprint.KindTool.String(), Name: verbs[r.IntN(len(verbs))] + "_" + nouns[r.IntN(len(nouns))]}
		if i%3 > 0 {
			all[i].Name += fmt.Sprintf("_by_%s_%d", nouns[r.IntN(len(nouns))], r.IntN(40))
		}
	}
	return all
}

func BenchmarkNearest(b *testing.B) {
	varied := &Message{}
	for _, c := range candidates(5100)[5000:] {
		varied.Items = append(varied.Items, Item{Key: c.Name + "_v2"})
	}
	alike, err := FromListing("s", listingOf100())
	if err != nil {
		b.Fatal(err)
	}
	all := candidates(5000)
	paths := slices.Clone(all)
	for i := range paths {
		paths[i].Name = "file:///srv/projects/" + paths[i].Name + "/documentation/reports/quarterly/" + paths[i].Name
	}
	for _, tc := range []struct {
		name       string
		message    *Message
		candidates []ContextEntry
	}{{"100 tools", varied, all}, {"100 tools of alike names", alike, all}, {"100 tools and long names", varied, paths}} {
		b.Run(tc.name+"/nearest", func(b *testing.B) {
			for b.Loop() {
				Nearest(tc.message, tc.candidates)
			}
		})
		b.Run(tc.name+"/reference", func(b *testing.B) {
			for b.Loop() {
				referenceNearest(tc.message, tc.candidates)
			}
		})
	}
}
