// Package listing holds what an MCP server says about itself, as raw wire JSON.
//
// It reads and writes captures of listings. It must not know fingerprints,
// transports or verdicts.
package listing

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	// ErrMalformed is a capture that is not in one of the accepted schemas.
	ErrMalformed = errors.New("malformed listing capture")
	// ErrTooLarge is a capture beyond the limits of this package.
	ErrTooLarge = errors.New("listing capture is too large")
)

// Listing is one server's complete listing in one protocol era.
type Listing struct {
	Era             protocol.Era
	ProtocolVersion string
	ServerInfo      jsontext.Value // nil = absent
	Capabilities    jsontext.Value // nil = absent
	Instructions    *string        // nil = absent, "" = empty: they differ
	// Raw wire objects of all pages, in order; nil = the server has no such list.
	Tools, Prompts, Templates, Resources []jsontext.Value
}

// Sources of a capture: who took it.
const (
	SourceRegistry  = "registry"
	SourceOperator  = "operator"
	SourceUnsafeRun = "publisher-unsafe-run"
	SourceProbe     = "probe" // by the registry, from a server that it started in a sandbox
)

// Limits of a capture file.
const (
	MaxBytes   = 32 << 20
	MaxDepth   = 128
	MaxEntries = 10_000 // of one kind in one era
)

// Capture is what was taken from one server at one time.
type Capture struct {
	Server     string
	Source     string
	CapturedAt time.Time
	Listings   []Listing // at most one per era
}
