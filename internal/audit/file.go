package audit

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
)

// file appends durably to one file and undoes what did not get through.
type file struct {
	f       *os.File
	regular bool
	size    int64 // of what is durable; regular files only
	torn    bool  // bytes beyond size may be there
	self    os.FileInfo
}

// openFile opens an existing file for appending.
func openFile(path string, regular bool) (*file, error) {
	flags := os.O_WRONLY | os.O_APPEND
	if regular {
		flags = os.O_RDWR | os.O_APPEND | durably
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{f: f, regular: regular, size: info.Size(), self: info}, nil
}

// append writes p durably. If that fails, the bytes written so far are cut off
// before the next append, so a failed record never becomes readable later.
func (f *file) append(p []byte) error {
	if err := f.mend(); err != nil {
		return err
	}
	if f.torn { // a device: the torn line cannot be taken back, only ended
		p = append([]byte{'\n'}, p...)
	}
	f.torn = true
	if _, err := f.f.Write(p); err != nil {
		f.mend() // now if possible, else before the next append
		return err
	}
	if err := f.sync(); err != nil {
		f.mend()
		return err
	}
	f.torn = false
	f.size += int64(len(p))
	return nil
}

// sync makes durable what Write did not: a regular file opened with durably is
// on disk when Write returns, with one system call instead of two.
func (f *file) sync() error {
	if f.regular && durably != 0 {
		return nil
	}
	err := f.f.Sync()
	if err != nil && !f.regular && unsyncable(err) {
		return nil
	}
	return err
}

// mend cuts off what a failed append left.
func (f *file) mend() error {
	if !f.torn || !f.regular {
		return nil
	}
	if err := f.f.Truncate(f.size); err != nil {
		return err
	}
	f.torn = false
	return nil
}

// gone reports whether the file was deleted: what is written to it then is
// lost, however durable.
func (f *file) gone() bool {
	there, err := os.Lstat(f.f.Name())
	return err != nil || !os.SameFile(f.self, there)
}

// cutTornLine removes the last line if a crash left it without its newline.
func (f *file) cutTornLine() error {
	end := f.size
	buf := make([]byte, 64<<10)
	for end > 0 {
		n := min(int64(len(buf)), end)
		if _, err := f.f.ReadAt(buf[:n], end-n); err != nil && err != io.EOF {
			return err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			end = end - n + int64(i) + 1
			break
		}
		end -= n
	}
	if end == f.size {
		return nil
	}
	f.size, f.torn = end, true
	return f.mend()
}

func (f *file) close() error { return f.f.Close() }

// unsyncable reports whether fsync failed because the file is of a kind that
// has nothing to sync: pipes and character devices say EINVAL or ENOTSUP.
func unsyncable(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}
