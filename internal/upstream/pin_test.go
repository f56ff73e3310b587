package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// authority is a CA for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	a.cert, a.key = a.certificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.pool.AddCert(a.cert)
	return a
}

// certificate issues from a template; the first one is the authority's own.
func (a *authority) certificate(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// serve is a server with a certificate; it counts what reaches it.
func (a *authority) serve(t *testing.T, template *x509.Certificate) (url string, key *x509.Certificate, reached *atomic.Int32) {
	t.Helper()
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	cert, private := a.certificate(t, template)
	reached = new(atomic.Int32)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{}}`)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: private}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, cert, reached
}

func (a *authority) client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS12}}}
}

func keyPin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func said(ctx context.Context, t Target) error {
	s, err := Post(ctx, t, []byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), nil, Limits{})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Next()
	return err
}

// TestPins: who is not who the pin names is sent nothing at all.
func TestPins(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	local := []net.IP{net.IPv4(127, 0, 0, 1)}
	spiffe := func(id string) []*url.URL { u, _ := url.Parse(id); return []*url.URL{u} }
	const id = "spiffe://acme.example/mcp/weather"
	plain := func() *x509.Certificate { return &x509.Certificate{IPAddresses: local} }
	tests := map[string]struct {
		template *x509.Certificate
		by       *authority
		pin      func(served *x509.Certificate) string
		ok       bool
	}{
		"its key":                       {plain(), ours, keyPin, true},
		"its authority's key":           {plain(), ours, func(*x509.Certificate) string { return keyPin(ours.cert) }, true},
		"another key":                   {plain(), ours, func(*x509.Certificate) string { return keyPin(theirs.cert) }, false},
		"its key, nobody's certificate": {plain(), theirs, keyPin, false},
		"its key, another host":         {&x509.Certificate{DNSNames: []string{"other.example"}}, ours, keyPin, false},
		"its id":                        {&x509.Certificate{URIs: spiffe(id)}, ours, func(*x509.Certificate) string { return id }, true},
		"another id":                    {&x509.Certificate{URIs: spiffe(id + "r")}, ours, func(*x509.Certificate) string { return id }, false},
		"two ids":                       {&x509.Certificate{URIs: append(spiffe(id), spiffe(id+"r")...)}, ours, func(*x509.Certificate) string { return id }, false},
		"no id":                         {plain(), ours, func(*x509.Certificate) string { return id }, false},
		"its id, nobody's certificate":  {&x509.Certificate{URIs: spiffe(id)}, theirs, func(*x509.Certificate) string { return id }, false},
		"its id, an authority":          {&x509.Certificate{URIs: spiffe(id), IsCA: true, BasicConstraintsValid: true}, ours, func(*x509.Certificate) string { return id }, false},
		"half a digest":                 {plain(), ours, func(*x509.Certificate) string { return "sha256:ab" }, false},
		"no pin that is known":          {plain(), ours, func(*x509.Certificate) string { return "sha1:ab" }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			url, cert, reached := test.by.serve(t, test.template)
			err := said(t.Context(), Target{URL: url, Client: ours.client(), Pin: test.pin(cert)})
			if (err == nil) != test.ok {
				t.Errorf("err = %v", err)
			}
			if got := reached.Load() > 0; got != test.ok {
				t.Errorf("reached %v", got)
			}
		})
	}
}

// TestPinOutlivesConnections: neither a connection that was made without the
// pin nor a resumed session gets around it, nor a name that leads elsewhere by
// the next call.
func TestPinOutlivesConnections(t *testing.T) {
	ca := newAuthority(t)
	first, cert, reached := ca.serve(t, &x509.Certificate{DNSNames: []string{"mcp.example"}})
	second, _, stolen := ca.serve(t, &x509.Certificate{DNSNames: []string{"mcp.example"}})
	at := func(raw string) string { u, _ := url.Parse(raw); return u.Host }
	var now atomic.Value
	now.Store(at(first))
	client := ca.client()
	carrier := client.Transport.(*http.Transport)
	carrier.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	carrier.DisableKeepAlives = true
	carrier.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, now.Load().(string))
	}
	target := Target{URL: "https://mcp.example/", Client: client, Pin: keyPin(cert)}
	for range 2 { // the second resumes
		if err := said(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	now.Store(at(second))
	unpinned := target
	unpinned.Pin = ""
	if err := said(t.Context(), unpinned); err != nil {
		t.Fatalf("without a pin the other server is as good: %v", err)
	}
	if err := said(t.Context(), target); !errors.Is(err, ErrPin) {
		t.Errorf("after the name moved: %v, want ErrPin", err)
	}
	if reached.Load() != 2 || stolen.Load() != 1 {
		t.Errorf("reached %d and %d", reached.Load(), stolen.Load())
	}
}

// TestPinNeedsAHandshake: where nobody checks it a pin is refused, not ignored.
func TestPinNeedsAHandshake(t *testing.T) {
	pin := "sha256:" + hex.EncodeToString(make([]byte, sha256.Size))
	if err := said(t.Context(), Target{URL: "http://127.0.0.1:1/", Pin: pin}); !errors.Is(err, ErrTarget) {
		t.Errorf("over plain HTTP: %v", err)
	}
	for name, carrier := range map[string]http.RoundTripper{
		"unknown transport": roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") }),
		"own handshake":     &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialled") }},
		"no verification":   &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	} {
		if err := said(t.Context(), Target{URL: "https://127.0.0.1:1/", Pin: pin, Client: &http.Client{Transport: carrier}}); !errors.Is(err, ErrPin) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
