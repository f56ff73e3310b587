package sandbox

import "time"

// Limits bound one call. A zero field takes the default.
type Limits struct {
	MemoryBytes uint32        // linear memory of an instance
	Fuel        int64         // units of one call
	FuelPerByte int64         // units more for each byte of input
	InitFuel    int64         // units of the initialisation, once
	Depth       int32         // weight of nested calls
	Deadline    time.Duration // alloc and scan, or the initialisation
	ModuleBytes int           // the module itself
	OutputBytes int           // the encoded answer
}

// DefaultLimits leave guests of the standard Go toolchain room: they start at
// 3 MiB of memory, spend some millions of units before main, and collect
// garbage late. A guest in C or Rust needs a tenth. Fuel decides; the deadline
// is for a machine that is overloaded.
var DefaultLimits = Limits{
	MemoryBytes: 64 << 20,
	Fuel:        100_000_000,
	FuelPerByte: 10_000,
	InitFuel:    2_000_000_000,
	Depth:       64 << 10,
	Deadline:    5 * time.Second,
	ModuleBytes: 16 << 20,
	OutputBytes: 64 << 10,
}

// WithDefaults fills in the zero fields.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits
	fill(&l.MemoryBytes, d.MemoryBytes)
	fill(&l.Fuel, d.Fuel)
	fill(&l.FuelPerByte, d.FuelPerByte)
	fill(&l.InitFuel, d.InitFuel)
	fill(&l.Depth, d.Depth)
	fill(&l.Deadline, d.Deadline)
	fill(&l.ModuleBytes, d.ModuleBytes)
	fill(&l.OutputBytes, d.OutputBytes)
	return l
}

func fill[T uint32 | int32 | int64 | int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// budget is the fuel of a call with an input of n bytes.
func (l Limits) budget(n int) int64 { return l.Fuel + l.FuelPerByte*int64(n) }
