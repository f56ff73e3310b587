package engine

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// AnswerError says where an answer breaks the ABI. Both of its texts are the
// host's own: nothing that a guest wrote is repeated but numbers.
type AnswerError struct {
	// Field is a JSON Pointer into the answer as sdk/abi/output.schema.json has
	// it, in either encoding; "" means the answer as a whole.
	Field  string
	Detail string // what was found, and what is allowed
}

// Error implements error.
func (e *AnswerError) Error() string {
	if e.Field == "" {
		return "broken ABI: " + e.Detail
	}
	return "broken ABI: " + e.Field + ": " + e.Detail
}

func wrong(field, format string, args ...any) *AnswerError {
	return &AnswerError{field, fmt.Sprintf(format, args...)}
}

// under moves the field below a part of the answer.
func (e *AnswerError) under(part string, i int) *AnswerError {
	return &AnswerError{fmt.Sprintf("/%s/%d%s", part, i, e.Field), e.Detail}
}

// notOfSchema explains why the JSON of an answer was not taken. Names of members
// that no schema has are the guest's.
func notOfSchema(err error) *AnswerError {
	const what = "the answer is not JSON of the output schema"
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return wrong("", what+": %s/ has a member that it does not know", semantic.JSONPointer.Parent())
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		return wrong("", what+": %s is of another type", semantic.JSONPointer)
	case errors.As(err, &syntactic):
		return wrong("", what+": broken at byte %d", syntactic.ByteOffset)
	}
	return wrong("", what)
}
