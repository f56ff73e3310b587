//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// unavailable marks a piece that this machine lacks, apart from a program or a
// folder that is at fault.
func unavailable(piece string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, piece, err)
}

// devices are all that there is in /dev.
var devices = []string{"null", "zero", "random", "urandom"}

// buildRoot makes the tree that the program sees.
func buildRoot(j *job) error {
	root := j.Spec.Scratch
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return unavailable("mount namespace", err)
	}
	if err := tmpfs(root, 1<<20, "0755"); err != nil {
		return unavailable("tmpfs", err)
	}
	for _, dir := range []string{"/proc", "/dev", "/tmp", "/etc", j.Spec.Home} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := tmpfs(root+"/tmp", j.Spec.ScratchBytes, "1777"); err != nil {
		return unavailable("tmpfs", err)
	}
	if err := tmpfs(root+j.Spec.Home, j.Spec.ScratchBytes, "0700"); err != nil {
		return unavailable("tmpfs", err)
	}
	for _, b := range j.Spec.Binds {
		if err := bindReadOnly(root, b); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return unavailable("a /proc of its own", err)
	}
	if err := makeDevices(root); err != nil {
		return err
	}
	return makeFiles(root, j)
}

func tmpfs(at string, bytes int64, mode string) error {
	data := fmt.Sprintf("size=%d,nr_inodes=16384,mode=%s", bytes, mode)
	return unix.Mount("tmpfs", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, data)
}

// bindReadOnly shows a file or folder of the host. Only flags are added: those
// that the host's own mount has are locked.
func bindReadOnly(root string, b Bind) error {
	info, err := os.Stat(b.From)
	if err != nil {
		return fmt.Errorf("a folder of the sandbox: %w", err)
	}
	target := root + b.To
	if err := makeMountPoint(target, info.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(b.From, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return unavailable("bind mount of "+b.To, err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(-1, target, unix.AT_RECURSIVE, &attr); err != nil {
		return unavailable("read-only bind mount of "+b.To, err)
	}
	return nil
}

func makeMountPoint(at string, dir bool) error {
	if dir {
		return os.MkdirAll(at, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(at, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

func makeDevices(root string) error {
	for _, d := range devices {
		at := root + "/dev/" + d
		if err := makeMountPoint(at, false); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+d, at, "", unix.MS_BIND, ""); err != nil {
			return unavailable("/dev/"+d, err)
		}
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC}
		if err := unix.MountSetattr(-1, at, 0, &attr); err != nil {
			return unavailable("/dev/"+d, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(target, root+"/dev/"+name); err != nil {
			return err
		}
	}
	if err := os.Mkdir(root+"/dev/shm", 0o755); err != nil {
		return err
	}
	if err := tmpfs(root+"/dev/shm", 16<<20, "1777"); err != nil {
		return unavailable("tmpfs", err)
	}
	return nil
}

// makeFiles writes what little there is in /etc and what the caller wants. The
// tree is fresh: no link leads out of it.
func makeFiles(root string, j *job) error {
	user := filepath.Base(j.Spec.Home)
	own := []File{
		{Path: "/etc/passwd", Content: fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\n%s:x:%d:%d::%s:/bin/sh\n", user, insideUID, insideGID, j.Spec.Home)},
		{Path: "/etc/group", Content: fmt.Sprintf("root:x:0:\n%s:x:%d:\n", user, insideGID)},
		{Path: "/etc/hosts", Content: "127.0.0.1 localhost " + j.Spec.Hostname + "\n::1 localhost\n"},
		{Path: "/etc/resolv.conf", Content: "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"},
		{Path: "/etc/nsswitch.conf", Content: "passwd: files\ngroup: files\nhosts: files dns\n"},
		{Path: "/etc/hostname", Content: j.Spec.Hostname + "\n"},
	}
	for _, f := range append(own, j.Spec.Files...) {
		if err := os.MkdirAll(filepath.Dir(root+f.Path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(root+f.Path, []byte(f.Content), 0o644); err != nil {
			return err
		}
	}
	return filepath.WalkDir(root+j.Spec.Home, func(p string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(p, insideUID, insideGID)
		}
		return err
	})
}

// enter makes root the only tree there is: afterwards no path of the host
// exists in this mount namespace, for any of its processes.
func enter(root string) error {
	// Links such as /bin of the host are copied; what they lead to is bound.
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		target, err := os.Readlink(name)
		if err != nil || strings.Contains(target, "..") {
			continue
		}
		if err := os.Symlink(strings.TrimPrefix(target, "/"), root+name); err != nil && !os.IsExist(err) {
			return err
		}
	}
	if err := unix.Mount("", root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return unavailable("read-only root", err)
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return unavailable("pivot_root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return unavailable("leaving the host's root", err)
	}
	return unix.Chdir("/")
}
