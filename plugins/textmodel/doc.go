// Package textmodel reads text the way the injection and poisoning scanners
// need it: words with the part they play in an instruction aimed at a model,
// windows of ninety words, the features of a window, and a small linear model
// over those features whose weights are one byte each.
//
// It runs inside a Wasm guest whose every call starts from the memory as it was
// after start-up: tables are made there, once, and what a call needs is reused
// and small, since each page that it writes to has to be put back. It keeps no
// state, uses integers only (a native and a guest run agree bit for bit) and
// knows nothing of messages, rules, files or training.
package textmodel
