package signer

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

const knowsPeers = true

// peerOf is the user at the other end of a connection (unix(7), SO_PEERCRED).
func peerOf(c *net.UnixConn) (uid int, err error) {
	if c == nil {
		return 0, errors.New("signer: no Unix connection")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return 0, errors.Join(e, err)
	}
	return int(cred.Uid), nil
}
