package ownership

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

const (
	actions  = "https://token.actions.example"
	audience = "https://registry.acme.example"
)

// idp is an identity provider.
type idp struct {
	t    *testing.T
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	file string
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	p := &idp{t: t, file: filepath.Join(t.TempDir(), "jwks.json")}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.publish(jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "rsa", Use: "sig"}, jose.JSONWebKey{Key: &p.ec.PublicKey, KeyID: "ec", Algorithm: "ES256"},
		jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "enc", Use: "enc"})
	return p
}

func (p *idp) set(keys ...jose.JSONWebKey) []byte {
	p.t.Helper()
	var parts []string
	for _, k := range keys {
		b, err := k.MarshalJSON()
		if err != nil {
			p.t.Fatal(err)
		}
		parts = append(parts, string(b))
	}
	return []byte(`{"keys":[{"kty":"unheard-of"},` + strings.Join(parts, ",") + `]}`)
}

func (p *idp) publish(keys ...jose.JSONWebKey) {
	p.t.Helper()
	if err := os.WriteFile(p.file, p.set(keys...), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *idp) token(alg jose.SignatureAlgorithm, key any, kid string, payload []byte) string {
	p.t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func payload(t *testing.T, change map[string]any) []byte {
	t.Helper()
	all := map[string]any{
		"iss": actions, "aud": audience, "sub": "repo:Acme/weather:ref:refs/heads/main", "repository_owner": "Acme", "environment": "release",
		"iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(5 * time.Minute).Unix(),
	}
	maps.Copy(all, change)
	for name, v := range change {
		if v == nil {
			delete(all, name)
		}
	}
	b, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (p *idp) issuer() Issuer {
	return Issuer{Issuer: actions, JWKS: p.file, Audience: audience, Algorithms: []string{"RS256", "ES256"}, Namespaces: []string{"io.github.{repository_owner}"}}
}

func tokens(t *testing.T, client *http.Client, now func() time.Time, issuers ...Issuer) *Tokens {
	t.Helper()
	v, err := NewTokens(issuers, client, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestToken(t *testing.T) {
	p := newIDP(t)
	other := p.issuer()
	other.Issuer, other.Namespaces, other.Claims = "https://sso.acme.example", []string{"com.acme"}, map[string][]string{"groups": {"mcp-publishers"}}
	v := tokens(t, nil, clock(noon), p.issuer(), other)
	good := p.token(jose.RS256, p.rsa, "rsa", payload(t, nil))
	proof, err := v.Verify(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"io.github.Acme", "io.github.acme"}, proof.Namespaces); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(proof.Principal, "oidc:") || !strings.HasSuffix(proof.Principal, ":repo:Acme/weather:ref:refs/heads/main") || !proof.Expires.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("%+v", proof)
	}
	// An ECDSA signature has a second form: the same proof.
	one, err1 := v.Verify(t.Context(), p.token(jose.ES256, p.ec, "ec", payload(t, nil)))
	two, err2 := v.Verify(t.Context(), p.token(jose.ES256, p.ec, "ec", payload(t, nil)))
	if err1 != nil || err2 != nil || one.ID != two.ID || one.ID == proof.ID {
		t.Errorf("%v %v", err1, err2)
	}
	sso := map[string]any{"iss": "https://sso.acme.example", "groups": []string{"staff", "mcp-publishers"}, "sub": "auth0|5f|x", "aud": []string{"other", audience}}
	if proof, err = v.Verify(t.Context(), p.token(jose.RS256, p.rsa, "rsa", payload(t, sso))); err != nil || !cmp.Equal(proof.Namespaces, []string{"com.acme"}) || strings.ContainsAny(proof.Principal, "|") {
		t.Errorf("%+v %v", proof, err)
	}

	strangers := newIDP(t)
	parts := strings.Split(good, ".")
	modulus := p.rsa.PublicKey.N.Bytes()
	header := func(h string) string { return base64.RawURLEncoding.EncodeToString([]byte(h)) }
	for name, tc := range map[string]struct {
		token string
		want  error
	}{
		"nothing":                {"", ErrToken},
		"no token":               {"a.b.c", ErrToken},
		"five parts":             {good + ".x.y", ErrToken},
		"huge":                   {good + strings.Repeat("A", maxToken), ErrToken},
		"signature cut":          {good[:len(good)-4], ErrToken},
		"another's signature":    {strangers.token(jose.RS256, strangers.rsa, "rsa", payload(t, nil)), ErrToken},
		"payload swapped":        {parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload(t, map[string]any{"repository_owner": "victim"})) + "." + parts[2], ErrToken},
		"alg none":               {header(`{"alg":"none","kid":"rsa"}`) + "." + parts[1] + ".", ErrToken},
		"alg none with signed":   {header(`{"alg":"none","kid":"rsa"}`) + "." + parts[1] + "." + parts[2], ErrToken},
		"HMAC of the public key": {p.token(jose.HS256, modulus, "rsa", payload(t, nil)), ErrToken},
		"algorithm not allowed":  {p.token(jose.PS256, p.rsa, "rsa", payload(t, nil)), ErrToken},
		"key of another alg":     {p.token(jose.RS256, p.rsa, "ec", payload(t, nil)), ErrToken},
		"key for encryption":     {p.token(jose.RS256, p.rsa, "enc", payload(t, nil)), ErrToken},
		"unknown kid":            {p.token(jose.RS256, p.rsa, "new", payload(t, nil)), ErrToken},
		"no kid":                 {p.token(jose.RS256, p.rsa, "", payload(t, nil)), ErrToken},
		"another issuer":         {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iss": actions + "/"})), ErrToken},
		"no issuer":              {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iss": nil})), ErrToken},
		"another audience":       {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"aud": "https://registry.other.example"})), ErrToken},
		"no audience":            {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"aud": nil})), ErrToken},
		"audience a number":      {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"aud": 1})), ErrToken},
		"expired":                {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"exp": noon.Unix()})), ErrToken},
		"no expiry":              {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"exp": nil})), ErrToken},
		"expiry a text":          {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"exp": "2099"})), ErrToken},
		"good for a year":        {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"exp": noon.Add(365 * 24 * time.Hour).Unix()})), ErrToken},
		"of tomorrow":            {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iat": noon.Add(5 * time.Minute).Unix()})), ErrToken},
		"not yet":                {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"nbf": noon.Add(5 * time.Minute).Unix()})), ErrToken},
		"no subject":             {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"sub": nil})), ErrToken},
		"duplicate claim":        {p.token(jose.RS256, p.rsa, "rsa", []byte(strings.Replace(string(payload(t, nil)), "{", `{"repository_owner":"victim",`, 1))), ErrToken},
		"claims no object":       {p.token(jose.RS256, p.rsa, "rsa", []byte(`[]`)), ErrToken},
		"no owner":               {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"repository_owner": nil})), ErrClaims},
		"owner of two labels":    {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"repository_owner": "acme.evil"})), ErrClaims},
		"owner with a slash":     {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"repository_owner": "acme/x"})), ErrClaims},
		"owner everybody":        {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"repository_owner": "*"})), ErrClaims},
		"owner a list":           {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"repository_owner": []string{"acme"}})), ErrClaims},
		"not in the group":       {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iss": "https://sso.acme.example", "groups": []string{"staff"}})), ErrClaims},
		"no groups":              {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iss": "https://sso.acme.example"})), ErrClaims},
		"groups an object":       {p.token(jose.RS256, p.rsa, "rsa", payload(t, map[string]any{"iss": "https://sso.acme.example", "groups": map[string]any{"mcp-publishers": 1}})), ErrClaims},
	} {
		if proof, err := v.Verify(t.Context(), tc.token); !errors.Is(err, tc.want) || proof != nil {
			t.Errorf("%s: %+v %v; want %v", name, proof, err, tc.want)
		}
	}
	if _, err := (*Tokens)(nil).Verify(t.Context(), good); !errors.Is(err, ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
}

// TestKeyRotation: new keys are found, keys that are gone are forgotten, and a
// stranger's key ids do not make the registry ask without end.
func TestKeyRotation(t *testing.T) {
	p := newIDP(t)
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	var body atomic.Pointer[[]byte]
	serve := func(b []byte) { body.Store(&b) }
	client := site(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if b := *body.Load(); b != nil {
			w.Write(b)
		} else {
			http.Redirect(w, &http.Request{Method: "GET"}, "https://elsewhere.example/", http.StatusFound)
		}
	})
	now := noon
	issuer := p.issuer()
	issuer.JWKS = "https://keys.example.com/jwks"
	v := tokens(t, client, func() time.Time { return now }, issuer)
	verify := func(key crypto.PrivateKey, kid string) error {
		at := map[string]any{"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
		_, err := v.Verify(t.Context(), p.token(jose.RS256, key, kid, payload(t, at)))
		return err
	}
	want := func(what string, got, want error, questions int64) {
		t.Helper()
		if !errors.Is(got, want) || asked.Load() != questions {
			t.Errorf("%s: %v after %d questions; want %v after %d", what, got, asked.Load(), want, questions)
		}
	}
	serve(nil)
	want("a redirect", verify(p.rsa, "rsa"), ErrKeys, 1)
	serve(p.set(jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "rsa"}))
	want("at once again", verify(p.rsa, "rsa"), ErrKeys, 1)
	now = now.Add(keySetPause)
	want("published", verify(p.rsa, "rsa"), nil, 2)
	want("kept", verify(p.rsa, "rsa"), nil, 2)
	serve(p.set(jose.JSONWebKey{Key: &next.PublicKey, KeyID: "next"}))
	for range 5 {
		want("a stranger's id", verify(next, "next"), ErrToken, 2)
	}
	now = now.Add(keySetPause)
	want("rotated", verify(next, "next"), nil, 3)
	want("gone", verify(p.rsa, "rsa"), ErrToken, 3)
	serve(nil)
	now = now.Add(keySetLife + time.Second)
	want("kept while the issuer is away", verify(next, "next"), nil, 4)
	now = now.Add(keySetLife)
	want("not for ever", verify(next, "next"), ErrKeys, 5)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	serve(p.set(jose.JSONWebKey{Key: &small.PublicKey, KeyID: "small"}))
	now = now.Add(keySetPause)
	want("too small a key", verify(small, "small"), ErrToken, 6)
}

