package sandbox

import (
	"context"

	"github.com/tetratelabs/wazero/api"
)

// wasi is what language runtimes import of WASI preview 1 to start, print and
// stop. There are no arguments, no environment, no files and no sockets; the
// clock stands still, and random numbers are the same in every call. Unlike a
// full implementation it keeps no state, such as open files, in which a guest
// could leave a message for its next call.
var wasi = []hostFunction{
	wasiFunction("args_get", wasiSuccess, i32, i32),
	wasiFunction("args_sizes_get", wasiNone, i32, i32),
	wasiFunction("clock_res_get", wasiResolution, i32, i32),
	wasiFunction("clock_time_get", wasiTime, i32, i64, i32),
	wasiFunction("environ_get", wasiSuccess, i32, i32),
	wasiFunction("environ_sizes_get", wasiNone, i32, i32),
	wasiFunction("fd_close", wasiStandard, i32),
	wasiFunction("fd_fdstat_get", wasiStat, i32, i32),
	wasiFunction("fd_fdstat_set_flags", wasiStandard, i32, i32),
	wasiFunction("fd_prestat_dir_name", wasiBadFile, i32, i32, i32),
	wasiFunction("fd_prestat_get", wasiBadFile, i32, i32),
	wasiFunction("fd_read", wasiRead, i32, i32, i32, i32),
	wasiFunction("fd_seek", wasiSeek, i32, i64, i32, i32),
	wasiFunction("fd_write", wasiWrite, i32, i32, i32, i32),
	wasiFunction("poll_oneoff", wasiPoll, i32, i32, i32, i32),
	{wasiModule, "proc_exit", []api.ValueType{i32}, nil, wasiExit},
	wasiFunction("random_get", wasiRandom, i32, i32),
	wasiFunction("sched_yield", wasiSuccess),
}

// errno of WASI preview 1.
type errno uint32

const (
	success    errno = 0
	badFile    errno = 8
	badAddress errno = 21
	invalid    errno = 28
	notSeek    errno = 70
	noneGiven        = 0 // arguments and environment variables, and their bytes
)

func wasiFunction(name string, call func(*run, api.Memory, []uint64) errno, params ...api.ValueType) hostFunction {
	return hostFunction{wasiModule, name, params, []api.ValueType{i32}, func(ctx context.Context, m api.Module, stack []uint64) {
		result := badAddress
		if memory := m.Memory(); memory != nil {
			result = call(runOf(ctx), memory, stack)
		}
		stack[0] = uint64(result)
	}}
}

func wasiSuccess(*run, api.Memory, []uint64) errno { return success }

func wasiBadFile(*run, api.Memory, []uint64) errno { return badFile }

func wasiNone(_ *run, m api.Memory, args []uint64) errno {
	return written(m.WriteUint32Le(u32(args[0]), noneGiven) && m.WriteUint32Le(u32(args[1]), noneGiven))
}

func wasiResolution(_ *run, m api.Memory, args []uint64) errno {
	return written(m.WriteUint64Le(u32(args[1]), 1000))
}

// wasiTime stands still: at zero by the calendar, at one since the start, since
// Go does not start at zero.
func wasiTime(_ *run, m api.Memory, args []uint64) errno {
	switch clock := u32(args[0]); clock {
	case 0, 1:
		return written(m.WriteUint64Le(u32(args[2]), uint64(clock)))
	}
	return invalid
}

func wasiStandard(_ *run, _ api.Memory, args []uint64) errno {
	if u32(args[0]) > 2 {
		return badFile
	}
	return success
}

// wasiStat describes the standard streams as terminals are: no seeking.
func wasiStat(_ *run, m api.Memory, args []uint64) errno {
	if u32(args[0]) > 2 {
		return badFile
	}
	const characterDevice = 2
	at, rights := u64(args[1]), uint64(1<<1|1<<6) // fd_read, fd_write
	return written(writeWords(m, at, characterDevice, rights, 0))
}

func wasiSeek(_ *run, _ api.Memory, args []uint64) errno {
	if u32(args[0]) > 2 {
		return badFile
	}
	return notSeek
}

// wasiRead reads the input of a command; elsewhere standard input is empty.
func wasiRead(r *run, m api.Memory, args []uint64) errno {
	if u32(args[0]) != 0 {
		return badFile
	}
	var total uint32
	result := vectors(r, m, args, func(part []byte) bool {
		n := copy(part, r.stdin)
		r.stdin = r.stdin[n:]
		total += uint32(n)
		return n == len(part)
	})
	if result != success {
		return result
	}
	return written(m.WriteUint32Le(u32(args[3]), total))
}

