// Package examples holds one scanner in every language that has an SDK: each
// folder with a scanner.yaml is one, and finds the same. With the tag sdk its
// tests make each as its author would, from the scaffold to verdicts over
// cases.jsonl, which have to be those of verdicts.golden byte for byte.
// Nothing imports it.
package examples
