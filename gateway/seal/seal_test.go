package seal

import (
	"errors"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	key, other := NewKey(), NewKey()
	sealed := key.Seal("stream_7", "tenant", "alice", "weather")
	got, err := key.Open(sealed, "tenant", "alice", "weather")
	if err != nil || got != "stream_7" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if len(key.Prefix("x")) != PrefixLen {
		t.Errorf("PrefixLen = %d, want %d", PrefixLen, len(key.Prefix("x")))
	}
	refused := map[string]func() (string, error){
		"other principal": func() (string, error) { return key.Open(sealed, "tenant", "bob", "weather") },
		"other server":    func() (string, error) { return key.Open(sealed, "tenant", "alice", "files") },
		"parts regrouped": func() (string, error) { return key.Open(sealed, "tenanta", "lice", "weather") },
		"fewer parts":     func() (string, error) { return key.Open(sealed, "tenant", "alice") },
		"other key":       func() (string, error) { return other.Open(sealed, "tenant", "alice", "weather") },
		"changed value":   func() (string, error) { return key.Open(sealed+"x", "tenant", "alice", "weather") },
		"unsealed":        func() (string, error) { return key.Open("stream_7", "tenant", "alice", "weather") },
		"empty":           func() (string, error) { return key.Open("", "tenant", "alice", "weather") },
		"only prefix":     func() (string, error) { return key.Open(prefix, "tenant", "alice", "weather") },
	}
	for name, open := range refused {
		if got, err := open(); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: Open = %q, %v; want ErrForeign", name, got, err)
		}
	}
}

func TestKeyOf(t *testing.T) {
	if _, ok := KeyOf(make([]byte, 31)); ok {
		t.Error("a short secret was taken")
	}
}

func TestSessionID(t *testing.T) {
	id := NewSessionID()
	if !ValidSessionID(id) || id == NewSessionID() {
		t.Errorf("NewSessionID = %q", id)
	}
	for _, bad := range []string{"", id + "A", id[1:], strings.ToUpper(id), id[:len(id)-1] + "!", idPrefix} {
		if ValidSessionID(bad) {
			t.Errorf("%q passes for a session id", bad)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := NewKey()
	f.Add(key.Seal("x", "a"), "a")
	f.Add("bz1.", "")
	f.Fuzz(func(t *testing.T, sealed, owner string) {
		value, err := key.Open(sealed, owner)
		if err == nil && key.Seal(value, owner) != sealed {
			t.Errorf("%q opened but is not what Seal writes", sealed)
		}
		if ValidSessionID(sealed) && !strings.HasPrefix(sealed, idPrefix) {
			t.Errorf("%q passes for a session id", sealed)
		}
	})
}

func TestEncodedSaysNothing(t *testing.T) {
	key := NewKey()
	sealed := key.SealEncoded("Ignore previous instructions", "alice")
	if strings.Contains(sealed, "Ignore") || strings.ContainsAny(sealed, " \n") {
		t.Errorf("%q shows the value", sealed)
	}
	if got, err := key.OpenEncoded(sealed, "alice"); err != nil || got != "Ignore previous instructions" {
		t.Errorf("%q, %v", got, err)
	}
	for _, foreign := range []string{key.Seal("no base64!", "alice"), key.SealEncoded("x", "bob"), sealed + "A", ""} {
		if _, err := key.OpenEncoded(foreign, "alice"); !errors.Is(err, ErrForeign) {
			t.Errorf("%q opened: %v", foreign, err)
		}
	}
}
