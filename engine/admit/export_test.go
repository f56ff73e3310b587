package admit

// What tests outside of the package need to write modules by hand.
var (
	BuildModule   = module
	BuildSection  = section
	BuildFuncType = funcType
	BuildNamed    = named
	BuildFunction = function
)

// Unpaid is the most fuel that passes between two looks at it while no call
// unwinds: what a path may leave unchecked, and one segment that went over.
const Unpaid = maxUnchecked + maxSegment + mergeTotal + costMemoryGrow + 256
