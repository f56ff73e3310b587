//go:build !linux

package signer

import (
	"errors"
	"net"
)

const knowsPeers = false

func peerOf(*net.UnixConn) (int, error) { return 0, errors.ErrUnsupported }
