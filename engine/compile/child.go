package compile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// childVariable makes a process of this program a compiler and nothing else.
const childVariable = "BARTIZAN_COMPILE_CHILD"

// Exit codes of the child.
const (
	exitInvalid = 3
	exitCache   = 4
)

// A child is the same executable again, so that there is no second file to
// install or to replace. It is decided here and not in main so that no program
// and no test can forget it and run itself over and over instead.
func init() {
	if job, ok := os.LookupEnv(childVariable); ok {
		os.Exit(child(job))
	}
}

// child compiles the module on standard input under the limits of the job.
func child(job string) int {
	limits, dir, ok := decode(job)
	if !ok {
		return exitCache
	}
	if err := limits.apply(); err != nil {
		fmt.Println(err)
		return exitCache
	}
	wasm, err := io.ReadAll(os.Stdin)
	if err != nil {
		return exitCache
	}
	ctx := context.Background()
	runtime, _, err := Open(ctx, dir)
	if err != nil {
		fmt.Println(err)
		return exitCache
	}
	if _, err := runtime.CompileModule(ctx, wasm); err != nil {
		fmt.Println(err)
		var errno syscall.Errno
		if errors.As(err, &errno) { // a full disk is not the module's fault
			return exitCache
		}
		return exitInvalid
	}
	return 0
}

func (l Limits) encode(dir string) string {
	return fmt.Sprintf("%d:%d:%s", l.Processor, l.MemoryBytes, dir)
}

func decode(job string) (l Limits, dir string, ok bool) {
	parts := strings.SplitN(job, ":", 3)
	if len(parts) != 3 {
		return l, "", false
	}
	processor, err1 := strconv.ParseInt(parts[0], 10, 64)
	memory, err2 := strconv.ParseUint(parts[1], 10, 64)
	return Limits{time.Duration(processor), memory}, parts[2], err1 == nil && err2 == nil
}
