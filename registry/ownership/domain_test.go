package ownership

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/egress"
	"github.com/bartizan-mcp/bartizan/internal/fixture/nameserver"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// signer signs as the official tool does.
type signer struct {
	record string
	sign   func(string) []byte
}

func edwards(t testing.TB) signer {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{"v=MCPv1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), func(s string) []byte { return ed25519.Sign(private, []byte(s)) }}
}

func p384(t testing.TB) signer {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	compact := append([]byte{2 + point[len(point)-1]&1}, point[1:49]...)
	return signer{"v=MCPv1; k=ecdsap384; p=" + base64.StdEncoding.EncodeToString(compact), func(s string) []byte {
		sum := sha512.Sum384([]byte(s))
		r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 96)
		r.FillBytes(out[:48])
		v.FillBytes(out[48:])
		return out
	}}
}

func (s signer) request(domain string, at time.Time) SignedTime {
	text := at.UTC().Format(time.RFC3339)
	return SignedTime{Domain: domain, Timestamp: text, Signature: hex.EncodeToString(s.sign(text))}
}

// dns answers TXT questions.
func dns(t testing.TB, texts map[string][]string) *net.Resolver {
	t.Helper()
	_, resolver := nameserver.Start(t, nameserver.TXT(texts))
	return resolver
}

func clock(at time.Time) func() time.Time { return func() time.Time { return at } }

