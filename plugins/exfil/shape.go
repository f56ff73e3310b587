package main

import (
	"strconv"
	"strings"
)

// element is a part of a format: characters that stand for themselves, or a
// number of bytes of an alphabet.
type element struct {
	text     string // "" for a class
	body     alphabet
	min, max int
}

// elements reads a format as the data files have it: "ghp_<w36>". It panics on
// one that is not well formed: the files are a part of the program.
func elements(format string) (all []element) {
	for format != "" {
		text, rest, class := strings.Cut(format, "<")
		if text != "" {
			all = append(all, element{text: text, min: len(text), max: len(text)})
		}
		if !class {
			return all
		}
		inside, after, closed := strings.Cut(rest, ">")
		a := -1
		if closed && len(inside) > 1 {
			a = strings.IndexByte(classes, inside[0])
		}
		if a < 0 {
			panic("exfil: class in format " + format)
		}
		from, to, ranged := strings.Cut(inside[1:], "-")
		least, err := strconv.Atoi(from)
		most := least
		if ranged && err == nil {
			most, err = strconv.Atoi(to)
		}
		if err != nil || least > most || most == 0 {
			panic("exfil: number in format " + format)
		}
		all = append(all, element{body: alphabet(a), min: least, max: most})
		format = after
	}
	return all
}

// shortest is the least number of bytes that elements stand for.
func shortest(all []element) (n int) {
	for i := range all {
		n += all[i].min
	}
	return n
}

// follow returns where a text that goes on with these elements ends, or -1. Each
// class takes as much as it may; the last is not followed by more of the same.
func follow(text string, i int, all []element) int {
	for n := range all {
		e := &all[n]
		if e.text != "" {
			if len(text)-i < len(e.text) || text[i:i+len(e.text)] != e.text {
				return -1
			}
			i += len(e.text)
			continue
		}
		start, last := i, n == len(all)-1
		for i < len(text) && i-start < e.max && e.body.has(text[i]) {
			i++
		}
		if last && e.body == dotted && i > start && text[i-1] == '.' {
			i-- // the full stop of a sentence
		}
		if i-start < e.min || last && i < len(text) && e.body.has(text[i]) && text[i] != '.' {
			return -1
		}
	}
	return i
}

// precede returns where a class that ends at i begins, or -1.
func precede(text string, i int, e element) int {
	start := i
	for start > 0 && i-start < e.max && e.body.has(text[start-1]) {
		start--
	}
	if i-start < e.min {
		return -1
	}
	return start
}

// lines calls yield with the fields of each line of a data file that is neither
// empty nor a comment.
func lines(file string, yield func(fields []string)) {
	for line := range strings.Lines(file) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0][0] != '#' {
			yield(fields)
		}
	}
}
