package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// authority is a certificate with its key.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newRoot(t testing.TB, name string, began time.Time) authority {
	t.Helper()
	return authority{}.issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"test"}}, NotBefore: began, NotAfter: began.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	})
}

func (a authority) intermediate(t testing.TB, name string, usage x509.ExtKeyUsage) authority {
	t.Helper()
	return a.issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"test"}}, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: []x509.ExtKeyUsage{usage}, BasicConstraintsValid: true, IsCA: true,
	})
}

// stamper is a timestamp authority's own certificate (RFC 3161 section 2.3:
// the extended key usage is critical and the only one).
func (a authority) stamper(t testing.TB) authority {
	t.Helper()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	return a.issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "time", Organization: []string{"test"}}, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	})
}

// issue signs a certificate for a new key; the zero authority signs it with
// that key itself.
func (a authority) issue(t testing.TB, template *x509.Certificate) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, parent := a.key, a.cert
	if signer == nil {
		signer, parent = key, template
	}
	cert, err := certify(template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key, cert}
}

func certify(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	if template.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			return nil, err
		}
		template.SerialNumber = serial
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// stamp answers an RFC 3161 query about a digest.
func (a authority) stamp(digest []byte, hash crypto.Hash, at time.Time, nonce *big.Int, certificates bool) ([]byte, error) {
	ts := timestamp.Timestamp{
		HashAlgorithm: hash, HashedMessage: digest, Time: at, Nonce: nonce,
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}, AddTSACertificate: certificates,
	}
	return ts.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
}

// Holder is who a certificate names.
type Holder struct {
	SAN    string // a URI if it has a scheme, else an e-mail address
	Issuer string // OIDC issuer
	// Build holds what a build service's token says: source, workflow, runner.
	Build certificate.Extensions
}

// certificate issues a short-lived certificate, logged unless unlogged.
func (s *Sigstore) certificate(h Holder, public crypto.PublicKey, from time.Time, life time.Duration, unlogged bool) (*x509.Certificate, error) {
	extensions, err := h.extensions()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		NotBefore: from, NotAfter: from.Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, ExtraExtensions: extensions,
	}
	if strings.Contains(h.SAN, "://") {
		u, err := url.Parse(h.SAN)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{u}
	} else {
		template.EmailAddresses = []string{h.SAN}
	}
	cert, err := certify(template, s.issuer.cert, public, s.issuer.key)
	if err != nil || unlogged {
		return cert, err
	}
	// A certificate without the timestamp is what the log signs; the same with
	// it is issued (RFC 6962 section 3.2).
	sct, err := s.logged(cert, from)
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(slices.Clone(extensions), sct)
	return certify(template, s.issuer.cert, public, s.issuer.key)
}

func (h Holder) extensions() ([]pkix.Extension, error) {
	b := h.Build
	var out []pkix.Extension
	for _, e := range []struct {
		id    asn1.ObjectIdentifier
		value string
	}{
		{certificate.OIDIssuerV2, h.Issuer}, {certificate.OIDBuildSignerURI, b.BuildSignerURI}, {certificate.OIDBuildSignerDigest, b.BuildSignerDigest},
		{certificate.OIDRunnerEnvironment, b.RunnerEnvironment}, {certificate.OIDSourceRepositoryURI, b.SourceRepositoryURI},
		{certificate.OIDSourceRepositoryDigest, b.SourceRepositoryDigest}, {certificate.OIDSourceRepositoryRef, b.SourceRepositoryRef},
		{certificate.OIDBuildConfigURI, b.BuildConfigURI}, {certificate.OIDBuildTrigger, b.BuildTrigger}, {certificate.OIDRunInvocationURI, b.RunInvocationURI},
	} {
		if e.value == "" {
			continue
		}
		value, err := asn1.MarshalWithParams(e.value, "utf8")
		if err != nil {
			return nil, err
		}
		out = append(out, pkix.Extension{Id: e.id, Value: value})
	}
	return out, nil
}

// logged makes the signed certificate timestamp of RFC 6962 section 3.3.
func (s *Sigstore) logged(cert *x509.Certificate, at time.Time) (pkix.Extension, error) {
	issuer := sha256.Sum256(s.issuer.cert.RawSubjectPublicKeyInfo)
	tbs := cert.RawTBSCertificate
	var in bytes.Buffer
	in.Write([]byte{0, 0}) // version 1, certificate_timestamp
	when := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	in.Write(when)
	in.Write([]byte{0, 1}) // precert_entry
	in.Write(issuer[:])
	in.Write([]byte{byte(len(tbs) >> 16), byte(len(tbs) >> 8), byte(len(tbs))})
	in.Write(tbs)
	in.Write([]byte{0, 0}) // no extensions
	sig, err := s.certificates.sign(in.Bytes())
	if err != nil {
		return pkix.Extension{}, err
	}
	sct := slices.Concat([]byte{0}, s.certificates.id(), when, []byte{0, 0, 4, 3}, binary.BigEndian.AppendUint16(nil, uint16(len(sig))), sig)
	list := binary.BigEndian.AppendUint16(nil, uint16(len(sct)))
	list = append(list, sct...)
	value, err := asn1.Marshal(append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...))
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}, err
}
