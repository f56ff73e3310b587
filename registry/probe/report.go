package probe

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)

// Report is the evidence of a probe: what was declared, what was seen in each
// run, and what that comes to. Texts of the server are escaped and cut.
type Report struct {
	Version     int      `json:"bartizanProbe"` // 1
	Command     []string `json:"command"`       // as it was run
	Dir         string   `json:"dir"`
	Tree        string   `json:"tree"` // digest of the unpacked artifact
	LandlockABI int      `json:"landlockAbi"`
	Declared    Declared `json:"declared"`
	Runs        []Run    `json:"runs"`
	// OneEra are entries that the server lists in one era only.
	OneEra []string `json:"oneEra"`
	// Differences between circumstances.
	Differences []string `json:"differences"`
	// What was tried beyond what is declared.
	Network []string `json:"undeclaredNetwork"`
	Files   []string `json:"undeclaredFiles"`
	Exec    []string `json:"undeclaredPrograms"`
	// Leaks are canaries that were seen anywhere, Left those that are secret and
	// went to the network or into what the server says.
	Leaks []string `json:"leaks"`
	Left  []string `json:"left"`
	// Attacks are system calls by which programs break out.
	Attacks []string `json:"attacks"`
}

// Run is one start of the server.
type Run struct {
	Circumstances string      `json:"circumstances"`
	Era           string      `json:"era"`
	Client        string      `json:"client"`
	Hostname      string      `json:"hostname"`
	Outcome       string      `json:"outcome"`
	Milliseconds  int64       `json:"milliseconds"`
	Limits        []string    `json:"limits"` // that ended it
	Network       []Contact   `json:"network"`
	Files         []File      `json:"files"`
	Exec          []Execution `json:"exec"`
	Refused       []Attempt   `json:"refused"`
	Leaks         []Leak      `json:"leaks"`
	Omitted       int         `json:"omitted"` // records beyond the bounds
	Stderr        string      `json:"stderr"`  // its end
}

// Contact is an attempt to reach or be reached. Nothing ever left.
type Contact struct {
	Call    string `json:"call"` // connect, send, said, bind, resolve
	Network string `json:"network,omitzero"`
	Host    string `json:"host,omitzero"`
	Address string `json:"address,omitzero"`
	Port    uint16 `json:"port,omitzero"`
	Canary  bool   `json:"canary,omitzero"`
	Count   int    `json:"count"`
}

// File is an attempt to open or change a file.
type File struct {
	Path   string `json:"path"`
	Access string `json:"access"` // read, write
	Canary bool   `json:"canary,omitzero"`
	Count  int    `json:"count"`
}

// Execution is an attempt to execute a program.
type Execution struct {
	Path  string `json:"path"`
	Args  string `json:"args"`
	Count int    `json:"count"`
}

// Attempt is a system call that was refused.
type Attempt struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Leak is a canary that was seen where it was not put.
type Leak struct {
	Canary string `json:"canary"`
	Where  string `json:"where"`
	Secret bool   `json:"secret"`
}

func newReport(j Job, p *placed, digest string) *Report {
	r := &Report{Version: 1, Dir: shown(p.dir), Tree: digest, LandlockABI: sandbox.LandlockABI(), Declared: declared(j.Scopes)}
	for _, a := range p.command {
		r.Command = append(r.Command, shown(a))
	}
	return r
}

// listed is a listing that one run gave.
type listed struct {
	circumstances string
	listing       *listing.Listing
}

// attackCalls are refused system calls that nobody makes by accident.
var attackCalls = []string{
	"ptrace", "mount", "umount", "unshare", "setns", "clone", "pivot_root", "chroot", "bpf", "perf_event_open", "keyctl", "add_key", "request_key",
	"process_vm_readv", "process_vm_writev", "pidfd_getfd", "open_by_handle_at", "init_module", "finit_module", "kexec_load", "reboot",
	"settimeofday", "clock_settime", "sethostname", "open_tree", "fsopen", "move_mount", "mount_setattr", "fanotify_init", "syslog", "swapon",
	"acct", "quotactl", "userfaultfd",
}

