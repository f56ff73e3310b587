package ownership

import (
	"context"
	"crypto/rsa"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxKeySet  = 256 << 10
	keySetLife = 10 * time.Minute
	// keySetPause is between two attempts at the same source: a stranger's kid
	// does not make this registry ask the issuer for each token.
	keySetPause = 30 * time.Second
)

// keySet is an issuer's keys, read from a file or fetched, and kept for a while.
type keySet struct {
	source string
	client *http.Client
	now    func() time.Time

	mu   sync.Mutex
	keys []jose.JSONWebKey
	read time.Time // last attempt
	good time.Time // last success
}

// find returns the keys with that id. An unknown id and an old set are reasons
// to read it anew.
func (s *keySet) find(ctx context.Context, kid string) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	found := s.with(kid)
	stale := s.good.IsZero() || now.Sub(s.good) > keySetLife
	if (stale || len(found) == 0) && (s.read.IsZero() || now.Sub(s.read) >= keySetPause) {
		s.read = now
		if keys, err := s.load(ctx); err == nil {
			s.keys, s.good = keys, now
		}
		found = s.with(kid)
	}
	switch {
	case s.good.IsZero() || now.Sub(s.good) > 2*keySetLife:
		return nil, ErrKeys // a key that its issuer withdrew is not believed for ever
	case len(found) == 0:
		return nil, ErrToken
	}
	return found, nil
}

func (s *keySet) with(kid string) (found []jose.JSONWebKey) {
	for _, k := range s.keys {
		if k.KeyID == kid {
			found = append(found, k)
		}
	}
	return found
}

func (s *keySet) load(ctx context.Context) ([]jose.JSONWebKey, error) {
	raw, err := s.bytes(ctx)
	if err != nil || len(raw) > maxKeySet {
		return nil, ErrKeys
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, ErrKeys
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && k.Valid() && !weak(k) { // kinds of key that are not known here are skipped (RFC 7517 §5)
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// weak keys are those that RFC 8725 §3.5 (by way of RFC 7518 §3.3) does not let
// sign.
func weak(k jose.JSONWebKey) bool {
	key, isRSA := k.Key.(*rsa.PublicKey)
	return isRSA && key.N.BitLen() < 2048
}

func (s *keySet) bytes(ctx context.Context) ([]byte, error) {
	if !strings.HasPrefix(s.source, "https://") {
		f, err := os.Open(s.source)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, maxKeySet+1))
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.source, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, ErrKeys
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
}
