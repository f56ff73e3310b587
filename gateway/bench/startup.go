package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// startRows restarts the gateway on the state it has, until /readyz says 200.
func startRows(_ context.Context, w *world, o options) ([]benchtable.Row, error) {
	var all []float64
	for range o.rounds {
		w.gateway.Stop()
		began := time.Now()
		if err := w.openGateway(); err != nil {
			return nil, err
		}
		all = append(all, float64(time.Since(began)))
	}
	ns := median(all)
	return []benchtable.Row{{
		What: "start to ready, warm", Figure: benchtable.Duration(ns), Target: "≤ 1 s", Met: benchtable.AtMost(ns, 1e9),
		Note: fmt.Sprintf("process, state, four compiled scanners, listener, /readyz 200; median of %d starts", len(all)),
	}}, nil
}
