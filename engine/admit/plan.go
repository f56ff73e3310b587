package admit

// How charges are placed. A segment is code that runs from its first
// instruction to its last, or not at all once its first has run. It pays when it
// begins; a small one is paid for by a segment that always runs before it and
// not less often.
const (
	mergeSegment = 16  // units of a segment that is paid for by another
	mergeTotal   = 16  // units that one segment pays for others
	maxSegment   = 128 // units after which a segment is cut in two
	maxUnchecked = 384 // units on any path between two looks at the fuel
)

// point is a segment: where it begins and what it pays.
type point struct {
	at     int
	weight int64
	extra  int64 // part of weight that is for others
	check  bool
	forced bool // stays where it is: a function's entry, a loop's head
	dead   bool // not executed
	retry  bool // a loop's head to which the check may go back
	into   int  // the segment that pays for it: itself, if none
	parent int  // the segment that may pay for it, -1 for none
	head   int  // of a loop's head: which one in planner.heads
}

// carried is a small set of local variables that a loop carries from round to
// round: read before they are assigned, and assigned. A set that is full forgets
// the rest.
type carried struct {
	n    int
	list [maxCarried]carriedLocal
}

type carriedLocal struct {
	index    uint32
	assigned bool
}

const maxCarried = 16

func (c *carried) find(index uint32) *carriedLocal {
	for i := range c.list[:c.n] {
		if c.list[i].index == index {
			return &c.list[i]
		}
	}
	return nil
}

// planFrame is a block of the original code.
type planFrame struct {
	op       opcode
	entry    int  // segment that was current when it began
	live     bool // the beginning can be reached
	branched bool // the end can be reached by a branch
	worst    int64
	enterAt  int64 // unchecked units at its beginning
	begin    int   // where the code in it begins
}

// planner walks a function and decides where fuel is charged.
type planner struct {
	points    []point
	ctrl      []planFrame
	cur       int
	loops     []int     // heads of the loops around the current segment
	heads     []carried // of all loops
	set       []int     // by local: where it was last assigned, 0 if nowhere
	dead      bool
	joined    int64 // what was added for values that are moved
	unchecked int64 // units charged since the fuel was last looked at, at worst
}

func (p *planner) reset(at int, entry int64, locals int) {
	p.set = append(p.set[:0], make([]int, locals)...)

	p.points = append(p.points[:0], point{at: at, weight: entry, forced: true, check: true, parent: -1})
	p.ctrl = append(p.ctrl[:0], planFrame{op: opBlock, live: true})
	p.loops, p.heads = p.loops[:0], p.heads[:0]
	p.cur, p.dead, p.unchecked, p.joined = 0, false, 0, 0
}

// payer follows a segment to the one that pays for it.
func (p *planner) payer(i int) int {
	for p.points[i].into != i {
		i = p.points[i].into
	}
	return i
}

// add charges the current segment.
func (p *planner) add(units int64) { p.points[p.cur].weight += units }

// close decides what becomes of the current segment.
func (p *planner) close() {
	s := &p.points[p.cur]
	if s.dead && !s.forced {
		return
	}
	if !s.forced && s.parent >= 0 {
		parent := &p.points[s.parent]
		if s.weight == 0 || s.weight <= mergeSegment && parent.extra+s.weight <= mergeTotal {
			parent.weight += s.weight
			parent.extra += s.weight
			p.unchecked += s.weight
			s.into = s.parent
			return
		}
	}
	if !s.check && p.unchecked+s.weight > maxUnchecked {
		s.check = true
	}
	if s.check {
		p.unchecked = 0
	}
	p.unchecked += s.weight
}

// open begins a segment that the given one may pay for.
func (p *planner) open(at, parent int, unchecked int64) {
	if parent >= 0 {
		parent = p.payer(parent)
	}
	p.cur = len(p.points)
	p.points = append(p.points, point{at: at, into: p.cur, parent: parent, dead: p.dead})
	p.unchecked = unchecked
}

// cut begins a new segment in straight-line code.
func (p *planner) cut(at int) {
	p.close()
	p.open(at, p.cur, p.unchecked)
}

