// Package attack holds tests alone: attacks on the gateway as an operator runs
// it. Both binaries are built and started as processes, servers are published,
// reviewed and approved through the registry, and hostile clients, servers and
// circumstances are set on what runs. Each attack is judged three times: by
// what the client is told, by what the audit log says, and by what arrived at
// the server. SECURITY.md says which test holds which row of the catalogue.
//
// The package knows the binaries by their flags, their configuration and their
// wire only. Nothing may import it.
package attack
