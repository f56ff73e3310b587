package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// PredicateType of Statement. The predicate holds digests, not the document:
// whole SBOMs are heavy for transparency logs.
const PredicateType = "https://github.com/bartizan-mcp/bartizan/attestation/sbom/v1"

// MediaType of Encode's output.
const MediaType = "application/vnd.cyclonedx+json; version=1.6"

type (
	statement struct {
		Type          string    `json:"_type"`
		Subject       []subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     predicate `json:"predicate"`
	}
	subject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	predicate struct {
		SBOM         subjectRef        `json:"sbom"`
		Server       string            `json:"server"`
		Version      string            `json:"version,omitempty"`
		Purl         string            `json:"purl,omitempty"`
		Components   int               `json:"components"`
		Completeness Completeness      `json:"completeness"`
		Listings     map[string]string `json:"listings,omitempty"` // era ("" if unnamed) to bartizanListingV1
	}
	subjectRef struct {
		MediaType string            `json:"mediaType"`
		Digest    map[string]string `json:"digest"`
	}
)

// Statement is an in-toto Statement v1 over the document, ready to be signed:
// its subjects are the artifact (when its digest is known) and the SBOM's
// bytes. Equal documents give equal bytes.
func (d *Document) Statement() ([]byte, error) {
	encoded, err := d.Encode()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(encoded)
	digest := map[string]string{"sha256": hex.EncodeToString(sum[:])}
	root := d.Root()
	st := statement{
		Type:          "https://in-toto.io/Statement/v1",
		PredicateType: PredicateType,
		Predicate: predicate{
			SBOM:   subjectRef{MediaType: MediaType, Digest: digest},
			Server: root.Name, Version: root.Version, Purl: root.Purl,
			Components: len(d.Components()), Completeness: d.Completeness(), Listings: d.listingRoots(),
		},
	}
	artifact := map[string]string{}
	for _, h := range root.Hashes {
		switch alg, value, _ := strings.Cut(h, ":"); alg {
		case "SHA-256":
			artifact["sha256"] = value
		case "SHA-512":
			artifact["sha512"] = value
		}
	}
	if len(artifact) > 0 {
		st.Subject = append(st.Subject, subject{Name: "artifact", Digest: artifact})
	}
	st.Subject = append(st.Subject, subject{Name: "sbom", Digest: digest})
	out, err := json.Marshal(st, json.Deterministic(true), jsontext.EscapeForHTML(false))
	if err != nil {
		return nil, fmt.Errorf("sbom: statement: %w", err)
	}
	return out, nil
}

func (d *Document) listingRoots() map[string]string {
	out := map[string]string{}
	for s := range each(d.bom.Services) {
		for p := range each(s.Properties) {
			if rest, ok := strings.CutPrefix(p.Name, propMCPRoot); ok {
				out[strings.TrimPrefix(rest, ":")] = p.Value
			}
		}
	}
	return out
}
