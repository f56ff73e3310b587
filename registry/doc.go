// Package registry is door 1: it takes publications in, checks them, keeps
// their evidence, lets people decide, and signs what was decided.
//
// The flow of one publication is docs/publish.md. The database is the truth
// about what was published and answered; it is not the truth about what may
// run: that is a signed approval, and this package verifies each one itself
// before it lists it in a snapshot.
//
// The package must not know HTTP, sessions or how a client looks.
package registry

import "embed"

//go:embed migrations/*.sql
var migrations embed.FS
