package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// runs starts the server once for each era and circumstance. One that says
// nothing at all under the first is not asked again.
func (p *Prober) runs(ctx context.Context, work string, place *placed, j Job, r *Report) (all []listed, err error) {
	for i, c := range every() {
		for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
			run, l, err := p.run(ctx, work, place, j, c, era)
			if err != nil {
				return nil, err
			}
			r.Runs = append(r.Runs, *run)
			if l != nil {
				all = append(all, listed{c.name, l})
			}
		}
		if i == 0 && len(all) == 0 {
			break
		}
	}
	return all, nil
}

// run is one start. Its error is a fault of this machine; what the server did
// wrong is in the Run.
func (p *Prober) run(ctx context.Context, work string, place *placed, j Job, c circumstances, era protocol.Era) (*Run, *listing.Listing, error) {
	root, err := os.MkdirTemp(work, "root-")
	if err != nil {
		return nil, nil, err
	}
	defer os.Remove(root)
	env, files, canaries := c.plant(j, place)
	run := &Run{
		Circumstances: c.name, Era: string(era), Client: c.client, Hostname: c.hostname,
		Limits: []string{}, Network: []Contact{}, Files: []File{}, Exec: []Execution{}, Refused: []Attempt{}, Leaks: []Leak{},
	}
	w := newWatcher(run, place, c.home(), canaries, p.OutputBytes)
	box, err := sandbox.New(sandbox.Spec{
		Binds: place.binds, Files: files, Home: c.home(), Hostname: c.hostname, Scratch: root, Limits: p.Limits, Observe: w.observe,
	})
	if err != nil {
		return nil, nil, placeError(err)
	}
	var started, failed = false, error(nil)
	stderr := &lastBytes{}
	target := upstream.Target{
		Command: place.command, ClientName: c.client,
		Bind: func(context.Context) (*upstream.Bound, error) {
			return &upstream.Bound{
				Command: place.command, Dir: place.dir, Env: env,
				Start: func(cmd *exec.Cmd, patience time.Duration) error {
					failed = box.Start(cmd, patience)
					started = failed == nil
					return failed
				},
				Stdout: w.stream("what the server says"), Stderr: both{w.stream("standard error"), stderr},
			}, nil
		},
	}
	ctx, cancel := context.WithTimeout(ctx, 3*p.Timeout)
	defer cancel()
	begin := time.Now()
	l, err := p.converse(ctx, target, era)
	if started {
		box.Wait()
	}
	if failed != nil {
		return nil, nil, placeError(failed)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	run.Milliseconds = time.Since(begin).Milliseconds()
	run.Outcome, run.Stderr = outcome(err), shown(stderr.String())
	return run, l, nil
}

// converse reads the listing and watches the server a little longer. Closing
// the conversation ends everything that the server started.
func (p *Prober) converse(ctx context.Context, t upstream.Target, era protocol.Era) (*listing.Listing, error) {
	c, err := upstream.Dial(ctx, t, era, upstream.Limits{StartTimeout: p.Timeout, CallTimeout: p.Timeout, CloseGrace: 200 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	l, err := c.Listing(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(p.Linger):
	case <-c.Done():
	case <-ctx.Done():
	}
	return l, nil
}

// placeError tells what the publisher can change from what the operator must.
func placeError(err error) error {
	if errors.Is(err, sandbox.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrLaunch, err)
}

// outcome says in words of ours how a run ended.
func outcome(err error) string {
	if err == nil {
		return "listed"
	}
	for _, known := range []struct {
		err  error
		text string
	}{
		{errOutput, "the server wrote more than it may"},
		{upstream.ErrTooLarge, "an answer was too large"},
		{upstream.ErrCursorLoop, "its lists do not end"},
		{upstream.ErrProtocol, "it broke the protocol"},
		{context.DeadlineExceeded, "it did not answer in time"},
		{upstream.ErrClosed, "it ended before it answered"},
		{upstream.ErrEra, "it does not speak this era"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return "it could not be asked"
}

// lastBytes keeps the end of a stream.
type lastBytes struct {
	mu sync.Mutex
	b  []byte
}

func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

func (l *lastBytes) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, b...)
	if over := len(l.b) - maxText; over > 0 {
		l.b = append(l.b[:0], l.b[over:]...)
	}
	return len(b), nil
}

// both hands a stream on to two who listen; the first may end it.
type both struct {
	first, second interface{ Write([]byte) (int, error) }
}

func (t both) Write(b []byte) (int, error) {
	if n, err := t.first.Write(b); err != nil {
		return n, err
	}
	return t.second.Write(b)
}
