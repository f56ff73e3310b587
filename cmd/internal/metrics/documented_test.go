package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/cmd/internal/tracing"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/gateway"
)

var (
	typed  = regexp.MustCompile(`(?m)^# TYPE (bartizan_\S+) (\S+)$`)
	sample = regexp.MustCompile(`(?m)^(bartizan_[a-z_]+)\{(.*)\} `)
	label  = regexp.MustCompile(`([a-z]+)="`)
)

// TestDocumented holds docs/observability.md to the page: every metric of ours
// with its type and labels, and none that does not exist. Names keep to the
// conventions of Prometheus.
func TestDocumented(t *testing.T) {
	live := trapping(t)
	live.ScanWith(t.Context(), secretive, engine.ScanOptions{Principal: "default/mallory"})
	stats := gateway.Stats{Requests: map[gateway.RequestKind]uint64{{}: 1}, LocalEnds: map[string]uint64{"a": 1}, Strikes: map[string]uint64{"a": 1}}
	page := read(t, Handler(live, Door{Stats: func() gateway.Stats { return stats }, Issued: time.Now, Spans: func() (tracing.Counts, bool) { return tracing.Counts{}, true }}))
	shown := map[string]string{}
	for _, m := range typed.FindAllStringSubmatch(page, -1) {
		name, kind := m[1], m[2]
		var labels []string
		for _, s := range sample.FindAllStringSubmatch(page, -1) {
			if s[1] != name && s[1] != name+"_bucket" {
				continue
			}
			for _, l := range label.FindAllStringSubmatch(s[2], -1) {
				if l[1] != "le" && !slices.Contains(labels, l[1]) {
					labels = append(labels, l[1])
				}
			}
		}
		slices.Sort(labels)
		shown[name] = kind + " " + strings.Join(labels, " ")
		if (kind == "counter") != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s", name, kind)
		}
		if kind == "histogram" && !strings.HasSuffix(name, "_seconds") {
			t.Errorf("%s names no base unit", name)
		}
	}
	body, err := os.ReadFile("../../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for line := range strings.Lines(string(body)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " `bartizan_") {
			continue
		}
		labels := strings.FieldsFunc(cells[3], func(r rune) bool { return strings.ContainsRune(" `,–", r) })
		slices.Sort(labels)
		told[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2]) + " " + strings.Join(labels, " ")
	}
	if len(shown) < 20 {
		t.Fatalf("only %d metrics are shown", len(shown))
	}
	if diff := cmp.Diff(shown, told); diff != "" {
		t.Errorf("the page (-) and its description (+):\n%s", diff)
	}
	for _, group := range gateway.Groups {
		if !strings.Contains(string(body), "`"+group+"`") {
			t.Errorf("step %s is not described", group)
		}
	}
}
