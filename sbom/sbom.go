// Package sbom makes, enriches, compares and reads CycloneDX 1.6 bills of
// materials for MCP servers. Artifacts are hostile: they are walked by
// sbom/archive within limits, only manifests and executables are looked at,
// and nothing of them is ever run.
//
// The package knows packages, components and fingerprint digests. It must not
// know HTTP, storage, reviews or how an MCP listing is captured; it is the only
// place of the module that links syft.
package sbom

import (
	"errors"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
)

// Errors. Every error of this package wraps one of them, the context's error
// or an I/O error of the machine.
var (
	// ErrHostileArchive: the artifact is built to deceive an unpacker (paths or
	// links that leave it, devices, one name twice, ambiguous manifests).
	ErrHostileArchive = archive.ErrHostile
	// ErrTooLarge: a limit on bytes, files, ratio, path length or nesting.
	ErrTooLarge = archive.ErrTooLarge
	// ErrUnsupported: a container format or feature that is not read.
	ErrUnsupported = archive.ErrUnsupported
	// ErrMalformed: a manifest, lockfile or stored SBOM that does not parse strictly.
	ErrMalformed = errors.New("sbom: malformed document")
	// ErrCatalogue: the cataloguing library failed or panicked.
	ErrCatalogue = catalogue.ErrFailed
)

// Kind names the container that an artifact comes in.
type Kind = archive.Kind

// Kinds of artifact. KindAuto decides by content, never by file name.
const (
	KindAuto      = archive.Auto
	KindDirectory = archive.Directory
	KindTar       = archive.Tar // plain or gzip-compressed, such as an npm package
	KindZip       = archive.Zip // such as an .mcpb bundle
	KindBinary    = archive.Binary
	KindImage     = archive.Kind("image") // container images: an OCI layout or what docker save writes
)

// Input says what to catalogue.
type Input struct {
	Artifact string // path to a file or a directory
	Kind     Kind   // KindAuto, or what the artifact must be
	// Tree is the folder that the artifact becomes (internal/tree), if somebody has
	// made it already. It changes nothing but the time that it takes.
	Tree string
}

// Options bound the work.
type Options struct {
	Limits archive.Limits // zero fields take archive.DefaultLimits
	// Platform chooses one image of several, as os/architecture[/variant]; empty
	// lists what all of them hold.
	Platform string
	Timeout  time.Duration // of the whole work; zero takes DefaultTimeout
}

// DefaultTimeout is many times what the largest known server takes.
const DefaultTimeout = 2 * time.Minute

// Pack returns a deterministic tar.gz of a directory, for publishing: sorted
// names, no times, owners or umask. Links that leave the directory, devices
// and sockets are refused with ErrHostileArchive; .git is left out.
func Pack(dir string) ([]byte, error) { return archive.Pack(dir, archive.DefaultLimits) }
