// Package house holds the tests of the architecture: which room may import
// which (ARCHITECTURE.md), how large files grow, and what every package must
// have. It contains no code of its own and nothing may import it.
package house
