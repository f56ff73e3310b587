// Package match finds every occurrence of many patterns in a text at once.
//
// An [Automaton] is an Aho-Corasick automaton behind a filter that passes over
// the places where no pattern can begin. It is dense where patterns part and
// small elsewhere, so that it stays in the caches of a processor. Patterns are
// literals and fixed-length sequences of byte classes; letters of ASCII match
// in either case unless a pattern says otherwise. Its time is bounded by the
// length of the text whatever the text says, and its memory by what [Compile]
// refuses.
//
// The package knows texts and patterns: no scanner, no message, no Wasm.
package match
