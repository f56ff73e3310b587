package engine

import "fmt"

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
