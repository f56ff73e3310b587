package api

import (
	"net/http"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// listScanners is GET /api/v1/scanners. A registry without scanners has none.
func (a *api) listScanners(q *call) error {
	list := registryapi.Scanners{Scanners: []registryapi.Scanner{}}
	if live := a.service.Scanners; live != nil {
		for _, h := range live.Health() {
			s := scannerOf(h)
			if q.tenant() == a.Operator {
				s.Health = healthOf(h)
			}
			list.Scanners = append(list.Scanners, s)
		}
	}
	return q.answer(http.StatusOK, list)
}

func scannerOf(h engine.Health) registryapi.Scanner {
	s := registryapi.Scanner{
		Name: h.Scanner.Name, Version: h.Scanner.Version, Digest: h.Scanner.Digest,
		Form: h.Manifest.Form, Encoding: h.Manifest.Encoding, Call: h.Manifest.Call,
		Mode: string(h.Mode), OnFailure: string(h.OnFailure), Signer: h.Signer,
	}
	for _, p := range h.Manifest.Phases {
		s.Phases = append(s.Phases, string(p))
	}
	for _, o := range h.Narrower {
		s.Bindings = append(s.Bindings, registryapi.Bound{Server: o.Scope.Server, Entry: o.Scope.Entry, Mode: string(o.Mode), OnFailure: string(o.OnFailure)})
	}
	return s
}

func healthOf(h engine.Health) *registryapi.Health {
	out := &registryapi.Health{
		Called: h.Called, NotTriggered: h.NotTriggered, Skipped: h.Skipped, Findings: h.Findings, Fuel: h.Fuel,
		Failures: map[string]int64{}, LastFailure: h.LastFailure.UTC(),
		Breaker: registryapi.Breaker{Open: h.Open, Openings: h.Openings},
	}
	for kind, n := range h.Failures {
		if n > 0 {
			out.Failures[kind] = n
		}
	}
	return out
}

// metrics is GET /metrics.
func (a *api) metrics(q *call) error {
	if q.tenant() != a.Operator {
		return refusal(http.StatusForbidden, "tenant_required", "this is for the tenant that runs the registry")
	}
	a.Metrics.ServeHTTP(q.Writer, q.Request)
	return nil
}