func TestDNS(t *testing.T) {
	old, key, curve, stranger := edwards(t), edwards(t), p384(t), edwards(t)
	d := &Domains{Now: clock(noon), Resolver: dns(t, map[string][]string{
		"example.com":   {"v=spf1 -all", old.record, key.record, curve.record},
		"bare.example":  {"v=spf1 -all", "MCPv1", "v=MCPv1; k=ed25519; p=AAAA", "v=MCPv1; k=rsa; p=" + strings.Repeat("A", 43) + "=", "x " + key.record},
		"empty.example": {},
	})}
	for name, s := range map[string]signer{"ed25519": key, "ecdsap384": curve} {
		for _, at := range []time.Time{noon, noon.Add(-15 * time.Second), noon.Add(15 * time.Second)} {
			p, err := d.DNS(t.Context(), s.request("Example.COM", at))
			if err != nil || !cmp.Equal(p.Namespaces, []string{"com.example"}) || p.Principal != "dns:example.com" || p.ID == "" || !p.Expires.After(at) {
				t.Errorf("%s: %+v %v", name, p, err)
			}
		}
	}
	one, _ := d.DNS(t.Context(), curve.request("example.com", noon))
	two, _ := d.DNS(t.Context(), curve.request("EXAMPLE.com", noon))
	if one.ID != two.ID {
		t.Error("two signatures over one time are two proofs")
	}
	good := key.request("example.com", noon)
	with := func(change func(*SignedTime)) SignedTime {
		s := good
		change(&s)
		return s
	}
	for name, tc := range map[string]struct {
		request SignedTime
		want    error
	}{
		"too early":             {key.request("example.com", noon.Add(-16*time.Second)), ErrTime},
		"too late":              {key.request("example.com", noon.Add(16*time.Second)), ErrTime},
		"no time":               {with(func(s *SignedTime) { s.Timestamp = "now" }), ErrTime},
		"endless time":          {with(func(s *SignedTime) { s.Timestamp = "2026-11-20T12:00:00." + strings.Repeat("0", 1000) + "Z" }), ErrTime},
		"another time":          {with(func(s *SignedTime) { s.Timestamp = "2026-11-20T12:00:01Z" }), ErrSignature},
		"another key":           {stranger.request("example.com", noon), ErrSignature},
		"signature cut":         {with(func(s *SignedTime) { s.Signature = s.Signature[:126] }), ErrSignature},
		"signature of nothing":  {with(func(s *SignedTime) { s.Signature = "" }), ErrSignature},
		"signature no hex":      {with(func(s *SignedTime) { s.Signature = "zz" }), ErrSignature},
		"signature of zeros":    {with(func(s *SignedTime) { s.Signature = strings.Repeat("0", 192) }), ErrSignature},
		"no usable record":      {key.request("bare.example", noon), ErrNoRecord},
		"no record":             {key.request("empty.example", noon), ErrLookup},
		"no such domain":        {key.request("nobody.example", noon), ErrLookup},
		"subdomain":             {key.request("api.example.com", noon), ErrLookup},
		"parent":                {key.request("com", noon), ErrDomain},
		"nothing":               {key.request("", noon), ErrDomain},
		"address":               {key.request("127.0.0.1", noon), ErrDomain},
		"address in hex":        {key.request("a.0x7f", noon), ErrDomain},
		"IPv6 address":          {key.request("::1", noon), ErrDomain},
		"port":                  {key.request("example.com:25", noon), ErrDomain},
		"path":                  {key.request("example.com/x", noon), ErrDomain},
		"user":                  {key.request("me@example.com", noon), ErrDomain},
		"trailing dot":          {key.request("example.com.", noon), ErrDomain},
		"space":                 {key.request("example.com ", noon), ErrDomain},
		"not ASCII":             {key.request("exаmple.com", noon), ErrDomain},
		"wildcard":              {key.request("*.example.com", noon), ErrDomain},
		"selector":              {key.request("_mcp.example.com", noon), ErrDomain},
		"too long":              {key.request(strings.Repeat("a.", 100)+"com", noon), ErrDomain},
		"GitHub Pages":          {key.request("acme.GitHub.io", noon), ErrDomain},
		"GitHub Pages for all":  {key.request("github.io", noon), ErrDomain},
		"deeper at GitHub":      {key.request("a.b.github.io", noon), ErrDomain},
		"null in the domain":    {key.request("example.com\x00.evil.example", noon), ErrDomain},
		"newline in the domain": {key.request("example.com\n", noon), ErrDomain},
	} {
		if p, err := d.DNS(t.Context(), tc.request); !errors.Is(err, tc.want) || p != nil {
			t.Errorf("%s: %+v %v; want %v", name, p, err, tc.want)
		}
	}
	if _, err := (&Domains{Now: clock(noon)}).DNS(t.Context(), good); !errors.Is(err, ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
}

// site is a web server for every domain, over TLS.
func site(t *testing.T, h http.HandlerFunc) *http.Client {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com"
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		if !strings.HasSuffix(address, ":443") {
			return nil, fmt.Errorf("asked at %s", address)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	return egress.Guard(transport)
}

func TestHTTP(t *testing.T) {
	key := edwards(t)
	var answer atomic.Pointer[http.HandlerFunc]
	serve := func(h http.HandlerFunc) { answer.Store(&h) }
	client := site(t, func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) })
	d := &Domains{Now: clock(noon), Client: client}
	asked := ""
	serve(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Host + r.URL.Path
		fmt.Fprintln(w, key.record)
	})
	p, err := d.HTTP(t.Context(), key.request("mcp.example.com", noon))
	if err != nil || !cmp.Equal(p.Namespaces, []string{"com.example.mcp"}) || p.Principal != "http:mcp.example.com" || asked != "mcp.example.com/.well-known/mcp-registry-auth" {
		t.Errorf("%+v %v, asked %s", p, err, asked)
	}
	for name, tc := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"no such page": {http.NotFound, ErrLookup},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/key", http.StatusFound)
		}, ErrLookup},
		"endless":       {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, key.record, strings.Repeat("\n", 5000)) }, ErrLookup},
		"a page":        {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>", key.record, "</html>") }, ErrNoRecord},
		"another's key": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, edwards(t).record) }, ErrSignature},
	} {
		serve(tc.serve)
		if p, err := d.HTTP(t.Context(), key.request("mcp.example.com", noon)); !errors.Is(err, tc.want) || p != nil {
			t.Errorf("%s: %+v %v; want %v", name, p, err, tc.want)
		}
	}
	// The dialer that the registry really uses reaches none of its own network.
	resolver := dns(t, map[string][]string{})
	d.Client = egress.Policy{}.Client(resolver)
	if _, err := d.HTTP(t.Context(), key.request("localhost.localdomain", noon)); !errors.Is(err, ErrLookup) {
		t.Errorf("local: %v", err)
	}
	if _, err := (&Domains{Now: clock(noon)}).HTTP(t.Context(), key.request("example.com", noon)); !errors.Is(err, ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(edwards(f).record)
	f.Add(p384(f).record)
	f.Add("v=MCPv1; k=ecdsap384; p=AgAA")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseRecord(text)
		if err != nil {
			return
		}
		if (key.p384 == nil) == (key.edwards == nil) {
			t.Errorf("%q: not one key", text)
		}
		if key.verifies([]byte("2026-11-20T12:00:00Z"), make([]byte, 96)) {
			t.Errorf("%q: zeros are a signature", text)
		}
	})
}
