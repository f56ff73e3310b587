package sandbox

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/bartizan-mcp/bartizan/engine/admit"
)

// instance is one instance of a module with what the host reaches into it by.
// One call at a time uses it.
type instance struct {
	module  api.Module
	memory  *memory
	globals []api.MutableGlobal // the guest's own

	fuel, depth, dirty api.MutableGlobal
	alloc, entry       api.Function

	run   run
	stack [2]uint64
}

// instantiate makes an instance in which no code of the guest has run.
func (m *Module) instantiate(ctx context.Context) (i *instance, err error) {
	memory, err := newMemory(m.opts.Limits.MemoryBytes)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			memory.Free()
		}
	}()
	defer contain(&err)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions() // anonymous, so that many can exist
	// The caller's patience does not matter: nothing of the guest runs here.
	module, err := m.wazero.InstantiateModule(experimental.WithMemoryAllocator(context.WithoutCancel(ctx), memory), m.code, config)
	if err != nil {
		return nil, classify("instantiation", err)
	}
	i = &instance{module: module, memory: memory}
	for _, name := range m.globals {
		i.globals = append(i.globals, module.ExportedGlobal(name).(api.MutableGlobal))
	}
	i.fuel = module.ExportedGlobal(admit.ExportFuel).(api.MutableGlobal)
	i.run = run{memory: memory, fuel: i.fuel}
	memory.grown = i.run.takeBack
	i.depth = module.ExportedGlobal(admit.ExportDepth).(api.MutableGlobal)
	i.dirty = module.ExportedGlobal(admit.ExportDirty).(api.MutableGlobal)
	if m.opts.Form == Command {
		i.entry = module.ExportedFunction(exportStart)
	} else {
		i.alloc = module.ExportedFunction(exportAlloc)
		i.entry = module.ExportedFunction(exportScan)
	}
	return i, nil
}

// initialised makes an instance and runs everything that comes before a call:
// the start function, _initialize, bartizan_init.
func (m *Module) initialised(ctx context.Context) (*instance, error) {
	i, err := m.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	i.run.begin(ctx, m.opts.Limits, m.opts.Limits.InitFuel, m.opts.Log)
	if err := m.begin(i); err != nil {
		m.free(i, func() {})
		return nil, err
	}
	return i, nil
}

func (m *Module) begin(i *instance) error {
	if m.start {
		if err := i.enter(startFunction, i.module.ExportedFunction(admit.ExportStart)); err != nil {
			return err
		}
	}
	if m.initialize {
		if err := i.enter(exportInitialize, i.module.ExportedFunction(exportInitialize)); err != nil {
			return err
		}
	}
	if !m.configured {
		return nil
	}
	ptr, err := i.give(m.opts.Config)
	if err != nil {
		return err
	}
	i.stack = [2]uint64{uint64(ptr), uint64(len(m.opts.Config))}
	if err := i.enter(exportInit, i.module.ExportedFunction(exportInit)); err != nil {
		return err
	}
	if code := api.DecodeU32(i.stack[0]); code != 0 {
		return breach(InitRefused, "%s returned %d, which refuses the configuration", exportInit, code)
	}
	return nil
}

// photograph records the state of an initialised instance, and puts the
// instance itself on the photograph.
func (i *instance) photograph() (*photograph, error) {
	p := new(photograph)
	if api.DecodeU32(i.dirty.Get()) != 0 {
		return p, nil
	}
	for _, g := range i.globals {
		p.globals = append(p.globals, g.Get())
	}
	var err error
	if p.image, err = i.memory.photograph(); err != nil {
		return nil, err
	}
	return p, i.memory.overlay(p.image)
}

// clone makes an instance that is as photographed.
func (m *Module) clone(ctx context.Context, p *photograph) (*instance, error) {
	i, err := m.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	if missing := p.image.size - i.memory.size; missing > 0 {
		if _, ok := i.module.Memory().Grow(uint32(missing >> 16)); !ok {
			err = fmt.Errorf("%w: no memory for another instance", ErrHost)
		}
	}
	if err == nil {
		err = i.memory.overlay(p.image)
	}
	if err != nil {
		i.close(ctx)
		return nil, err
	}
	i.setGlobals(p)
	return i, nil
}

func (i *instance) setGlobals(p *photograph) {
	for k, g := range i.globals {
		g.Set(p.globals[k])
	}
}

