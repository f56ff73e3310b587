package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// KeySource looks a key up by its public id. It returns ErrUnknownKey for an
// id that it does not hold; any other error keeps the caller out.
type KeySource interface {
	Key(ctx context.Context, id string) (KeyRecord, error)
}

// DeniedError carries whose key was refused, for the audit record. It wraps
// ErrExpired or ErrRevoked and exists only where the secret was right, so a
// guesser can put nobody else's name into the log.
type DeniedError struct {
	Caller Caller
	Err    error
}

func (e *DeniedError) Error() string { return e.Err.Error() }
func (e *DeniedError) Unwrap() error { return e.Err }

// Authenticate checks the value of one Authorization header (RFC 6750 §2.1,
// "Bearer" SP token) at the given time. Errors: ErrNoCredential, ErrInvalid,
// ErrUnavailable, or a *DeniedError with ErrExpired or ErrRevoked. The Caller
// is the zero value whenever err is not nil.
func Authenticate(ctx context.Context, keys KeySource, authorization string, now time.Time) (Caller, error) {
	if authorization == "" {
		return Caller{}, ErrNoCredential
	}
	token, ok := bearer(authorization)
	if !ok {
		return Caller{}, ErrInvalid
	}
	return AuthenticateToken(ctx, keys, token, now)
}

// AuthenticateToken is Authenticate for a token that did not travel in a
// header.
func AuthenticateToken(ctx context.Context, keys KeySource, token string, now time.Time) (Caller, error) {
	id, ok := keyID(token)
	if !ok {
		return Caller{}, ErrInvalid
	}
	rec, err := keys.Key(ctx, id)
	switch {
	case errors.Is(err, ErrUnknownKey):
		rec = KeyRecord{} // compared all the same: an unknown id costs what a wrong secret costs
	case err != nil:
		return Caller{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// A source that answers with another key's record must not log its owner in.
	if !rec.matches(token) || rec.ID != id {
		return Caller{}, ErrInvalid
	}
	if rec.Revoked != nil {
		return Caller{}, &DeniedError{Caller: rec.Caller(), Err: ErrRevoked}
	}
	if !now.Before(rec.Expires) {
		return Caller{}, &DeniedError{Caller: rec.Caller(), Err: ErrExpired}
	}
	return rec.Caller(), nil
}

// OneAuthorization picks the Authorization value of a request. More than one
// is ErrInvalid: which of them counts would depend on who reads it.
func OneAuthorization(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", ErrNoCredential
	case 1:
		return values[0], nil
	default:
		return "", ErrInvalid
	}
}

// bearer cuts the token out of "Bearer <token>". The scheme is matched without
// regard to case (RFC 9110 §11.1); everything else is exact.
func bearer(authorization string) (string, bool) {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return token, true
}
