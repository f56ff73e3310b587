package ownership

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// SignedTime is what the official tool sends: a time and its signature, in hex.
type SignedTime struct {
	Domain, Timestamp, Signature string
}

// Window is how far a timestamp may be from this clock.
const Window = 15 * time.Second

const (
	maxRecords    = 64
	maxRecord     = 4096
	lookupTimeout = 10 * time.Second
)

// Domains checks what domains publish. A zero Resolver or Client takes no proof
// of that kind.
type Domains struct {
	Resolver *net.Resolver
	Client   *http.Client // one that keeps off internal addresses
	Now      func() time.Time
}

// DNS proves the namespace of the domain by a TXT record at its apex. Exactly
// that namespace: a subdomain's is proven by its own record.
func (d *Domains) DNS(ctx context.Context, s SignedTime) (*Proof, error) {
	if d == nil || d.Resolver == nil {
		return nil, ErrDisabled
	}
	return d.check(ctx, "dns", s, func(ctx context.Context, domain string) ([]string, error) {
		return d.Resolver.LookupTXT(ctx, domain+".") // rooted: no search list of this host
	})
}

// HTTP proves the namespace of the domain by what its web server says under
// /.well-known/mcp-registry-auth, over TLS.
func (d *Domains) HTTP(ctx context.Context, s SignedTime) (*Proof, error) {
	if d == nil || d.Client == nil {
		return nil, ErrDisabled
	}
	return d.check(ctx, "http", s, func(ctx context.Context, domain string) ([]string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+domain+"/.well-known/mcp-registry-auth", nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "text/plain")
		resp, err := d.Client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxRecord+1))
		if err != nil || resp.StatusCode != http.StatusOK || len(body) > maxRecord {
			return nil, ErrLookup
		}
		return strings.Split(string(body), "\n"), nil
	})
}

// check reads the records only for somebody whose request could be right.
func (d *Domains) check(ctx context.Context, method string, s SignedTime, records func(context.Context, string) ([]string, error)) (*Proof, error) {
	domain, namespace, ok := reversed(s.Domain)
	if !ok {
		return nil, ErrDomain
	}
	at, err := time.Parse(time.RFC3339, s.Timestamp)
	if now := d.Now(); err != nil || len(s.Timestamp) > 64 || at.Before(now.Add(-Window)) || at.After(now.Add(Window)) {
		return nil, ErrTime
	}
	signature, err := hex.DecodeString(s.Signature)
	if err != nil || len(signature) > maxSignature {
		return nil, ErrSignature
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	texts, err := records(ctx, domain)
	if err != nil {
		return nil, ErrLookup
	}
	var keys []publicKey
	for _, text := range texts[:min(len(texts), maxRecords)] {
		if key, err := parseRecord(text); err == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, ErrNoRecord
	}
	if !slices.ContainsFunc(keys, func(k publicKey) bool { return k.verifies([]byte(s.Timestamp), signature) }) {
		return nil, ErrSignature
	}
	return &Proof{Principal: principal(method, domain), Namespaces: []string{namespace}, ID: digest(method, domain, s.Timestamp), Expires: at.Add(2 * Window)}, nil
}

var domainPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$`)

// reversed is a domain in lower case and the namespace that it stands for. No IP
// address is one, nor what is under github.io: whoever can write to the
// repository behind a page there is not the owner of io.github.NAME.
func reversed(s string) (domain, namespace string, ok bool) {
	domain = strings.ToLower(s)
	labels := strings.Split(domain, ".")
	switch last := labels[len(labels)-1]; {
	case len(domain) > 190, !domainPattern.MatchString(domain), strings.Trim(last, "0123456789") == "", strings.HasPrefix(last, "0x"):
		return "", "", false
	case domain == "github.io", strings.HasSuffix(domain, ".github.io"):
		return "", "", false
	}
	slices.Reverse(labels)
	return domain, strings.Join(labels, "."), true
}