// restorable reports whether a reset brings an instance back: its memory has
// not grown, and it changed no table and dropped no segment.
func (i *instance) restorable() bool {
	return i.memory.image != nil && i.memory.size == i.memory.image.size && api.DecodeU32(i.dirty.Get()) == 0
}

// reset makes memory and globals equal to the photograph again. Fuel and depth
// are set when a call enters.
func (i *instance) reset(p *photograph) error {
	i.setGlobals(p)
	return i.memory.reset()
}

func (i *instance) close(ctx context.Context) {
	_ = i.module.Close(context.WithoutCancel(ctx)) // frees the memory
}

// enter runs an exported function with what is on the stack.
func (i *instance) enter(name string, f api.Function) (err error) {
	r := &i.run
	r.where = name
	i.fuel.Set(uint64(r.hand()))
	i.depth.Set(uint64(uint32(r.limits.Depth)))
	err = i.invoke(f)
	if r.given != 0 || err == nil {
		r.finish(int64(i.fuel.Get()))
	}
	switch {
	case err == nil:
		if r.spent > r.budget {
			return fault(Fuel, "%s used more than %d units of fuel", name, r.budget)
		}
		return nil
	case r.gone:
		return context.Cause(r.Context)
	case r.fault != nil:
		return r.fault
	case i.memory.refused || i.dirty.Get() == admit.DirtyMemory:
		return fault(Memory, "%s wanted more than %d bytes of memory", name, r.limits.MemoryBytes)
	}
	return classify(name, err)
}

func (i *instance) invoke(f api.Function) (err error) {
	defer contain(&err)
	return f.CallWithStack(&i.run, i.stack[:])
}

// call runs one input in the form of the module. It stays in one thread, by
// which the memory is watched.
func (i *instance) call(form Form, input []byte) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	i.memory.watch()
	defer i.memory.settle()
	if form == Command {
		return i.command(input)
	}
	return i.scan(input)
}

// scan runs a reactor. The answer is a view of the guest's memory. Lengths and
// addresses are unsigned 32-bit numbers added in 64 bits, against the memory as
// it is after the entry.
func (i *instance) scan(input []byte) ([]byte, error) {
	ptr, err := i.give(input)
	if err != nil {
		return nil, err
	}
	i.stack = [2]uint64{uint64(ptr), uint64(len(input))}
	if err := i.enter(exportScan, i.entry); err != nil {
		return nil, err
	}
	packed := i.stack[0]
	if packed == 0 {
		return nil, breach(NoAnswer, "%s returned 0, a fault", exportScan)
	}
	at, size := packed>>32, packed&0xffffffff
	if limit := i.run.limits.OutputBytes; size > uint64(limit) {
		return nil, breach(AnswerLong, "%s returned an answer of %d bytes, at most %d", exportScan, size, limit)
	}
	total := uint64(i.memory.size)
	if at+size > total {
		return nil, breach(AnswerOutside, "%s returned an answer of %d bytes at %d, outside a memory of %d", exportScan, size, at, total)
	}
	view, _ := i.module.Memory().Read(uint32(at), uint32(size))
	return view, nil
}

// give writes b into memory that the guest allocates for it. Nothing is written
// for an empty b, whose address is 0.
func (i *instance) give(b []byte) (uint32, error) {
	if len(b) == 0 {
		return 0, nil
	}
	room, err := i.room(uint32(len(b)))
	if err == nil {
		err = room.check()
	}
	if err != nil {
		return 0, err
	}
	i.module.Memory().Write(room.At, b)
	return room.At, nil
}

// room asks the guest for room, and believes nothing of what it returns.
func (i *instance) room(size uint32) (Room, error) {
	i.stack[0] = uint64(size)
	if err := i.enter(exportAlloc, i.alloc); err != nil {
		return Room{}, err
	}
	return Room{At: api.DecodeU32(i.stack[0]), Size: size, Memory: uint64(i.memory.size)}, nil
}

// command runs a WASI command from its beginning.
func (i *instance) command(input []byte) ([]byte, error) {
	out := output{limit: i.run.limits.OutputBytes}
	i.run.stdin, i.run.stdout = input, &out
	err := i.enter(exportStart, i.entry)
	if exit := i.run.exit; err != nil && (exit == nil || *exit != 0) {
		return nil, err
	}
	return slices.Clip(out.b), nil
}
