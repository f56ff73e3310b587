package main

import "slices"

// kin is how the names of two entries are related.
type kin int

const (
	unrelated kin = iota
	sameName      // byte for byte
	variant       // what the eye takes for the same name, or a step from it
	extended      // the parts of one are among those of the other
)

// kinship relates the name of an entry, whose digits are read as letters in
// mine, to that of another server's.
func kinship(e *entry, mine string, o *neighbour) kin {
	switch {
	case e.name == o.Name:
		return sameName
	case e.nameSkeleton == o.skeleton, mine == o.digitless,
		affixed(e.nameSkeleton, o.skeleton), affixed(o.skeleton, e.nameSkeleton):
		return variant
	}
	if len(mine) >= 6 {
		edits := 1
		if len(mine) >= 10 {
			edits = 2
		}
		if within(e.nameSkeleton, o.skeleton, edits) {
			return variant
		}
	}
	switch x, y := parts(e.name), o.parts; {
	case len(x) < 2 || len(y) < 2:
		return unrelated
	case slices.Equal(x, y):
		return variant // in another order
	case adds(x, y, o.servers), adds(y, x, o.servers):
		return extended
	}
	return unrelated
}

// adds reports that a name is another with one or two words more. The name of
// the server is none of those: many put it before the names of all their tools.
func adds(long, short, servers []string) bool {
	return len(long) <= len(short)+2 && among(short, long) &&
		!slices.ContainsFunc(long, func(w string) bool { return !slices.Contains(short, w) && slices.Contains(servers, w) })
}

// parts are the distinct words of a name, sorted: read_file, readFile, file.read.
func parts(name string) []string {
	var out []string
	start := -1
	for i := 0; i <= len(name); i++ {
		inner := i < len(name) && nameByte(name[i]) && name[i] != '_' && name[i] != '-'
		turn := inner && start >= 0 && upper(name[i]) && !upper(name[i-1])
		if start >= 0 && (!inner || turn) {
			out = append(out, lower(name[start:i]))
			start = -1
		}
		if inner && start < 0 {
			start = i
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }

// among reports that every word of few is one of many.
func among(few, many []string) bool {
	for _, w := range few {
		if !slices.Contains(many, w) {
			return false
		}
	}
	return true
}
