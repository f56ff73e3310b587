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
	Tools           []jsontext.Value
	Prompts         []jsontext.Value
	Templates       []jsontext.Value
	Resources       []jsontext.Value
}

// Sources of a capture.
const (
	SourceRegistry  = "registry"
	SourceOperator  = "operator"
	SourceUnsafeRun = "publisher-unsafe-run"
)

// Capture is what was taken from one server at one time.
type Capture struct {
	Server     string
	Source     string
	CapturedAt time.Time
	Listings   []Listing // at most one per era
}

// ParseCapture reads a capture.
func ParseCapture(b []byte) (*Capture, error) { return nil, ErrMalformed }

// Marshal writes the capture in Bartizan's own schema.
func (c *Capture) Marshal() ([]byte, error) { return nil, ErrMalformed }
