// Package egress decides where a program may connect to on behalf of somebody
// it does not trust, and holds the one dialer that keeps to it. The decision is
// about the address that is dialled, after resolution, so a name that resolves
// anew between check and use (rebinding) gains nothing.
//
// It must not know what is fetched, nor why.
package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

var (
	// ErrAddress is an address that the policy does not connect to.
	ErrAddress = errors.New("the address is not one that is connected to")
	// ErrURL is a URL that is not asked, whatever it resolves to.
	ErrURL = errors.New("the URL is not one that is asked")
)

// Policy says what may be dialled beside public addresses. The zero value is
// the strictest.
type Policy struct {
	Loopback bool // 127.0.0.0/8 and ::1: this machine
	Private  bool // RFC 1918 and unique local addresses: the networks behind it
}

// DialTimeout bounds one connection, TLS apart.
const DialTimeout = 10 * time.Second

// Dialer returns a dialer that refuses what the policy does. resolver is asked
// for names; nil is the system's.
func (p Policy) Dialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{
		Timeout:  DialTimeout,
		Resolver: resolver,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			if network != "tcp4" && network != "tcp6" {
				return ErrAddress
			}
			ap, err := netip.ParseAddrPort(address)
			if err != nil || !p.Allows(ap.Addr()) || badPorts[ap.Port()] {
				return ErrAddress
			}
			return nil
		},
	}
}

// Transport dials through Dialer and through no proxy, which would resolve
// names for itself.
func (p Policy) Transport(resolver *net.Resolver) *http.Transport {
	return &http.Transport{
		DialContext: p.Dialer(resolver).DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, IdleConnTimeout: 10 * time.Second,
	}
}

// Client asks URLs whose spelling is plain and follows no redirect: the answer is
// the redirect itself.
func (p Policy) Client(resolver *net.Resolver) *http.Client {
	return Guard(p.Transport(resolver))
}

// Guard is Client over a transport of the caller's.
func Guard(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     checked{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checked refuses a URL before anything is resolved.
type checked struct{ http.RoundTripper }

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := check(r.URL); err != nil {
		return nil, err
	}
	return c.RoundTripper.RoundTrip(r)
}
