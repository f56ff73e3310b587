//go:build amd64 || arm64

package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sinkPort is where connections to anywhere end. The program cannot take it:
// it lies below 1024.
const sinkPort = 9

// openNetwork brings the loopback interface up and opens what answers on it: a
// resolver and the sink. There is no other interface and no route. The sockets
// are served outside, by the process that watches.
func openNetwork() (sockets []int, err error) {
	udp, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, unavailable("network namespace", err)
	}
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlIfreq(udp, unix.SIOCGIFFLAGS, ifr); err != nil {
		return nil, unavailable("loopback interface", err)
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(udp, unix.SIOCSIFFLAGS, ifr); err != nil {
		return nil, unavailable("loopback interface", err)
	}
	resolver := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 53}
	if err := unix.Bind(udp, resolver); err != nil {
		return nil, unavailable("resolver", err)
	}
	sockets = []int{udp}
	for _, port := range []int{53, sinkPort} {
		tcp, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Bind(tcp, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
		}
		if err == nil {
			err = unix.Listen(tcp, 1024)
		}
		if err != nil {
			return nil, unavailable(fmt.Sprintf("listener on port %d", port), err)
		}
		sockets = append(sockets, tcp)
	}
	return sockets, nil
}

// watchFiles has the kernel tell of every opening of the watched files. The
// descriptors that inotify gives out count from 1, in the order of the files.
func watchFiles(files []File) (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, unavailable("inotify", err)
	}
	for _, f := range files {
		if !f.Watched {
			continue
		}
		if _, err := unix.InotifyAddWatch(fd, f.Path, unix.IN_OPEN); err != nil {
			return -1, unavailable("inotify", err)
		}
	}
	return fd, nil
}
