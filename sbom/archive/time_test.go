package archive

import "time"

// modTime is some time that files may have.
var modTime = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
