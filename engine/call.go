package engine

import "context"

// call runs one encoded input and reads the answer, of which nothing is kept
// that is not copied. When the caller's own context ends the failure is nil and
// the error is its cause: nothing is known about the scanner then.
func (s *Scanner) call(ctx context.Context, input []byte, batch []window) (a Answer, fuel int64, failure *Failure, err error) {
	used, err := s.module.Call(ctx, input, func(b []byte) (err error) {
		a, err = s.parseAnswer(b, batch)
		return err
	})
	if err == nil {
		return a, used.Fuel, nil, nil
	}
	if failure = failureOf(s.manifest.Name, err); failure != nil {
		return Answer{}, used.Fuel, failure, nil
	}
	if ctx.Err() != nil {
		return Answer{}, used.Fuel, nil, err
	}
	// Nothing was examined.
	return Answer{}, used.Fuel, &Failure{Scanner: s.manifest.Name, Kind: FailureMemory, Detail: "this machine has no room for another instance"}, nil
}
