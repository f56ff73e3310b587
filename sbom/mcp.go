package sbom

import (
	"time"

	"github.com/bartizan-mcp/bartizan/internal/permission"
)

// serviceRef is the bom-ref of the MCP endpoint.
const serviceRef = "mcp"

// Flow is a data flow of an entry, in CycloneDX terms, seen from the server.
type Flow struct {
	Direction      string // inbound | outbound | bi-directional | unknown
	Classification string // the operator's own label, such as "public" or "PII"
}

// MCPEntry is one thing a server offers.
type MCPEntry struct {
	Kind        string // tool | prompt | template | resource | instructions | capabilities
	Key         string // name, uriTemplate or uri; free text of the server; empty for the last two kinds
	Fingerprint string // behavioural digest, hex SHA-256, with or without "sha256:"
	Whole       string // digest over the whole entry, same form; may be empty
	Era         string // protocol era of the listing it stands in; may be empty
	Scopes      []string
	Flows       []Flow
	// Needs are those that the publisher declares for this entry, nil for none.
	Needs *permission.Needs
}

// TLS is what a connection to the endpoint showed.
type TLS struct {
	Version, Cipher string
	Chain           []Certificate // from the endpoint's own to the root
}

// Certificate is one of a chain.
type Certificate struct {
	Subject, Issuer string // RFC 2253
	NotAfter        time.Time
	SPKI            string // SHA-256 of the public key's SubjectPublicKeyInfo, hex
}

// MCPListing is one listing of the server, one per protocol era.
type MCPListing struct {
	Era             string // legacy | modern
	ProtocolVersion string
	Root            string // Merkle root bartizanListingV1, hex SHA-256
}

// MCP is what Bartizan knows of a server beyond its packages.
type MCP struct {
	Name, Version  string // as in server.json; empty keeps what the artifact says
	Purl           string // package URL of the artifact, if it has one
	ArtifactSHA256 string // lower-case hex; empty keeps what Generate computed
	ArtifactSHA512 string
	Endpoint       string // URL of a remote server, empty for stdio
	Transport      string // stdio | streamable-http | sse; empty if unknown
	Authenticated  *bool  // whether the endpoint asks for credentials, nil if unknown
	TLS            *TLS   // as seen when the listing was captured, nil if it was not
	// Permissions are what the publisher declares, nil for nothing.
	Permissions *permission.Declaration
	// Definitions is the SHA-256 of the definitions beside the document
	// (internal/definition), hex; empty without.
	Definitions string
	Scopes      []string
	Listings    []MCPListing
	Entries     []MCPEntry
}

var entryKinds = []string{"instructions", "capabilities", "tool", "prompt", "template", "resource"}