// read notes that a local is read.
func (p *planner) read(local uint32) {
	for n := len(p.loops) - 1; n >= 0 && n >= len(p.loops)-lookOut; n-- {
		c := &p.heads[p.points[p.loops[n]].head]
		if p.set[local] >= p.points[p.loops[n]].at || c.n == maxCarried || c.find(local) != nil {
			return
		}
		c.list[c.n].index = local
		c.n++
	}
}

// assign notes that a local is set.
func (p *planner) assign(local uint32, at int) {
	p.set[local] = at
	for n := len(p.loops) - 1; n >= 0 && n >= len(p.loops)-lookOut; n-- {
		if l := p.heads[p.points[p.loops[n]].head].find(local); l != nil {
			l.assigned = true
		}
	}
}

// lookOut is how many loops around a use of a local are told of it.
const lookOut = 4

// called begins a new segment after a call. What runs while a deep stack
// unwinds has to look at the fuel, however little each frame does.
func (p *planner) called(at int) {
	p.cut(at)
	if !p.dead {
		p.unchecked = maxUnchecked
	}
}

// moved is what it costs to come to a place that code with different values of
// some variables comes to: a compiler moves each of them into place, and where
// there are more than registers, through memory. The few that are usual are in
// the weight of the branch.
func moved(variables int) int64 {
	if variables < fewVariables {
		return 0
	}
	return int64(variables)
}

const fewVariables = 8

// assigned counts the locals that were set since a place in the code. Its time
// is bounded by Limits.BlocksTimesLocals.
func (p *planner) assigned(since int) (n int) {
	for _, at := range p.set {
		if at >= since {
			n++
		}
	}
	return n
}

func (p *planner) block(op opcode, next, params int) {
	f := planFrame{op: op, entry: p.cur, live: !p.dead, enterAt: p.unchecked, begin: next}
	switch op {
	case opIf:
		p.close()
		f.enterAt = p.unchecked
		p.ctrl = append(p.ctrl, f)
		p.open(next, p.cur, p.unchecked)
	case opLoop:
		p.close()
		p.ctrl = append(p.ctrl, f)
		p.open(next, -1, 0)
		s := &p.points[p.cur]
		s.forced, s.check, s.retry, s.weight = true, true, params == 0, costLoop+moved(params)
		s.head = len(p.heads)
		p.heads = append(p.heads, carried{})
		p.loops = append(p.loops, p.cur)
	default:
		p.ctrl = append(p.ctrl, f)
	}
}

// branch notes that a label can be reached from here.
func (p *planner) branch(label uint32) {
	f := &p.ctrl[len(p.ctrl)-1-int(label)]
	if p.dead || f.op == opLoop {
		return
	}
	f.branched = true
	f.worst = max(f.worst, p.unchecked)
}

// stop says that what follows cannot be reached.
func (p *planner) stop(next int) {
	p.dead = true
	p.open(next, -1, 0)
}

func (p *planner) otherwise(next int) {
	p.close()
	f := &p.ctrl[len(p.ctrl)-1]
	f.op = opElse
	if !p.dead {
		f.branched = true
		f.worst = max(f.worst, p.unchecked)
	}
	p.dead = !f.live
	p.open(next, f.entry, f.enterAt)
}

// end returns false at the end of the function.
func (p *planner) end(next int) bool {
	f := p.ctrl[len(p.ctrl)-1]
	p.ctrl = p.ctrl[:len(p.ctrl)-1]
	if len(p.ctrl) == 0 {
		p.close()
		return false
	}
	if f.op == opLoop {
		head := p.loops[len(p.loops)-1]
		units := moved(p.assigned(f.begin))
		p.points[head].weight += units
		p.joined += units
		p.loops = p.loops[:len(p.loops)-1]
	}
	if f.op == opIf && f.live { // the way around it
		f.branched = true
		f.worst = max(f.worst, f.enterAt)
	}
	if f.op == opBlock && !f.branched {
		return true // nothing begins or ends here
	}
	p.close()
	worst := f.worst
	if !p.dead {
		worst = max(worst, p.unchecked)
	}
	p.dead = p.dead && !f.branched
	parent := f.entry
	if p.dead {
		parent = -1
	}
	p.open(next, parent, worst)
	if f.branched && !p.dead {
		units := moved(p.assigned(f.begin))
		p.add(units)
		p.joined += units
	}
	return true
}
