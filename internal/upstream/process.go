package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// drainGrace is for output of a process that has exited.
const drainGrace = time.Second

// Process is a server over stdio: newline-delimited messages (2026-07-28,
// transports/stdio). It has a process group of its own, exactly the environment
// of its Target and the resources of its Limits, and dies with the program that
// started it where the system can do that. A descendant that leaves the group is
// not caught here; a sandbox is what stops it.
type Process struct {
	lim      Limits
	cmd      *exec.Cmd
	stdin    *os.File
	stdout   *os.File
	stderr   *os.File
	tail     tail
	messages chan []byte
	closing  chan struct{} // no more messages are delivered
	exited   chan struct{} // the leader is reaped, the group killed
	drained  chan struct{} // standard error is read to its end
	sending  sync.Mutex

	mu     sync.Mutex
	err    error
	closed bool // by us, without a fault of the server's
	reaped bool
}

// StartProcess starts Target.Command. ctx covers the life of the process: when
// it ends, the group is killed. The caller must call Close.
func StartProcess(ctx context.Context, t Target, lim Limits) (*Process, error) {
	if len(t.Command) == 0 || t.URL != "" {
		return nil, fmt.Errorf("%w: a command and no URL is needed here", ErrTarget)
	}
	lim = lim.withDefaults()
	job := confine.Job{Limits: lim.Process}
	begin := func(cmd *exec.Cmd, patience time.Duration) error { return confine.Start(cmd, job, patience) }
	var path string
	var heard [2]io.Writer
	if t.Bind != nil {
		bound, err := t.Bind(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBound, err)
		}
		if bound.Program != nil {
			defer bound.Program.Close()
		}
		t.Command, t.Dir, t.Env, path = bound.Command, bound.Dir, bound.Env, bound.Command[0]
		job.Program, job.Fence = bound.Program, bound.Fence
		if bound.Start != nil {
			begin = bound.Start
		}
		heard = [2]io.Writer{bound.Stdout, bound.Stderr}
	} else {
		var err error
		if path, err = lookPath(t.Command[0], t.Env); err != nil {
			return nil, err
		}
	}
	p := &Process{
		lim:      lim,
		tail:     tail{max: lim.StderrBytes},
		messages: make(chan []byte),
		closing:  make(chan struct{}),
		exited:   make(chan struct{}),
		drained:  make(chan struct{}),
	}
	p.cmd = &exec.Cmd{Path: path, Args: t.Command, Dir: t.Dir, Env: append([]string{}, t.Env...), SysProcAttr: groupAttributes()}
	if err := p.start(begin); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { p.fail(context.Cause(ctx)) })
	go func() {
		<-p.exited
		stop()
	}()
	go p.read(copied(p.stdout, heard[0]))
	go func() {
		defer close(p.drained)
		// It ends with the pipe; who listens may end it earlier.
		_, err := io.Copy(&p.tail, copied(p.stderr, heard[1]))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			p.fail(err)
		}
	}()
	return p, nil
}

// starter starts a command and returns when its program runs.
type starter func(cmd *exec.Cmd, patience time.Duration) error

// copied has somebody hear what is read.
func copied(src io.Reader, to io.Writer) io.Reader {
	if to == nil {
		return src
	}
	return io.TeeReader(src, to)
}

