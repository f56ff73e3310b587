// Package sandbox starts one program that nobody trusts, walled in by the
// kernel, and tells what it tried.
//
// The program gets a user, a process tree, a file system and a network of its
// own: folders that it was given, read-only; a little memory to write into; a
// loopback interface on which names resolve to nowhere. Namespaces and a root
// without the host's files contain it; Landlock and a list of system calls
// stand behind them; limits and a watch on memory bound what it uses. What it
// tries to reach, open or execute is reported to an observer, who may see an
// attempt late or, where the program races him, changed: the walls do not
// depend on what he sees.
//
// Where the kernel lacks a piece nothing is started. The package must not know
// MCP, evidence or who is to blame.
package sandbox

import (
	"errors"
	"net/netip"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

var (
	// ErrUnavailable is a machine on which no program can be contained; the text
	// says which piece is missing. Nothing was started.
	ErrUnavailable = errors.New("isolation is not available here")
	// ErrStart is a program that could not be started in its sandbox.
	ErrStart = errors.New("cannot start the program in its sandbox")
	// ErrSpec is a Spec that cannot be used.
	ErrSpec = errors.New("bad sandbox")
)

// Bind is a file or folder of the host that the program sees, read-only.
type Bind struct {
	From string `json:"from"` // absolute, links resolved
	To   string `json:"to"`   // absolute and clean, inside the sandbox
}

// File is a file of the program's own, made before it starts.
type File struct {
	Path    string `json:"path"` // absolute and clean, under the home folder or /etc
	Content string `json:"content"`
	// Watched: every opening is reported, by the kernel itself.
	Watched bool `json:"watched"`
}

// Spec is what a program finds in its sandbox.
type Spec struct {
	Binds    []Bind
	Files    []File
	Home     string // writable, as is /tmp
	Hostname string
	// Scratch is an empty folder of the host; only the sandbox sees what is in it.
	Scratch string
	Limits  Limits
	// Observe is told of every attempt, one after the other. It must return soon.
	Observe func(Event)
}

// Limits of one sandbox; zero fields mean Default's.
type Limits struct {
	MemoryBytes  int64 // resident, of all processes together
	ScratchBytes int64 // of /tmp, and of the home folder
	FileBytes    int64 // of one file
	// Process is what each process may use.
	Process confine.Limits
}

// Default are limits that interpreters start common servers well within.
var Default = Limits{
	MemoryBytes: 1 << 30, ScratchBytes: 64 << 20, FileBytes: 64 << 20,
	Process: confine.Limits{MemoryBytes: 1 << 30, AddressBytes: 64 << 30, CPU: 60 * time.Second, Files: 512, Processes: 128},
}

func (l Limits) withDefaults() Limits {
	for _, v := range []struct {
		have  *int64
		least int64
	}{{&l.MemoryBytes, Default.MemoryBytes}, {&l.ScratchBytes, Default.ScratchBytes}, {&l.FileBytes, Default.FileBytes},
		{&l.Process.MemoryBytes, Default.Process.MemoryBytes}, {&l.Process.AddressBytes, Default.Process.AddressBytes}} {
		if *v.have <= 0 {
			*v.have = v.least
		}
	}
	if l.Process.CPU <= 0 {
		l.Process.CPU = Default.Process.CPU
	}
	if l.Process.Files <= 0 {
		l.Process.Files = Default.Process.Files
	}
	if l.Process.Processes <= 0 {
		l.Process.Processes = Default.Process.Processes
	}
	return l
}

// Kind says what an Event is about.
type Kind string

// Kinds of events.
const (
	Connect Kind = "connect" // Addr, Network; Name where the address was given out for one
	Send    Kind = "send"    // Addr, Network, Data: a datagram to an address
	Said    Kind = "said"    // Addr, Name, Data: the first bytes of a connection that led nowhere
	Listen  Kind = "bind"    // Addr, Network
	Resolve Kind = "resolve" // Name
	Read    Kind = "read"    // Path
	Write   Kind = "write"   // Path: opened for writing, made, removed, renamed, changed
	Touch   Kind = "touch"   // Path: a watched file was opened; no race hides it
	Execute Kind = "execute" // Path, Args
	Refused Kind = "refused" // Name: a system call that was not let through
	Limit   Kind = "limit"   // Name: the limit that ended the run
)

// Event is one thing that the program tried. Texts are the program's own:
// unescaped, bounded.
type Event struct {
	Kind    Kind
	Network string // tcp, udp, unix, or the family
	Addr    netip.AddrPort
	Name    string
	Path    string
	Args    []string
	Data    []byte
}
