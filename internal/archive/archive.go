// Package archive walks and packs artifacts (directories, tar and zip files,
// single executables) as what they are: bytes made by strangers. It never
// writes what it reads to a path that the artifact chose, follows no link and
// stops at the first limit.
//
// It knows containers and paths. It must not know packages, lockfiles or SBOMs.
package archive

import "errors"

// Errors of the package.
var (
	ErrHostile     = errors.New("hostile archive")
	ErrTooLarge    = errors.New("artifact exceeds a limit")
	ErrUnsupported = errors.New("unsupported artifact")
)

// Kind is a container format.
type Kind string

// Container formats. Auto decides by content.
const (
	Auto      Kind = ""
	Directory Kind = "directory"
	Tar       Kind = "tar"
	Zip       Kind = "zip"
	Binary    Kind = "binary"
)

// Limits bound one artifact. All of them hold at once.
type Limits struct {
	InputBytes int64 // size of the artifact file
	TotalBytes int64 // unpacked bytes of all files together
	FileBytes  int64 // unpacked bytes of one file
	Files      int   // entries of every type
	PathBytes  int   // length of one path
	PathDepth  int   // components of one path
	Ratio      int64 // unpacked to packed bytes, checked past RatioFloor
	RatioFloor int64
}

// DefaultLimits fit the largest MCP servers seen (node_modules of 10^5 files,
// Go binaries of 300 MB) with room to spare.
var DefaultLimits = Limits{
	InputBytes: 512 << 20,
	TotalBytes: 2 << 30,
	FileBytes:  512 << 20,
	Files:      200_000,
	PathBytes:  1024,
	PathDepth:  64,
	Ratio:      100,
	RatioFloor: 32 << 20,
}
