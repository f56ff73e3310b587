package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// pipelineRows measure whole scans, from the message to the verdict, with ten
// scanners of a hundred patterns each.
func pipelineRows(ctx context.Context) ([]row, error) {
	e, err := newEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close(ctx)
	list := patterns(patternCount)
	var ten []*engine.Scanner
	for i := range 10 {
		s, err := scanner(ctx, e, fmt.Sprint("bench-", i), list[i*100:(i+1)*100])
		if errors.Is(err, errAbsent) {
			return []row{absent("10 scanners, 4 KB", "≤ 25 µs p50", err.Error())}, nil
		}
		if err != nil {
			return nil, err
		}
		ten = append(ten, s)
	}
	set := engine.NewSet(ten...)
	quiet := prose(4<<10, 5)
	loud := quiet[:2000] + list[321] + quiet[2000+len(list[321]):]
	var rows []row
	for _, c := range []struct {
		what     string
		text     string
		findings int
		bound    float64
	}{{"10 scanners, 4 KB, none triggered", quiet, 0, 25e3}, {"10 scanners, 4 KB, one triggered, with reset", loud, 1, 60e3}} {
		m := result(c.text)
		scan := func() error { return found(set.Scan(ctx, m), c.findings) }
		if _, err := each(200, scan); err != nil { // warm
			return nil, fmt.Errorf("%s: %w", c.what, err)
		}
		runtime.GC()
		times, err := each(20_000, scan)
		if err != nil {
			return nil, err
		}
		p50 := percentile(times, 0.5)
		rows = append(rows, line(c.what, duration(p50)+" p50", "≤ "+duration(c.bound), atMost(p50, c.bound),
			fmt.Sprintf("p99 %s; message to verdict", duration(percentile(times, 0.99)))))
	}
	return rows, nil
}

// listingRow measures a hundred tools in one call of one scanner that is always
// called.
func listingRow(ctx context.Context) (row, error) {
	const what, target = "listing of 100 tools, one scanner", "≤ 0.5 ms"
	set, closeSet, err := oneScanner(ctx)
	if err != nil {
		return absent(what, target, err.Error()), nil
	}
	defer closeSet()
	m := listing(100)
	scan := func() error { return clean(set.Scan(ctx, m)) }
	if _, err := each(20, scan); err != nil {
		return row{}, err
	}
	times, err := each(500, scan)
	if err != nil {
		return row{}, err
	}
	p50, size := percentile(times, 0.5), 0
	for _, s := range m.Segments {
		size += len(s.Text)
	}
	return line(what, duration(p50)+" p50", target, atMost(p50, 0.5e6),
		fmt.Sprintf("%d texts, %d KB, p99 %s; message to verdict", len(m.Segments), size>>10, duration(percentile(times, 0.99)))), nil
}

// listing describes n tools of about 400 bytes each.
func listing(n int) *message.Message {
	m := &message.Message{Phase: message.PhaseListing, Server: "bench"}
	add := func(item int, kind, pointer, text string) {
		m.Segments = append(m.Segments, message.Segment{Kind: kind, Item: item, Source: len(m.Segments),
			Pointer: fmt.Sprintf("/tools/%d/%s", item, pointer), Text: text})
	}
	for i := range n {
		name := fmt.Sprintf("tool_%d", i)
		m.Items = append(m.Items, message.Item{Kind: "tool", Key: name})
		add(i, message.KindName, "name", name)
		add(i, message.KindDescription, "description", strings.ReplaceAll(prose(240, uint64(i)), "\n", " "))
		add(i, message.KindParameter, "inputSchema/properties/path", "path")
		add(i, message.KindSchemaDescription, "inputSchema/properties/path/description", prose(120, uint64(i+n)))
	}
	return m
}

// workersRow compares the throughput of two goroutines with that of one.
func workersRow(ctx context.Context) (row, error) {
	const what, target = "two workers against one, 0.5 KB", "≥ 1.8×"
	if runtime.GOMAXPROCS(0) < 2 {
		return absent(what, target, "one processor"), nil
	}
	set, closeSet, err := oneScanner(ctx)
	if err != nil {
		return absent(what, target, err.Error()), nil
	}
	defer closeSet()
	m := result(prose(512, 6))
	const scans = 2000
	work := func(workers int) func() error {
		return func() error {
			errs := make([]error, workers)
			var wg sync.WaitGroup
			for w := range workers {
				wg.Go(func() {
					for range scans / workers {
						if errs[w] = clean(set.Scan(ctx, m)); errs[w] != nil {
							return
						}
					}
				})
			}
			wg.Wait()
			return errors.Join(errs...)
		}
	}
	s, err := interleave(11, 20*time.Millisecond, arm{Name: "one", Run: work(1)}, arm{Name: "two", Run: work(2)})
	if err != nil {
		return row{}, err
	}
	r := s.Ratio(0, 1)
	return line(what, fmt.Sprintf("%.2f×", r), target, atLeast(r, 1.8),
		fmt.Sprintf("best round %.2f×; one worker %s a scan; needs two idle processors", s.Least(0)/s.Least(1), duration(s.Median(0)/scans))), nil
}
