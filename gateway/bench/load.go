package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/fixture/doors"
)

// load is a closed loop: so many callers, each with one call under way.
type load struct {
	at     endpoint
	tool   string
	bytes  int // of the argument
	conns  int
	behind *doors.Process // whose processor time is counted; nil for none
}

// turn is what one turn of a load gave.
type turn struct {
	latency []float64 // ms, sorted
	rate    float64   // calls a second
	cpu     float64   // µs a call
}

// texts are the arguments of a load, already in quotes: enough of them that no
// cache of answers would go unnoticed.
func texts(n int) (plain []string, quoted [][]byte) {
	for seed := range 64 {
		text := strconv.Itoa(seed) + " " + prose(n-3, seed*31)
		q, _ := jsontext.AppendQuote(nil, text)
		plain, quoted = append(plain, text), append(quoted, q)
	}
	return plain, quoted
}

// arm is a load with its callers connected.
type arm struct {
	load
	callers []*caller
	plain   []string
	quoted  [][]byte
	turns   []turn
}

func (l load) connect(ctx context.Context) (*arm, error) {
	a := &arm{load: l}
	a.plain, a.quoted = texts(l.bytes)
	for range l.conns {
		c, err := newCaller(ctx, l.at, "")
		if err != nil {
			return nil, err
		}
		a.callers = append(a.callers, c)
	}
	return a, nil
}

// warm is the part of a turn that is not measured.
const warm = 150 * time.Millisecond

// take has the arm call for a slice of time. Every answer is checked; one that
// is wrong ends the run.
func (a *arm) take(ctx context.Context, slice time.Duration) error {
	began := time.Now().Add(warm)
	if err := a.loop(ctx, began, nil); err != nil {
		return err
	}
	before, err := a.used()
	if err != nil {
		return err
	}
	began = time.Now()
	all := make([][]float64, len(a.callers))
	if err := a.loop(ctx, began.Add(slice), all); err != nil {
		return err
	}
	elapsed := time.Since(began)
	after, err := a.used()
	if err != nil {
		return err
	}
	t := turn{latency: slices.Concat(all...)}
	if len(t.latency) == 0 {
		return errors.New("no call ended within a turn")
	}
	slices.Sort(t.latency)
	t.rate = float64(len(t.latency)) / elapsed.Seconds()
	t.cpu = float64((after - before).Microseconds()) / float64(len(t.latency))
	a.turns = append(a.turns, t)
	return nil
}

func (a *arm) used() (time.Duration, error) {
	if a.behind == nil {
		return 0, nil
	}
	return cpuOf(a.behind)
}

// loop calls until the time has come and notes each call's milliseconds.
func (a *arm) loop(ctx context.Context, until time.Time, into [][]float64) error {
	failed := make([]error, len(a.callers))
	var work sync.WaitGroup
	for i, c := range a.callers {
		work.Go(func() {
			for n := i; time.Now().Before(until); n++ {
				k := n % len(a.plain)
				at := time.Now()
				if failed[i] = c.call(ctx, a.tool, a.plain[k], a.quoted[k]); failed[i] != nil {
					return
				}
				if into != nil {
					into[i] = append(into[i], float64(time.Since(at).Nanoseconds())/1e6)
				}
			}
		})
	}
	work.Wait()
	return errors.Join(failed...)
}

func (a *arm) close(ctx context.Context) {
	for _, c := range a.callers {
		if c.session != "" {
			_ = c.end(ctx)
		}
		c.close()
	}
}

// interleave has the arms take turns, in an order that turns with the rounds,
// so that a busy neighbour slows all of them and not one.
func interleave(rounds int, turns ...func() error) error {
	for round := range rounds {
		for k := range turns {
			if err := turns[(k+round)%len(turns)](); err != nil {
				return err
			}
		}
	}
	return nil
}