// wasiWrite keeps the answer of a command; anything else goes to the log.
func wasiWrite(r *run, m api.Memory, args []uint64) errno {
	fd := u32(args[0])
	if fd != 1 && fd != 2 {
		return badFile
	}
	var total uint32
	result := vectors(r, m, args, func(part []byte) bool {
		if fd == 1 && r.stdout != nil {
			r.stdout.write(r, part)
		} else {
			_, _ = r.log.Write(part)
		}
		total += uint32(len(part))
		return true
	})
	if result != success {
		return result
	}
	return written(m.WriteUint32Le(u32(args[3]), total))
}

// maxVectors is how many buffers or subscriptions one call may name.
const maxVectors = 1024

// vectors visits the buffers that args name, until each returns false.
func vectors(r *run, m api.Memory, args []uint64, each func([]byte) bool) errno {
	at, count := u64(args[1]), u64(args[2])
	if count > maxVectors {
		return invalid
	}
	if at+8*count > uint64(m.Size()) {
		return badAddress
	}
	for i := range count {
		r.charge(256)
		ptr, _ := m.ReadUint32Le(uint32(at + 8*i))
		size, _ := m.ReadUint32Le(uint32(at + 8*i + 4))
		part, ok := m.Read(ptr, size)
		if !ok {
			return badAddress
		}
		r.charge(uint64(size))
		if !each(part) {
			break
		}
	}
	return success
}

// wasiPoll says of every subscription that it is ready: a clock that stands
// still has nothing to wait for.
func wasiPoll(r *run, m api.Memory, args []uint64) errno {
	const subscription, event = 48, 32
	in, out, count := u64(args[0]), u64(args[1]), u64(args[2])
	size := uint64(m.Size())
	if count == 0 || count > maxVectors {
		return invalid
	}
	if in+subscription*count > size || out+event*count > size {
		return badAddress
	}
	for i := range count {
		r.charge(512)
		mark, _ := m.ReadUint64Le(uint32(in + subscription*i)) // the caller's own
		kind, _ := m.ReadByte(uint32(in + subscription*i + 8)) // what was waited for
		writeWords(m, out+event*i, mark, uint64(kind)<<16, 0, 0)
	}
	return written(m.WriteUint32Le(u32(args[3]), uint32(count)))
}

// writeWords writes little-endian numbers one after another. It reports whether
// there is memory for all.
func writeWords(m api.Memory, at uint64, words ...uint64) bool {
	if at+8*uint64(len(words)) > uint64(m.Size()) {
		return false
	}
	for i, w := range words {
		m.WriteUint64Le(uint32(at)+8*uint32(i), w)
	}
	return true
}

func wasiRandom(r *run, m api.Memory, args []uint64) errno {
	at, size := u64(args[0]), u64(args[1])
	if at+size > uint64(m.Size()) {
		return badAddress
	}
	const chunk = 64 << 10
	for end := at + size; at < end; {
		n := min(end-at, chunk)
		r.charge(8 * n)
		part, _ := m.Read(uint32(at), uint32(n))
		_, _ = r.entropy().Read(part) // a ChaCha8 never fails
		at += n
	}
	return success
}

// wasiExit ends the run. The instance stays as it is, for its reset.
func wasiExit(ctx context.Context, _ api.Module, stack []uint64) {
	r := runOf(ctx)
	status := u32(stack[0])
	r.exit = &status
	r.takeBack() // an exit may be an answer, whose fuel is exact
	r.afford()
	r.stop(fault(Trap, "%s exited with status %d", r.where, status))
}

func written(ok bool) errno {
	if !ok {
		return badAddress
	}
	return success
}

func u32(v uint64) uint32 { return uint32(v) }

// u64 widens a 32-bit argument, so that sums do not wrap.
func u64(v uint64) uint64 { return uint64(uint32(v)) }

// output is the answer that a command writes.
type output struct {
	b     []byte
	limit int
}

func (o *output) write(r *run, p []byte) {
	if len(o.b)+len(p) > o.limit {
		r.stop(fault(Output, "%s wrote an answer of more than %d bytes", r.where, o.limit))
	}
	o.b = append(o.b, p...)
}
