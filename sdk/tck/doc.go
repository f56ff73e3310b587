// Package tck is the conformance kit of the scanner ABI (sdk/abi/ABI.md): it
// runs any module on the production engine and says, point by point, whether it
// keeps what the ABI demands of a guest.
//
// The kit makes its inputs itself, by an encoder of its own, in layouts that the
// engine never writes but the ABI allows, and in such that it forbids. What it
// can know of a module is what the module answers: it does not know what a
// scanner is meant to find, which is for cases to hold (`bartizan scanner test
// --cases`), and a point that nothing brought to light is skipped, not passed.
package tck
