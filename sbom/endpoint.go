package sbom

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// tlsProperties writes what the connection showed. A chain is numbered from the
// endpoint's own certificate.
func tlsProperties(t *TLS) ([]cdx.Property, error) {
	if t == nil {
		return nil, nil
	}
	out := []cdx.Property{{Name: propTLS + "version", Value: t.Version}, {Name: propTLS + "cipher", Value: t.Cipher}}
	for i, c := range t.Chain {
		spki, err := digestHex(c.SPKI, 32)
		if err != nil {
			return nil, fmt.Errorf("public key of certificate %d: %w", i, err)
		}
		at := propTLS + "certificate:" + strconv.Itoa(i) + ":"
		out = append(out,
			cdx.Property{Name: at + "subject", Value: c.Subject}, cdx.Property{Name: at + "issuer", Value: c.Issuer},
			cdx.Property{Name: at + "notAfter", Value: c.NotAfter.UTC().Format(time.RFC3339)},
			cdx.Property{Name: at + "spki:sha256", Value: spki})
	}
	return out, nil
}

// definitionsReference names the definitions by what they are and not by where
// they lie (RFC 6920).
func definitionsReference(digest string) cdx.ExternalReference {
	raw, _ := hex.DecodeString(digest) // digestHex wrote it
	return cdx.ExternalReference{
		Type: cdx.ERTypeEvidence, URL: "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(raw),
		Comment: "canonical definitions of every entry, bartizan.definitions.v1",
		Hashes:  &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: digest}},
	}
}
