package audit

import "syscall"

// durably opens a file whose writes return when the data, and the length that
// is needed to read it again, are on disk (open(2), O_DSYNC).
const durably = syscall.O_DSYNC
