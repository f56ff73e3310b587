package normalise

import (
	"fmt"
	"strings"
	"testing"
)

// ordinary texts of n bytes, such as tools describe themselves with and return.
func ordinary(n int) map[string]string {
	fill := func(s string) string { return strings.ToValidUTF8(strings.Repeat(s, n/len(s)+1)[:n], "") }
	var rows strings.Builder
	for i := 0; rows.Len() < n; i++ {
		fmt.Fprintf(&rows, `{"id":"550e8400-e29b-41d4-a716-%012x","path":"/srv/data/reports/2024/q%d/summary_%d.csv","bytes":%d,"ok":true},`,
			uint64(i)*0x9e3779b97f4a7c15>>16, i%4+1, i, i*7919%1000003)
	}
	return map[string]string{
		"prose": fill("The internationalization of the catalogue began in spring. Nobody had expected it to take long, since the first " +
			"edition held barely 400 entries; yet by the time the second volume went to press, the responsibility for " +
			"corrections lay with three offices, and each kept its own list. See https://example.org/archive/1998/volume-2 for what is left of them. "),
		"JSON":         rows.String()[:n],
		"escaped JSON": fill(`{"title":"Quarterly \"summary\"","lines":["first\nsecond","tab\there"],"owner":"reporting"}` + "\n"),
		"code": fill("func (c *Cache) Get(key string) ([]byte, bool) {\n\tc.mu.RLock()\n\tdefer c.mu.RUnlock()\n\tif e, ok := c.entries[key]; ok && !e.expired() {\n" +
			"\t\treturn e.value, true\n\t}\n\treturn nil, false // loaded by internal/storage/replication/follower.go\n}\n\n"),
		"listing": fill("Searches the issues of a repository. Returns at most `limit` issues, newest first. Parameters: owner (string, required), repo (string, " +
			"required), state: one of open, closed, all. Requires the scope repo:read. Do not use it to list pull requests: use list_pull_requests. "),
		"French":  fill("L’été dernier, nous étions allés à la mer ; il n’y avait presque personne, et les cafés fermaient tôt. "),
		"Russian": fill("Прошлым летом мы ездили на море, и там почти никого не было, а кафе закрывались рано. "),
		"Chinese": fill("去年夏天我们去了海边，那里几乎没有人，咖啡馆很早就关门了。"),
		"emoji":   fill("Deployed ✅ all three services 🚀 without trouble, see the log 📄 for more. "),
	}
}

// BenchmarkViews sets the normaliser beside its reference.
func BenchmarkViews(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"4K", 4 << 10}, {"1M", 1 << 20}} {
		for name, text := range ordinary(size.bytes) {
			b.Run(name+"/"+size.name+"/views", func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					Views(text, DefaultLimits)
				}
			})
			b.Run(name+"/"+size.name+"/reference", func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					referenceViews(text, DefaultLimits)
				}
			})
		}
	}
}

// TestOrdinaryTextsCostNoAllocation holds that a text which hides nothing is
// only read.
func TestOrdinaryTextsCostNoAllocation(t *testing.T) {
	for name, text := range ordinary(4 << 10) {
		if name == "escaped JSON" || name == "Chinese" { // they have views: the second for its full-width commas
			continue
		}
		if n := testing.AllocsPerRun(10, func() { Views(text, DefaultLimits) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
