package confine

import "errors"

// ErrFence is a system that cannot put up a fence.
var ErrFence = errors.New("this system cannot fence off folders (Linux 6.2 with Landlock can)")

// Fence keeps a program and its descendants out of folders and files. What
// leads to a closed one cannot be listed, and no new name can be made in it;
// everything else is as open as to this user.
type Fence struct {
	Closed   []string // nothing is opened, made, changed or removed
	Readable []string // below Closed, and read and executed all the same
}

func (f Fence) empty() bool { return len(f.Closed) == 0 }
