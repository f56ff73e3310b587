package upstream

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// pins holds one transport for each pin of a transport: a connection that was
// made for one pin is never used for another.
var pins = struct {
	sync.Mutex
	made map[pinKey]*http.Transport
}{made: map[pinKey]*http.Transport{}}

type pinKey struct {
	base *http.Transport
	pin  string
}

// keptPins bounds the transports; one that is dropped is made anew.
const keptPins = 1024

// pinned is base, with the pin checked in every handshake, before anything is
// sent.
func pinned(base http.RoundTripper, pin string) (http.RoundTripper, error) {
	plain, ok := base.(*http.Transport)
	if !ok || plain.DialTLSContext != nil {
		return nil, fmt.Errorf("%w: no handshake in which to check it", ErrPin)
	}
	pins.Lock()
	defer pins.Unlock()
	key := pinKey{plain, pin}
	if t := pins.made[key]; t != nil {
		return t, nil
	}
	t := plain.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if err := pinTo(t.TLSClientConfig, pin); err != nil {
		return nil, err
	}
	if len(pins.made) >= keptPins {
		for _, old := range pins.made {
			old.CloseIdleConnections()
		}
		clear(pins.made)
	}
	pins.made[key] = t
	return t, nil
}

// pinTo adds the check of a pin to what a handshake checks. It holds for
// resumed sessions too.
func pinTo(c *tls.Config, pin string) error {
	if c.InsecureSkipVerify || c.VerifyConnection != nil {
		return fmt.Errorf("%w: the client verifies in a way of its own", ErrPin)
	}
	if sum, ok := strings.CutPrefix(pin, "sha256:"); ok {
		want, err := hex.DecodeString(sum)
		if err != nil || len(want) != sha256.Size {
			return fmt.Errorf("%w: malformed", ErrPin)
		}
		c.VerifyConnection = func(s tls.ConnectionState) error { return keyIs(s, want) }
		return nil
	}
	if !strings.HasPrefix(pin, "spiffe://") {
		return fmt.Errorf("%w: malformed", ErrPin)
	}
	// An X.509-SVID is about an id and need not name a host: the chain is
	// verified here, and the id takes the place of the name.
	roots := c.RootCAs
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(s tls.ConnectionState) error { return idIs(s, roots, pin) }
	return nil
}

// keyIs wants a key among those of a chain that was verified. What the server
// sent beside it counts for nothing.
func keyIs(s tls.ConnectionState, want []byte) error {
	for _, chain := range s.VerifiedChains {
		for _, cert := range chain {
			sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
			if subtle.ConstantTimeCompare(sum[:], want) == 1 {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no key of its chain has the digest", ErrPin)
}

// idIs verifies an X.509-SVID (SPIFFE X509-SVID, section 5.2): a leaf that is
// no authority, with exactly one URI, under the given roots.
func idIs(s tls.ConnectionState, roots *x509.CertPool, id string) error {
	if len(s.PeerCertificates) == 0 {
		return fmt.Errorf("%w: no certificate", ErrPin)
	}
	leaf := s.PeerCertificates[0]
	if leaf.IsCA || len(leaf.URIs) != 1 || leaf.URIs[0].String() != id {
		return fmt.Errorf("%w: another SPIFFE id", ErrPin)
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return fmt.Errorf("%w: %w", ErrPin, err)
	}
	return nil
}