func TestIssuerValidate(t *testing.T) {
	good := Issuer{Issuer: "https://sso.example", JWKS: "keys.json", Audience: "x", Namespaces: []string{"com.example.{team}"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Issuer){
		"no issuer":         func(i *Issuer) { i.Issuer = "" },
		"no keys":           func(i *Issuer) { i.JWKS = "" },
		"keys in plain":     func(i *Issuer) { i.JWKS = "http://sso.example/jwks" },
		"no audience":       func(i *Issuer) { i.Audience = "" },
		"no namespaces":     func(i *Issuer) { i.Namespaces = nil },
		"HMAC":              func(i *Issuer) { i.Algorithms = []string{"HS256"} },
		"none":              func(i *Issuer) { i.Algorithms = []string{"none"} },
		"claim alone":       func(i *Issuer) { i.Namespaces = []string{"{team}"} },
		"claim first":       func(i *Issuer) { i.Namespaces = []string{"{a}.{b}"} },
		"claim in a label":  func(i *Issuer) { i.Namespaces = []string{"com.x{team}"} },
		"wildcard":          func(i *Issuer) { i.Namespaces = []string{"com.*"} },
		"everybody's":       func(i *Issuer) { i.Namespaces = []string{"com.example"} },
		"one of them so":    func(i *Issuer) { i.Namespaces = append(i.Namespaces, "com.example") },
		"trailing dot":      func(i *Issuer) { i.Namespaces = []string{"com.example."} },
		"one label":         func(i *Issuer) { i.Namespaces = []string{"com"} },
		"malformed key URL": func(i *Issuer) { i.JWKS = "https://%zz" },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"a","aud":["b"],"exp":1.5,"sub":"c"}`))
	f.Add([]byte(`{"aud":null,"exp":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseClaims(raw)
		if err == nil && c.timely(noon) && c.expires.Before(noon) {
			t.Errorf("%q is timely", raw)
		}
	})
}