func (p *Process) start(begin starter) (err error) {
	var ends [6]*os.File // child and parent ends of the three pipes
	defer func() {
		for i, f := range ends {
			if f != nil && (i%2 == 0 || err != nil) {
				f.Close()
			}
		}
	}()
	if ends[0], ends[1], err = os.Pipe(); err != nil {
		return err
	}
	for i := 2; i < 6; i += 2 {
		if ends[i+1], ends[i], err = os.Pipe(); err != nil {
			return err
		}
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = ends[0], ends[2], ends[4]
	p.stdin, p.stdout, p.stderr = ends[1], ends[3], ends[5]
	started := make(chan error)
	go p.supervise(begin, started)
	return <-started
}

// supervise owns the process. It keeps its thread, because the parent-death
// signal of Linux is tied to the thread that forked (golang/go#27505).
func (p *Process) supervise(begin starter, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := begin(p.cmd, p.lim.StartTimeout)
	started <- err
	if err != nil {
		return
	}
	reap(p.cmd, p.kill)
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	deadline := time.Now().Add(drainGrace)
	_ = p.stdout.SetReadDeadline(deadline)
	_ = p.stderr.SetReadDeadline(deadline)
	_ = p.stdin.Close()
	close(p.exited)
}

// read delivers lines until the process is gone, and keeps draining after
// Close so that the process can end by itself.
func (p *Process) read(stdout io.Reader) {
	defer close(p.messages)
	lines := &lineReader{src: stdout, max: p.lim.MessageBytes, ends: "\n"}
	for {
		line, err := lines.next()
		if err != nil {
			p.ended(err)
			return
		}
		if line = bytes.Trim(line, " \t\r"); len(line) == 0 {
			continue
		}
		select {
		case <-p.closing:
		default:
			select {
			case p.messages <- bytes.Clone(line):
			case <-p.closing:
			}
		}
	}
}

// ended records why there are no more messages.
func (p *Process) ended(err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		select { // a process that closes its output is about to exit
		case <-p.exited:
		case <-time.After(drainGrace):
		}
		err = ErrClosed
	}
	select {
	case <-p.exited:
		err = fmt.Errorf("%w: server process ended: %s", ErrClosed, p.cmd.ProcessState)
	default:
	}
	p.fail(err)
	<-p.exited
	<-p.drained
	p.stdout.Close()
	p.stderr.Close()
}

// Send writes one message. Line breaks in it, which in JSON stand between
// tokens only, become spaces. A process that does not read for CallTimeout is
// killed.
func (p *Process) Send(raw []byte) error {
	line := append(bytes.Clone(raw), '\n')
	for i := range raw {
		if line[i] == '\n' || line[i] == '\r' {
			line[i] = ' '
		}
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	select {
	case <-p.closing:
		return p.Err()
	default:
	}
	_ = p.stdin.SetWriteDeadline(time.Now().Add(p.lim.CallTimeout))
	if _, err := p.stdin.Write(line); err != nil {
		p.fail(fmt.Errorf("%w: write to server: %w", ErrClosed, err))
		return p.Err()
	}
	return nil
}

// Messages yields raw lines. It is closed when the process is gone.
func (p *Process) Messages() <-chan []byte { return p.messages }

// Err says why the conversation ended; nil while it has not.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Closed reports whether Close, and nothing before it, ended the conversation.
func (p *Process) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Stderr returns the last bytes that the process wrote to standard error. They
// are the server's text: not for logs, errors or clients.
func (p *Process) Stderr() []byte { return p.tail.bytes() }

// Close closes the server's input, gives it a moment to end, asks its process
// group to, and kills what is left of it.
func (p *Process) Close() error {
	p.mu.Lock()
	p.closed = p.closed || p.err == nil
	p.mu.Unlock()
	p.stop(ErrClosed)
	_ = p.stdin.Close()
	for _, harder := range []func(*os.Process){askGroup, killGroup} {
		select {
		case <-p.exited:
			return nil
		case <-time.After(p.lim.CloseGrace):
			p.signal(harder)
		}
	}
	<-p.exited
	return nil
}

// fail ends the conversation at once.
func (p *Process) fail(err error) {
	p.stop(err)
	p.kill()
}

func (p *Process) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		close(p.closing)
	}
}

func (p *Process) kill() { p.signal(killGroup) }

func (p *Process) signal(send func(*os.Process)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped { // afterwards the id may be someone else's
		send(p.cmd.Process)
	}
}

// lookPath finds a program in the PATH of env. Relative entries of PATH are
// skipped, as os/exec refuses them.
func lookPath(name string, env []string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	for _, kv := range env {
		list, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(list) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); filepath.IsAbs(dir) && err == nil && !info.IsDir() && executable(info) {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%w: program not found in the PATH of its environment", ErrTarget)
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	max int
	b   []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[max(0, len(b)-t.max):]...)
	if over := len(t.b) - t.max; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.b)
}
