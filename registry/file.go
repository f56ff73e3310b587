package registry

import (
	"errors"
	"syscall"
)

func classifyFile(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return refuse(ErrFull, RefusedFull, "the registry has no storage space left; nothing was written")
	}
	return err
}
