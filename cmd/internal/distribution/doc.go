// Package distribution carries scanner modules with their Sigstore bundles to
// and from OCI registries and OCI image layouts: one artifact with one layer,
// the bundle as its referrer (OCI distribution specification 1.1, with the tag
// fallback for registries that have no referrers API).
//
// It holds what arrives to bounds and digests, and decides nothing about it:
// whether a bundle verifies is its caller's business.
package distribution

import (
	"errors"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// Media types of an artifact.
const (
	ArtifactType = "application/vnd.bartizan.scanner.v1"
	LayerType    = "application/wasm"
	BundleType   = attest.MediaType
)

// Sentinels of this package.
var (
	ErrReference = errors.New("not a place for scanners")
	ErrNotFound  = errors.New("nothing there")
	// ErrAuth: the registry wants other credentials than those of the docker
	// configuration, or none it was given suffice.
	ErrAuth = errors.New("not authorised by the registry")
	// ErrPlaintext: credentials and modules would travel without TLS.
	ErrPlaintext = errors.New("plain HTTP beyond loopback")
	// ErrElsewhere: the registry sent what is meant for it to another host.
	ErrElsewhere = errors.New("the registry names another host")
	ErrRegistry  = errors.New("registry")
)

// Bounds.
const (
	maxManifest  = 256 << 10
	maxIndex     = 1 << 20 // of a layout, and of what a registry lists
	maxReferrers = 32      // bundles that are looked at
	maxPages     = 8       // of a list of referrers
	patience     = 5 * time.Minute
)

// maxModule is what the engine takes.
var maxModule = int64(engine.DefaultLimits.ModuleBytes)

// Shipment is a module on its way.
type Shipment struct {
	Name    string // for people and file names
	Version string
	Wasm    []byte
	Bundles [][]byte // one when it is pushed; all that are attached when it is pulled
}

// Options of a transfer.
type Options struct {
	// UnsafePlaintext speaks HTTP without TLS with a registry beyond loopback.
	UnsafePlaintext bool
}

// malformed is an artifact that no shipment can be read from.
func malformed(scanner, format string, args ...any) error {
	return release.Refuse(scanner, release.Malformed, format, args...)
}
