package confine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock (Linux, Documentation/userspace-api/landlock.rst) knows only what is
// allowed below a folder. So everything beside the way to a closed path is
// allowed, name by name, and the rest is not.

// leastLandlock is the first version that knows truncate(2): before it, a file
// that cannot be written could be emptied.
const leastLandlock = 3

const (
	onFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE
	onFolders = unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
	reading = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	// Signals and abstract sockets reach past any folder; since version 6.
	scoped        = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	leastScoped   = 6
	rulesetFSOnly = 8  // bytes of the first field
	rulesetScoped = 24 // of the first three
)

var landlockVersion = sync.OnceValue(func() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
})

// Fences reports whether this system can put up a fence.
func Fences() bool { return landlockVersion() >= leastLandlock }

// putUp confines this thread, and with it what it executes.
func (f Fence) putUp() error {
	if f.empty() {
		return nil
	}
	if !Fences() {
		return ErrFence
	}
	attr, size := unix.LandlockRulesetAttr{Handled_access_fs: onFiles | onFolders}, uintptr(rulesetFSOnly)
	if landlockVersion() >= leastScoped {
		attr.Scoped, size = scoped, rulesetScoped
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("ruleset: %w", errno)
	}
	r := ruleset(fd)
	defer unix.Close(int(r))
	if err := r.allowBeside("/", f.Closed); err != nil {
		return err
	}
	for _, path := range f.Readable {
		if err := r.allow(path, reading); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r), 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

type ruleset int

// allowBeside allows everything in a folder but what is closed or leads there.
func (r ruleset) allowBeside(dir string, closed []string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(dir, name.Name())
		switch {
		case slices.Contains(closed, path):
		case slices.ContainsFunc(closed, func(c string) bool { return strings.HasPrefix(c, path+"/") }):
			if err := r.allowBeside(path, closed); err != nil {
				return err
			}
		case name.Type()&os.ModeSymlink != 0: // what it leads to counts
		default:
			if err := r.allow(path, onFiles|onFolders); err != nil && !errors.Is(err, unix.ENOENT) {
				return err // gone meanwhile is no matter
			}
		}
	}
	return nil
}

func (r ruleset) allow(path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
	case unix.S_IFLNK: // put there meanwhile
		return nil
	default:
		access &= onFiles
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("rule: %w", errno)
	}
	return nil
}
