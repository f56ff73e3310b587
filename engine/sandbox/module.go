package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
)

// Module is an admitted and compiled module. Its first call initialises it and
// takes the photograph that every call starts from. It is safe for concurrent
// use.
type Module struct {
	runtime    *Runtime
	hit        bool // the native code was there before
	opts       Options
	globals    []string // export names of the guest's own
	start      bool     // there was a start function
	initialize bool     // _initialize is exported
	configured bool     // bartizan_init is exported

	wazero wazero.Runtime
	cache  wazero.CompilationCache
	code   wazero.CompiledModule

	first chan struct{} // held by whoever initialises

	mu     sync.Mutex
	photo  *photograph // nil until initialised
	broken *Fault      // why it cannot be initialised, ever
	idle   []*instance
	closed bool

	freeing sync.WaitGroup
}

// photograph is the state of an initialised instance. It has no image where
// the initialisation changed what cannot be restored, such as a table: then
// every call gets an instance that went through the initialisation itself.
type photograph struct {
	image   *image
	globals []uint64
}

// Usage is what a call used.
type Usage struct {
	// Fuel is exact where the module answered or ran out of it, and 0 after any
	// other fault: how much of it was accounted for then depends on the clock.
	Fuel int64
}

// Configurable reports whether the module takes a configuration.
func (m *Module) Configurable() bool { return m.configured }

// Warm initialises the module and makes one instance ready.
func (m *Module) Warm(ctx context.Context) error {
	i, err := m.acquire(ctx)
	if err != nil {
		return err
	}
	m.release(i)
	return nil
}

// Call runs the module over one input and hands the answer to use, which must
// not keep it. The error is that of use, a [*Fault], or the caller's own end of
// patience, in which case nothing is known about the module. Everything but
// the initialisation happens within the limits of the call.
func (m *Module) Call(ctx context.Context, input []byte, use func(answer []byte) error) (Usage, error) {
	i, err := m.acquire(ctx)
	if err != nil {
		return Usage{}, err
	}
	i.run.begin(ctx, m.opts.Limits, m.opts.Limits.budget(len(input)), m.opts.Log)
	answer, err := i.call(m.opts.Form, input)
	used := Usage{Fuel: i.run.spent}
	if err != nil {
		used.Fuel = 0
		if f := i.run.fault; f != nil && f.Kind == Fuel {
			used.Fuel = i.run.budget
		}
		m.discard(i)
		return used, err
	}
	err = use(answer)
	m.release(i)
	return used, err
}

// acquire returns an instance in the photographed state. It has room to run,
// which release and discard give back.
func (m *Module) acquire(ctx context.Context) (*instance, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	i, photo, err := m.take()
	if err != nil {
		return nil, err
	}
	if i == nil && photo == nil {
		// Whoever waits here holds no room that others could use.
		if err := wait(ctx, m.first); err != nil {
			return nil, err
		}
		defer func() { <-m.first }()
		if i, photo, err = m.take(); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, m.runtime.slots); err != nil {
		if i != nil && !m.keep(i) {
			m.free(i, func() {})
		}
		return nil, err
	}
	switch {
	case i != nil:
	case photo == nil:
		i, err = m.initialise(ctx)
	case photo.image == nil:
		i, err = m.initialised(ctx)
	default:
		i, err = m.clone(ctx, photo)
	}
	if err != nil {
		m.runtime.leave()
		return nil, err
	}
	return i, nil
}

// wait puts something into room as soon as there is some.
func wait(ctx context.Context, room chan struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	default: // a context's channel may have to be made first
	}
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take returns an idle instance if there is one, and the photograph if it was
// taken.
func (m *Module) take() (*instance, *photograph, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch n := len(m.idle); {
	case m.closed:
		return nil, nil, fmt.Errorf("%w: module is closed", ErrHost)
	case m.broken != nil:
		return nil, nil, m.broken
	case n > 0:
		i := m.idle[n-1]
		m.idle = m.idle[:n-1]
		return i, m.photo, nil
	}
	return nil, m.photo, nil
}

// initialise makes the first instance and photographs it. What does not depend
// on the clock will not come out differently next time.
func (m *Module) initialise(ctx context.Context) (*instance, error) {
	i, err := m.initialised(ctx)
	var photo *photograph
	if err == nil {
		if photo, err = i.photograph(); err != nil {
			i.close(ctx)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		var f *Fault
		if errors.As(err, &f) && f.Kind != Deadline {
			m.broken = f
		}
		return nil, err
	}
	m.photo = photo
	return i, nil
}

// release resets an instance and keeps it for the next call, unless something
// about it cannot be restored.
func (m *Module) release(i *instance) {
	if !i.restorable() || i.reset(m.photo) != nil {
		m.discard(i)
		return
	}
	i.run = run{memory: i.memory, fuel: i.fuel}
	if !m.keep(i) {
		m.discard(i)
		return
	}
	m.runtime.leave()
}

// keep makes a reset instance ready for the next call, if there is need.
func (m *Module) keep(i *instance) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || len(m.idle) >= runtime.GOMAXPROCS(0) {
		return false
	}
	m.idle = append(m.idle, i)
	return true
}

// discard frees an instance, and its room when that is done.
func (m *Module) discard(i *instance) { m.free(i, m.runtime.leave) }

// free frees an instance. A large memory takes milliseconds, which are not the
// caller's.
func (m *Module) free(i *instance, done func()) {
	m.freeing.Go(func() {
		defer done()
		i.close(context.Background())
	})
}

// Close frees the module. No call may be running.
func (m *Module) Close(ctx context.Context) error {
	m.freeing.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.runtime.mu.Lock()
	delete(m.runtime.modules, m)
	m.runtime.mu.Unlock()
	for _, i := range m.idle {
		i.close(ctx)
	}
	m.idle = nil
	if m.photo != nil && m.photo.image != nil {
		m.photo.image.close()
	}
	return errors.Join(m.wazero.Close(ctx), m.cache.Close(ctx))
}
