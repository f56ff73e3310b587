package sandbox

import (
	"context"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// Fuel is handed out in quanta. Between two of them the guest runs without a
// break: Go's garbage collector waits, and nobody looks at the deadline. The
// quantum adapts to how long the last one took, so that slow work yields as
// often as fast work. What is slow by surprise is touching new pages, of which
// a small memory has few; growing a memory ends the quantum. None of this
// changes how much fuel a call uses or where it ends.
const (
	quantumMin   = 128
	quantumFirst = 256
	quantumMost  = 3 << 10
	quantumSmall = 64 << 10 // of memories up to smallMemory
	smallMemory  = 20 << 16

	slowQuantum = 200 * time.Microsecond
	fastQuantum = 25 * time.Microsecond

	hostQuantum = 16 << 10 // of work that the host does for the guest

	// Looking at the clock is a third of what a yield costs. A guest whose longest
	// quanta are over in no time is looked at after several of them.
	yieldsPerLook = 4
)

// run is one entry of the host into a guest, and the context that the guest's
// host calls find it by.
type run struct {
	context.Context // the caller's

	where  string // the export that was entered last
	memory *memory
	fuel   api.MutableGlobal // what the guest holds of it
	limits Limits
	budget int64 // fuel of this run
	spent  int64 // fuel used, but for what the guest holds
	given  int64 // fuel last handed to the guest
	step   int64 // the next quantum

	clock   timed         // the caller, where he takes the time from others
	began   time.Time     // of the call
	last    time.Duration // after it, the last look at the clock
	longest time.Duration // between two looks
	unseen  int64         // units that the host worked since it looked
	yields  int           // so far
	blind   int           // yields since the last look
	perLook int           // how many of them make one, and at most
	perMost int

	fault *Fault // why the guest was stopped
	gone  bool   // the caller gave up
	exit  *uint32

	log    boundedLog
	stdin  []byte
	stdout *output // nil where standard output is a log
	random io.Reader
}

// Value keeps the runtime's look-ups short: guests see none of the caller's.
func (r *run) Value(any) any { return nil }

// begin prepares r for one call.
func (r *run) begin(ctx context.Context, l Limits, budget int64, log io.Writer) {
	clock, _ := ctx.(timed)
	*r = run{
		Context: ctx, memory: r.memory, fuel: r.fuel, limits: l, budget: budget, step: quantumFirst, perMost: yieldsPerLook,
		clock: clock, began: time.Now(),
		log: boundedLog{log, logBytes},
	}
}

// timed is a context that can be told what time it is. A guest looks at the
// clock hundreds of times, and once is enough for its deadline and the caller's.
type timed interface{ ErrAt(now time.Time) error }

// ended is the error of the caller's context.
func (r *run) ended() error {
	if r.clock != nil {
		return r.clock.ErrAt(r.began.Add(r.last))
	}
	return r.Context.Err()
}

// stopped is what a host function panics with to end the guest.
type stopped struct{ error }

func (r *run) stop(f *Fault) {
	if r.fault == nil {
		r.fault = f
	}
	panic(stopped{f})
}

// hand returns the fuel to enter or re-enter the guest with.
func (r *run) hand() int64 {
	r.given = max(0, min(r.step, r.budget-r.spent))
	return r.given
}

// yield takes back what is left of the fuel, which is negative, and hands out
// more. It ends a guest that has none, is late, or that nobody waits for.
func (r *run) yield(left int64) int64 {
	r.spent += r.given - left
	r.given = 0
	r.afford()
	r.yields++
	if r.blind++; r.blind >= r.perLook {
		r.adapt(r.look())
	}
	return r.hand()
}

// adapt chooses the quantum by how long it took since the last look.
func (r *run) adapt(took time.Duration) {
	most := r.longestStep()
	switch {
	case took > slowQuantum:
		r.step, r.perLook = max(r.step/4, quantumMin), 1
	case took < fastQuantum && r.step >= most:
		r.perLook = r.perMost
	case took < fastQuantum:
		r.step *= 2
	}
	r.step = min(r.step, most)
}

func (r *run) longestStep() int64 {
	if r.memory.size <= smallMemory {
		return quantumSmall
	}
	return quantumMost
}

func (r *run) afford() {
	if r.spent > r.budget {
		r.stop(fault(Fuel, "%s used more than %d units of fuel", r.where, r.budget))
	}
}

// look ends a guest that is late or that nobody waits for, and returns how long
// it is since the last look.
func (r *run) look() time.Duration {
	now := time.Since(r.began) // reads one clock, time.Now two
	took := now - r.last
	r.last, r.blind = now, 0
	r.longest = max(r.longest, took)
	if now >= r.limits.Deadline {
		r.stop(fault(Deadline, "%s gave no answer within %s", r.where, r.limits.Deadline))
	}
	if r.ended() != nil {
		r.gone = true
		panic(stopped{context.Cause(r.Context)})
	}
	return took
}

// charge pays for work that the host does at the guest's request, in bytes. It
// comes out of the same budget, and is interrupted like the guest's own work.
// What the guest holds must not exceed what is left then: how much it holds
// depends on the clock, and where its fuel ends must not.
func (r *run) charge(bytes uint64) {
	units := int64(bytes / 8)
	r.spent += units
	if r.spent+r.given > r.budget {
		r.takeBack()
		r.afford()
	}
	if r.unseen += units; r.unseen > hostQuantum {
		r.unseen = 0
		r.look()
	}
}

// takeBack makes the guest yield at its next look at the fuel. It is for host
// calls, before which a guest writes back what it holds.
func (r *run) takeBack() {
	r.finish(int64(r.fuel.Get()))
	r.fuel.Set(0)
}

// finish adds what the guest did not give back.
func (r *run) finish(left int64) {
	r.spent += r.given - left
	r.given = 0
}

// entropy is the same for every call: a verdict is a function of the input.
func (r *run) entropy() io.Reader {
	if r.random == nil {
		r.random = rand.NewChaCha8([32]byte{})
	}
	return r.random
}

// runOf finds the run that a host function was called in.
func runOf(ctx context.Context) *run { return ctx.(*run) }

// meterYield and meterDepth are what engine/admit lets every guest call.
func meterYield(ctx context.Context, _ api.Module, stack []uint64) {
	stack[0] = uint64(runOf(ctx).yield(int64(stack[0])))
}

func meterDepth(ctx context.Context, _ api.Module, _ []uint64) {
	r := runOf(ctx)
	r.stop(fault(Depth, "%s nested its calls too deeply: they weigh more than %d", r.where, r.limits.Depth))
}