// conclude compares the runs with each other and with what is declared.
func (r *Report) conclude(all []listed) {
	r.OneEra, r.Differences = eras(all), differences(all)
	r.Network, r.Files, r.Exec, r.Leaks, r.Left, r.Attacks = []string{}, []string{}, []string{}, []string{}, []string{}, []string{}
	for i := range r.Runs {
		run := &r.Runs[i]
		run.sort()
		for _, c := range run.Network {
			if what, ok := r.Declared.allowsContact(c); !ok {
				add(&r.Network, what)
			}
		}
		for _, f := range run.Files {
			if !r.Declared.allowsFile(f) {
				add(&r.Files, f.Access+" "+f.Path)
			}
		}
		for _, x := range run.Exec {
			if !r.Declared.allowsProgram(x.Path, r.Command[0]) {
				add(&r.Exec, x.Path)
			}
		}
		for _, l := range run.Leaks {
			text := l.Canary + " in " + l.Where
			add(&r.Leaks, text)
			if l.Secret && l.Where != "standard error" && l.Where != "arguments of a program" {
				add(&r.Left, text)
			}
		}
		for _, a := range run.Refused {
			if slices.Contains(attackCalls, a.Name) || strings.Contains(a.Name, ", type 3") || strings.HasPrefix(a.Name, "socket of family 40") {
				add(&r.Attacks, a.Name)
			}
		}
	}
	r.Differences = append(r.Differences, r.behaviour()...)
}

func add(list *[]string, s string) {
	if !slices.Contains(*list, s) && len(*list) < maxRecords {
		*list = append(*list, s)
	}
}

// behaviour names what was tried under one circumstance only. Files are left
// out: caches and settings of users differ.
func (r *Report) behaviour() (out []string) {
	seen := map[string]map[string]bool{}
	names := []string{}
	for _, run := range r.Runs {
		if seen[run.Circumstances] == nil {
			seen[run.Circumstances] = map[string]bool{}
			names = append(names, run.Circumstances)
		}
		mark := seen[run.Circumstances]
		for _, c := range run.Network {
			if c.Call != string(sandbox.Listen) {
				mark["tried to reach "+cmp.Or(c.Host, c.Address)] = true
			}
		}
		for _, x := range run.Exec {
			mark["tried to execute "+x.Path] = true
		}
		for _, f := range run.Files {
			if f.Canary {
				mark["opened "+f.Path] = true
			}
		}
	}
	for _, one := range names {
		for _, other := range names {
			for what := range seen[one] {
				if one != other && !seen[other][what] {
					add(&out, what+" as "+one+" and not as "+other)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func (r *Run) sort() {
	slices.SortFunc(r.Network, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Port, b.Port))
	})
	slices.SortFunc(r.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Access, b.Access)) })
}

// keys are the entries of a listing with their digests.
func keys(l *listing.Listing) map[string]string {
	out := map[string]string{}
	set, err := fingerprint.OfListing(l, nil)
	if err != nil {
		return map[string]string{"the listing cannot be fingerprinted": ""}
	}
	for _, e := range set.Entries {
		out[e.Kind.String()+" "+shown(e.Key)] += e.Behavioural.String()
	}
	return out
}

// eras names what is listed in one era only.
func eras(all []listed) []string {
	out := []string{}
	byEra := map[string]map[string]string{}
	for _, l := range all {
		if l.circumstances == all[0].circumstances {
			byEra[string(l.listing.Era)] = keys(l.listing)
		}
	}
	if len(byEra) < 2 {
		return out
	}
	for era, have := range byEra {
		for other, theirs := range byEra {
			for k := range have {
				if _, both := theirs[k]; era != other && !both {
					add(&out, k+" in the "+era+" era only")
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// differences compares the listings of one era under different circumstances.
func differences(all []listed) []string {
	out := []string{}
	for i, one := range all {
		for _, other := range all[i+1:] {
			if one.listing.Era != other.listing.Era {
				continue
			}
			a, b := keys(one.listing), keys(other.listing)
			for k, digest := range a {
				switch got, both := b[k]; {
				case !both:
					add(&out, k+" is listed as "+one.circumstances+" and not as "+other.circumstances)
				case got != digest:
					add(&out, k+" is another as "+one.circumstances+" than as "+other.circumstances)
				}
			}
			for k := range b {
				if _, both := a[k]; !both {
					add(&out, k+" is listed as "+other.circumstances+" and not as "+one.circumstances)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
