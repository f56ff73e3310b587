package sandbox

import "strings"

// refusals are all that a module is refused for, in one line.
type refusals []error

// together returns what is wrong, nil if nothing is.
func together(errs ...error) error {
	var all refusals
	for _, err := range errs {
		if more, ok := err.(refusals); ok {
			all = append(all, more...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// Error implements error.
func (r refusals) Error() string {
	said := make([]string, len(r))
	for i, err := range r {
		said[i] = err.Error()
	}
	return strings.Join(said, "; ")
}

// Unwrap gives the one and the other.
func (r refusals) Unwrap() []error { return r }
