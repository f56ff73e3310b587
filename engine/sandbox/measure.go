package sandbox

import (
	"context"
	"time"
)

// Cost is what one call cost.
type Cost struct {
	Call   time.Duration // the input handed over, the guest's work, the answer read
	Reset  time.Duration // memory and globals put back
	Fuel   int64
	Memory uint64 // bytes of linear memory at its end
}

// Measure is Call with a look at the clock between its parts: for authors, who
// want to know what their scanner costs.
func (m *Module) Measure(ctx context.Context, input []byte, use func(answer []byte) error) (Cost, error) {
	i, err := m.acquire(ctx)
	if err != nil {
		return Cost{}, err
	}
	began := time.Now()
	i.run.begin(ctx, m.opts.Limits, m.opts.Limits.budget(len(input)), m.opts.Log)
	answer, err := i.call(m.opts.Form, input)
	if err == nil {
		err = use(answer)
	}
	c := Cost{Call: time.Since(began), Fuel: i.run.spent, Memory: uint64(i.module.Memory().Size())}
	if err != nil {
		m.discard(i)
		return c, err
	}
	began = time.Now()
	m.release(i)
	c.Reset = time.Since(began)
	return c, nil
}
