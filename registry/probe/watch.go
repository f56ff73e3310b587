package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)

// Bounds of what one run leaves on record.
const (
	maxRecords = 200
	maxText    = 300
	maxMapped  = 5000
)

var errOutput = errors.New("the server wrote more than it may")

// watcher collects what one run tried. Everything that it keeps is escaped and
// bounded.
type watcher struct {
	mu       sync.Mutex
	run      *Run
	place    *placed
	home     string
	canaries []canary
	left     int64 // output bytes
	started  bool  // the program itself was executed
	counts   map[string]int
	leaks    map[string]bool
}

func newWatcher(run *Run, p *placed, home string, canaries []canary, output int64) *watcher {
	return &watcher{run: run, place: p, home: home, canaries: canaries, left: output, counts: map[string]int{}, leaks: map[string]bool{}}
}

// shown is hostile text as it may stand in a document that people read.
func shown(s string) string {
	s = admission.Visible(s[:min(len(s), maxText)])
	return s[:min(len(s), 4*maxText)]
}

// observe takes an event of the sandbox.
func (w *watcher) observe(e sandbox.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Kind {
	case sandbox.Connect, sandbox.Send, sandbox.Said, sandbox.Listen, sandbox.Resolve:
		w.network(e)
	case sandbox.Read, sandbox.Write, sandbox.Touch:
		w.file(e)
	case sandbox.Execute:
		w.execution(e)
	case sandbox.Refused:
		record(w, &w.run.Refused, Attempt{Name: shown(e.Name)}, func(a *Attempt) { a.Count++ })
	case sandbox.Limit:
		w.run.Limits = append(w.run.Limits, shown(e.Name))
	}
}

// record adds to a list, or counts what is on it already.
func record[T comparable](w *watcher, list *[]T, entry T, count func(*T)) {
	key := fmt.Sprintf("%T %v", entry, entry)
	at, seen := w.counts[key]
	if !seen {
		if len(*list) >= maxRecords || len(w.counts) >= maxMapped {
			w.run.Omitted++
			return
		}
		at = len(*list)
		*list, w.counts[key] = append(*list, entry), at
	}
	count(&(*list)[at])
}

func (w *watcher) network(e sandbox.Event) {
	c := Contact{Call: string(e.Kind), Network: e.Network, Host: strings.TrimSuffix(shown(e.Name), ".")}
	if e.Addr.IsValid() {
		c.Port = e.Addr.Port()
		if e.Name == "" || !invented(e.Addr.Addr()) {
			c.Address = e.Addr.Addr().String()
		}
	}
	if e.Path != "" {
		if e.Kind == sandbox.Connect {
			w.file(sandbox.Event{Kind: sandbox.Read, Path: e.Path}) // a socket, perhaps somebody else's
		}
		return
	}
	where := "network"
	if e.Kind == sandbox.Resolve {
		where = "name lookup"
	}
	w.look(where, append([]byte(e.Name+"\n"), e.Data...))
	if e.Kind == sandbox.Said && w.leaks["network"] {
		c.Canary = true
	}
	record(w, &w.run.Network, c, func(c *Contact) { c.Count++ })
}

// invented reports an address that the sandbox's resolver gives out.
func invented(a netip.Addr) bool { return netip.MustParsePrefix("198.18.0.0/15").Contains(a) }

func (w *watcher) file(e sandbox.Event) {
	f := File{Path: shown(w.inHome(e.Path)), Access: "read"}
	if e.Kind == sandbox.Write {
		f.Access = "write"
	}
	if e.Kind == sandbox.Touch {
		f.Canary = true
	} else if w.ordinary(e.Path, e.Kind == sandbox.Write) {
		return
	}
	record(w, &w.run.Files, f, func(f *File) { f.Count++ })
}

// inHome writes paths under the home folder in the way people do, so that runs
// of different users can be compared.
func (w *watcher) inHome(p string) string {
	if rest, ok := strings.CutPrefix(p, w.home); ok && (rest == "" || rest[0] == '/') {
		return "~" + rest
	}
	return p
}

// ordinary are files that tell nothing: the server's own, its runtime's, what
// every program looks at, and what it keeps for itself in /tmp.
func (w *watcher) ordinary(p string, write bool) bool {
	own := within(p, w.place.at) || slices.ContainsFunc(w.place.runtimes, func(r string) bool { return within(p, r) })
	if p == "/" || within(p, "/tmp") || within(p, "/dev") || own && strings.Contains(p, "/__pycache__/") { // Python tries, and does without
		return true
	}
	if write {
		return false
	}
	if own || within(w.place.at, p) {
		return true
	}
	switch base := path.Base(p); {
	case within(p, "/proc"):
		return !foreignProcess(p)
	case within(p, "/sys"), within(p, "/lib"), within(p, "/lib64"), within(p, "/bin"), within(p, "/sbin"):
		return true
	case base == "package.json", base == "node_modules", base == "pyvenv.cfg", strings.HasSuffix(p, ".so"), strings.Contains(base, ".so."):
		return true
	}
	return slices.Contains(ordinaryFiles, p)
}

var ordinaryFiles = []string{
	"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/hostname", "/etc/localtime",
	"/etc/timezone", "/etc/os-release", "/etc/ld.so.preload", "/etc/ld.so.cache", "/etc/gai.conf", "/etc/services", "/etc/protocols",
	"/etc/ssl/openssl.cnf", "/etc/mime.types", "/etc/locale.alias", "/etc/debian_version", "/etc/lsb-release", "/run/nscd/socket", "/var/run/nscd/socket",
	"/etc/inputrc", "/etc/machine-id",
}

// foreignProcess reports a file of /proc that speaks of another process.
func foreignProcess(p string) bool {
	rest := strings.TrimPrefix(p, "/proc/")
	pid, file, _ := strings.Cut(rest, "/")
	return pid == "1" && file != "" && file != "cgroup" && file != "stat" && file != "status" && file != "comm"
}

func (w *watcher) execution(e sandbox.Event) {
	w.look("arguments of a program", []byte(strings.Join(e.Args, "\n")))
	if !w.started {
		w.started = true
		return
	}
	x := Execution{Path: shown(w.inHome(e.Path)), Args: shown(strings.Join(e.Args, " "))}
	record(w, &w.run.Exec, x, func(x *Execution) { x.Count++ })
}

// look searches for canaries in what goes somewhere. The caller holds mu.
func (w *watcher) look(where string, data []byte) {
	for _, k := range w.canaries {
		if k.in(data) && !w.leaks[where+k.from] {
			w.leaks[where+k.from], w.leaks[where] = true, true
			w.run.Leaks = append(w.run.Leaks, Leak{Canary: k.from, Where: where, Secret: k.secret})
		}
	}
}

// stream hears one stream of the server's output.
func (w *watcher) stream(where string) *stream {
	return &stream{w: w, where: where, keep: longestForm(w.canaries)}
}

type stream struct {
	w     *watcher
	where string
	keep  int
	tail  []byte
}

// Write searches for canaries, also across the border to what came before, and
// ends the conversation when there is too much of it.
func (s *stream) Write(b []byte) (int, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.left -= int64(len(b)); s.w.left < 0 {
		if !slices.Contains(s.w.run.Limits, "output") {
			s.w.run.Limits = append(s.w.run.Limits, "output")
		}
		return 0, errOutput
	}
	s.tail = append(s.tail, b...)
	s.w.look(s.where, s.tail)
	if over := len(s.tail) - s.keep; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	return len(b), nil
}
