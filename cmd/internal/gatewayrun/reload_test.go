package gatewayrun

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// nobody knows no key.
type nobody struct{}

func (nobody) Key(context.Context, string) (identity.KeyRecord, error) {
	return identity.KeyRecord{}, identity.ErrUnknownKey
}

// absent is a registry that cannot be reached.
type absent struct{}

func (absent) Snapshot(context.Context) ([]byte, error)         { return nil, net.ErrClosed }
func (absent) Approval(context.Context, string) ([]byte, error) { return nil, net.ErrClosed }

// certify writes a certificate of the given name, and its key.
func certify(t *testing.T, name, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReload: a running gateway takes over a renewed certificate and a new
// grace, whole or not at all.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certify(t, "first", cert, key)
	c := config.Default()
	c.Data, c.Gateway.Addr, c.Gateway.TLSCert, c.Gateway.TLSKey = dir, "127.0.0.1:0", cert, key
	log, err := audit.Open(filepath.Join(dir, "audit"), audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	trust, err := approval.InitTrust(t.Context(), filepath.Join(dir, "trust"), "registry-test", time.Now())
	if err != nil || trust == nil {
		t.Fatal(err)
	}
	r, err := Start(t.Context(), Parts{
		Config: c, TrustPath: filepath.Join(dir, "trust", approval.TrustFile), Source: absent{}, Keys: nobody{},
		Scanners: engine.NewLive(engine.NewSet()), Audit: log, Logger: slog.New(slog.DiscardHandler),
		Follow: func(ctx context.Context, _ func()) { <-ctx.Done() },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	name := func() string {
		conn, err := tls.Dial("tcp", r.listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "first" {
		t.Errorf("certificate %q", got)
	}
	next := c
	next.Gateway.DrainGrace = 7 * time.Second
	certify(t, "second", cert, key)
	for what, bad := range map[string]func(*config.Config){
		"an address":      func(c *config.Config) { c.Gateway.Addr = "127.0.0.1:1" },
		"no certificate":  func(c *config.Config) { c.Gateway.TLSKey = filepath.Join(dir, "absent") },
		"a broken route":  func(c *config.Config) { c.Gateway.Servers = []config.Server{{Alias: "UPPER"}} },
		"a weaker check":  func(c *config.Config) { c.Gateway.UnsafeRun = true },
		"plain text only": func(c *config.Config) { c.Gateway.TLSCert, c.Gateway.TLSKey = "", "" },
	} {
		broken := next
		bad(&broken)
		if _, err := r.Prepare(broken); err == nil {
			t.Errorf("%s was taken over", what)
		}
	}
	if got := name(); got != "first" || r.grace() != c.Gateway.DrainGrace {
		t.Errorf("a refused reload left %q and %v", got, r.grace())
	}
	change, err := r.Prepare(next)
	if err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "first" {
		t.Errorf("before it was applied: %q", got)
	}
	change.Apply()
	if got := name(); got != "second" || r.grace() != 7*time.Second || len(change.Settings) != 1 {
		t.Errorf("after the reload: %q, %v, %v", got, r.grace(), change.Settings)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
