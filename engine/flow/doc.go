// Package flow remembers what scanners marked in messages, so that it is known
// again in another: a secret, personal data, an instruction that a server hid
// in what it returned.
//
// Nothing that was marked is kept. A span is cut into overlapping windows of its
// letters and digits, and into the terms in it that name something (addresses,
// accounts, files, quoted texts); of each there is a keyed hash of 64 bits, under
// keys that the memory makes and never shows. A copy is known however it is
// wrapped, spaced, punctuated or written in capitals, and in part; what is behind
// an encoding the caller decodes first.
//
// The package knows texts, owners and times alone: no scanner, no message, no
// transport. Time is what the caller says it is.
package flow
