package identity

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// shelf is a KeySource in memory.
type shelf map[string]KeyRecord

func (s shelf) Key(_ context.Context, id string) (KeyRecord, error) {
	if rec, ok := s[id]; ok {
		return rec, nil
	}
	return KeyRecord{}, ErrUnknownKey
}

func issue(t *testing.T, s shelf, change func(*KeyRecord)) (token string, rec KeyRecord) {
	t.Helper()
	token, rec, err := NewKey(KeySpec{
		Principal: "ann", Roles: []string{RolePublisher}, Namespaces: []string{"io.github.acme"},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&rec)
	}
	s[rec.ID] = rec
	return token, rec
}

func TestAuthenticate(t *testing.T) {
	keys := shelf{}
	token, rec := issue(t, keys, nil)
	got, err := Authenticate(t.Context(), keys, "Bearer "+token, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := Caller{
		Tenant: DefaultTenant, Principal: "ann", Kind: KindUser, KeyID: rec.ID,
		Roles: []string{RolePublisher}, Namespaces: []string{"io.github.acme"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	keys := shelf{}
	token, rec := issue(t, keys, nil)
	other, _ := issue(t, keys, nil)
	revoked, _ := issue(t, keys, func(r *KeyRecord) { at := noon.Add(24 * time.Hour); r.Revoked = &at })
	expired, _ := issue(t, keys, func(r *KeyRecord) { r.Expires = noon })
	eternal, _ := issue(t, keys, func(r *KeyRecord) { r.Expires = time.Time{} })
	hashless, _ := issue(t, keys, func(r *KeyRecord) { r.Hash = "" })
	both, _ := issue(t, keys, func(r *KeyRecord) { r.Expires = noon; r.Revoked = &noon })
	unknown, _, err := NewKey(KeySpec{Principal: "eve", Roles: []string{RoleAdmin}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	mixed := token[:len(tokenPrefix)+idChars] + other[len(tokenPrefix)+idChars:]
	wrongExpired := expired[:len(expired)-1] + flip(expired[len(expired)-1])

	for name, tt := range map[string]struct {
		header string
		want   error
	}{
		"nothing":                   {"", ErrNoCredential},
		"unknown key":               {"Bearer " + unknown, ErrInvalid},
		"another key's secret":      {"Bearer " + mixed, ErrInvalid},
		"last character differs":    {"Bearer " + token[:len(token)-1] + flip(token[len(token)-1]), ErrInvalid},
		"id only":                   {"Bearer " + token[:len(tokenPrefix)+idChars+1], ErrInvalid},
		"hash instead of secret":    {"Bearer " + tokenPrefix + rec.ID + "_" + rec.Hash[:secretChars], ErrInvalid},
		"record without hash":       {"Bearer " + hashless, ErrInvalid},
		"upper case":                {"Bearer " + strings.ToUpper(token), ErrInvalid},
		"two spaces":                {"Bearer  " + token, ErrInvalid},
		"tab":                       {"Bearer\t" + token, ErrInvalid},
		"trailing space":            {"Bearer " + token + " ", ErrInvalid},
		"leading space":             {" Bearer " + token, ErrInvalid},
		"trailing newline":          {"Bearer " + token + "\n", ErrInvalid},
		"NUL":                       {"Bearer " + token[:20] + "\x00" + token[21:], ErrInvalid},
		"no scheme":                 {token, ErrInvalid},
		"scheme only":               {"Bearer", ErrInvalid},
		"empty token":               {"Bearer ", ErrInvalid},
		"Basic":                     {"Basic " + token, ErrInvalid},
		"two credentials":           {"Bearer " + token + ", Bearer " + token, ErrInvalid},
		"very long":                 {"Bearer " + strings.Repeat("a", 1<<20), ErrInvalid},
		"revoked, though in future": {"Bearer " + revoked, ErrRevoked},
		"expired this instant":      {"Bearer " + expired, ErrExpired},
		"never expires":             {"Bearer " + eternal, ErrExpired},
		"revoked and expired":       {"Bearer " + both, ErrRevoked},
		"expired, and wrong secret": {"Bearer " + wrongExpired, ErrInvalid},
	} {
		got, err := Authenticate(t.Context(), keys, tt.header, noon)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if diff := cmp.Diff(Caller{}, got); diff != "" {
			t.Errorf("%s: refused, yet there is a caller: %s", name, diff)
		}
		var denied *DeniedError
		if named := errors.As(err, &denied); named != (tt.want == ErrRevoked || tt.want == ErrExpired) {
			t.Errorf("%s: names a principal: %t", name, named)
		} else if named && denied.Caller.Principal != "ann" {
			t.Errorf("%s: names %q", name, denied.Caller.Principal)
		}
		for _, secret := range []string{token, other, revoked, expired} {
			if err != nil && strings.Contains(err.Error(), secret[len(tokenPrefix)+idChars+1:]) {
				t.Errorf("%s: the error shows the secret", name)
			}
		}
	}
	if _, err := Authenticate(t.Context(), keys, "bearer "+token, noon); err != nil {
		t.Errorf("the scheme is matched with regard to case: %v", err)
	}
}

// flip returns another base32 character.
func flip(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

type brokenSource struct{}

func (brokenSource) Key(context.Context, string) (KeyRecord, error) {
	return KeyRecord{}, errors.New("database is down")
}

func TestSourceFailureKeepsCallersOut(t *testing.T) {
	token, _ := issue(t, shelf{}, nil)
	if c, err := Authenticate(t.Context(), brokenSource{}, "Bearer "+token, noon); !errors.Is(err, ErrUnavailable) || c.Principal != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

// sameForAll is a source that confuses its keys.
type sameForAll KeyRecord

func (s sameForAll) Key(context.Context, string) (KeyRecord, error) { return KeyRecord(s), nil }

func TestConfusedSourceLogsNobodyIn(t *testing.T) {
	keys := shelf{}
	token, rec := issue(t, keys, nil)
	rec.ID = "aaaaaaaaaaaaaaaa"
	if _, err := Authenticate(t.Context(), sameForAll(rec), "Bearer "+token, noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

func TestTokensAreUniqueAndStrong(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		token, rec, err := NewKey(KeySpec{Principal: "ann", Roles: []string{RoleAgent}}, noon)
		if err != nil {
			t.Fatal(err)
		}
		secret := token[len(tokenPrefix)+idChars+1:]
		raw, err := encoding.DecodeString(secret)
		if err != nil || len(raw) != 32 {
			t.Fatalf("secret of %d bytes, %v", len(raw), err)
		}
		if id, ok := keyID(token); !ok || id != rec.ID {
			t.Fatalf("%q does not parse", token)
		}
		if seen[rec.ID] || seen[secret] || strings.Contains(rec.Hash, secret) || len(rec.Hash) != 64 {
			t.Fatal("id or secret repeated, or the record holds the secret")
		}
		seen[rec.ID], seen[secret] = true, true
	}
}

func TestNewKeyRefuses(t *testing.T) {
	good := KeySpec{Principal: "ann", Roles: []string{RoleAgent}}
	for name, spoil := range map[string]func(*KeySpec){
		"no principal":       func(s *KeySpec) { s.Principal = "" },
		"control character":  func(s *KeySpec) { s.Principal = "ann\nroot" },
		"long principal":     func(s *KeySpec) { s.Principal = strings.Repeat("a", 129) },
		"no role":            func(s *KeySpec) { s.Roles = nil },
		"unknown role":       func(s *KeySpec) { s.Roles = []string{"root"} },
		"role in upper case": func(s *KeySpec) { s.Roles = []string{"Admin"} },
		"unknown kind":       func(s *KeySpec) { s.Kind = "ghost" },
		"tenant with slash":  func(s *KeySpec) { s.Tenant = "a/b" },
		"tenant newline":     func(s *KeySpec) { s.Tenant = "default\n" },
		"namespace pattern":  func(s *KeySpec) { s.Namespaces = []string{"io.github.*"} },
		"empty namespace":    func(s *KeySpec) { s.Namespaces = []string{""} },
		"negative lifetime":  func(s *KeySpec) { s.Lifetime = -time.Hour },
		"too long":           func(s *KeySpec) { s.Lifetime = MaxLifetime + 1 },
	} {
		spec := good
		spoil(&spec)
		if token, rec, err := NewKey(spec, noon); !errors.Is(err, ErrSpec) || token != "" || rec.ID != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, rec, err := NewKey(good, noon)
	if err != nil || !rec.Expires.Equal(noon.Add(DefaultLifetime)) || rec.Tenant != DefaultTenant || rec.Kind != KindUser {
		t.Errorf("%+v, %v", rec, err)
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	keys := shelf{}
	token, rec := issue(t, keys, nil)
	caller, err := AuthenticateToken(t.Context(), keys, token, noon)
	if err != nil {
		t.Fatal(err)
	}
	caller.Attributes = map[string]string{"mail": "ann@example.org"}
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("login", "caller", caller, "key", rec, "pointer", &rec)
	out := b.String()
	for _, secret := range []string{token, token[len(tokenPrefix)+idChars+1:], rec.Hash, "ann@example.org"} {
		if strings.Contains(out, secret) {
			t.Errorf("the log shows %q: %s", secret, out)
		}
	}
	if !strings.Contains(out, `"principal":"ann"`) {
		t.Errorf("the log does not say who: %s", out)
	}
}

func TestKeyRecordTravelsAsJSON(t *testing.T) {
	_, rec := issue(t, shelf{}, func(r *KeyRecord) { at := noon; r.Revoked = &at })
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	var got KeyRecord
	if err := json.Unmarshal(b, &got, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Error(diff)
	}
}

func TestCallerIsACopy(t *testing.T) {
	_, rec := issue(t, shelf{}, nil)
	rec.Caller().Roles[0] = RoleAdmin
	if slices.Contains(rec.Roles, RoleAdmin) {
		t.Error("changing a caller's roles changes its key")
	}
}

func TestOwnsNamespace(t *testing.T) {
	c := Caller{Namespaces: []string{"io.github.acme"}}
	for ns, want := range map[string]bool{"io.github.acme": true, "io.github": false, "io.github.acme.sub": false, "io.github.Acme": false, "": false, "*": false} {
		if got := c.OwnsNamespace(ns); got != want {
			t.Errorf("%q: %t", ns, got)
		}
	}
	all := Caller{Namespaces: []string{AnyNamespace}}
	if !all.OwnsNamespace("org.example") || all.OwnsNamespace("") {
		t.Error("the wildcard does not mean every real namespace")
	}
	if (Caller{}).OwnsNamespace("org.example") || (Caller{}).HasRole(RoleAdmin) || !(Caller{Roles: []string{RoleAgent}}).HasRole(RoleAdmin, RoleAgent) {
		t.Error("roles")
	}
}

func TestOneAuthorization(t *testing.T) {
	h := http.Header{}
	if _, err := OneAuthorization(h.Values("Authorization")); !errors.Is(err, ErrNoCredential) {
		t.Errorf("none: %v", err)
	}
	h.Add("authorization", "Bearer a")
	if v, err := OneAuthorization(h.Values("Authorization")); v != "Bearer a" || err != nil {
		t.Errorf("one: %q, %v", v, err)
	}
	h.Add("Authorization", "Bearer b")
	if _, err := OneAuthorization(h.Values("Authorization")); !errors.Is(err, ErrInvalid) {
		t.Errorf("two: %v", err)
	}
}

func FuzzAuthenticate(f *testing.F) {
	keys := shelf{}
	token, rec, err := NewKey(KeySpec{Principal: "ann", Roles: []string{RoleAgent}}, noon)
	if err != nil {
		f.Fatal(err)
	}
	keys[rec.ID] = rec
	f.Add("Bearer " + token)
	f.Add("bearer bz_aaaaaaaaaaaaaaaa_")
	f.Add("Basic Zm9v")
	f.Fuzz(func(t *testing.T, header string) {
		c, err := Authenticate(t.Context(), keys, header, noon)
		right := len(header) == len("Bearer ")+len(token) && strings.EqualFold(header[:7], "Bearer ") && header[7:] == token
		if (err == nil) != right {
			t.Fatalf("%q: %v", header, err)
		}
		if err != nil && (c.Principal != "" || c.Tenant != "") {
			t.Fatalf("refused, yet %+v", c)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	keys := shelf{}
	token, rec, err := NewKey(KeySpec{Principal: "ann", Roles: []string{RoleAgent}}, noon)
	if err != nil {
		b.Fatal(err)
	}
	keys[rec.ID] = rec
	header := "Bearer " + token
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Authenticate(b.Context(), keys, header, noon); err != nil {
			b.Fatal(err)
		}
	}
}
