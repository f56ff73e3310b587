package engine

import (
	"errors"
	"fmt"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/engine/compile"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// FailureKind says how a scanner failed.
type FailureKind = string

// Failure kinds of CONTRACTS §6.
const (
	FailureRefused  FailureKind = "refused"
	FailureTrap     FailureKind = "trap"
	FailureFuel     FailureKind = "fuel"
	FailureDeadline FailureKind = "deadline"
	FailureMemory   FailureKind = "memory"
	FailureDepth    FailureKind = "depth"
	FailureOutput   FailureKind = "output"
)

// Failure is a scanner that did not answer. It is no finding: nothing is known
// about the message.
type Failure struct {
	Scanner string      `json:"scanner"`
	Kind    FailureKind `json:"kind"`
	// Detail says in one sentence what happened, with its numbers and limits. It is
	// the explanation wherever a failure is told, to authors and on record alike,
	// and written by the host alone: nothing of the message is in it, and of what a
	// scanner answered nothing but numbers.
	Detail string `json:"detail"`
	// Skipped: the scanner was not called, since it had failed too often for
	// this caller. It depends on the clock and is no part of a replay.
	Skipped bool `json:"-"`
}

// failureOf explains why a call gave no answer: a fault of the sandbox or an
// answer that breaks the ABI. It is nil for anything else, which is no failure of
// the scanner.
func failureOf(scanner string, err error) *Failure {
	var fault *sandbox.Fault
	var broken *AnswerError
	switch {
	case errors.As(err, &fault):
		return &Failure{Scanner: scanner, Kind: FailureKind(fault.Kind), Detail: fault.Detail}
	case errors.As(err, &broken):
		return &Failure{Scanner: scanner, Kind: FailureOutput, Detail: broken.Error()}
	}
	return nil
}

// refusal gives an error of admission the sentinel of this package.
func refusal(err error) error {
	switch {
	case errors.Is(err, admit.ErrCost), errors.Is(err, compile.ErrLimits):
		return fmt.Errorf("%w: %w", ErrLimits, err)
	case errors.Is(err, admit.ErrMalformed), errors.Is(err, admit.ErrInvalid), errors.Is(err, admit.ErrUnsupported),
		errors.Is(err, compile.ErrModule):
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	return err
}

// String is a failure in one line.
func (f Failure) String() string { return f.Kind + ": " + f.Detail }
