package tck

// streams holds a command to its standard input: one that stops reading too
// early sees a shorter message, or none.
func (k *kit) streams() {
	if !k.command() {
		k.skipAll("the form is reactor", "command.exit", "command.stdin", "command.stdout")
		return
	}
	seed := k.seeds()[0]
	short := usual(k.phase(), "a", seed)
	want, ok := k.try("command.stdin", "a short message", short, k.encode(short))
	if !ok {
		return
	}
	long := usual(k.phase(), fill("a ", window), fill("a ", window-4096), seed)
	got, ok := k.try("command.stdin", "a message of "+decimal(2*window)+" bytes", long, k.encode(long))
	if ok && len(got.Findings) != len(want.Findings) {
		k.fail("command.stdin", "what is found at the end of a short message is not found at the end of a long one")
	}
}
