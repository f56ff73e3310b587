package approval

import (
	"fmt"
	"time"
)

// Succeeds judges a trust file that lies where the accepted one, t, lay; accepted
// is the file that t came from. It returns the next document, or nil if the file
// says what is accepted already.
func (t *Trust) Succeeds(accepted, file []byte, now time.Time) (*Trust, error) {
	n, err := ParseTrust(file)
	if err != nil {
		return nil, err
	}
	if n.Registry == t.Registry && n.Version == t.Version {
		same, err := sameDocument(file, accepted)
		if err != nil {
			return nil, err
		}
		if !same {
			return nil, fmt.Errorf("%w: another document of version %d", ErrTrustRollback, n.Version)
		}
		return nil, nil
	}
	next, err := t.VerifyNext(file)
	if err != nil {
		return nil, err
	}
	// A document that is over already would deny everything in place of one
	// that does not.
	return next, next.Expired(now)
}

func sameDocument(a, b []byte) (bool, error) {
	_, ea, err := openEnvelope(a)
	if err != nil {
		return false, err
	}
	_, eb, err := openEnvelope(b)
	if err != nil {
		return false, err
	}
	da, err := canonicalDigest(ea.Trust)
	if err != nil {
		return false, err
	}
	db, err := canonicalDigest(eb.Trust)
	return da == db, err
}
