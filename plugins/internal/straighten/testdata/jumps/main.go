// Command jumps goes every way that control can go in a function of Go, and
// reports what came of it.
package main

import (
	"fmt"
	"runtime"
	"strconv"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func init() { scanner.Handle(nil, scan) }

func main() {}

func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	for i, s := range in.Segments {
		h := uint64(len(s.Text))
		for _, f := range [...]func(string) uint64{loops, jumps, choices, recovered, deferred, exchanged, func(s string) uint64 { return deep(s, 2000) }, grown, tables} {
			h = h*1099511628211 ^ f(s.Text)
		}
		out.Add(scanner.Finding{Rule: "jumps.all", Confidence: 1, Segment: i, End: len(s.Text), Message: strconv.FormatUint(h, 16)})
	}
	return out
}

// loops leaves and repeats loops from within others.
func loops(s string) (h uint64) {
outer:
	for i := range len(s) {
		for j := i; ; j++ {
			switch {
			case j >= len(s):
				break outer
			case s[j] == ' ':
				h += uint64(j)
				continue outer
			case s[j] < 'c':
				continue
			case s[j] > 'x':
				h ^= 77
				break
			}
			for k := j; k > i && s[k]&1 == 0; k -= 2 {
				if h += uint64(s[k]); h%13 == 5 {
					break outer
				}
			}
			if (j-i)*7 > len(s) {
				break
			}
		}
	}
	return h
}

// jumps goes forward, back and into the middle.
func jumps(s string) (h uint64) {
	i := 0
	if len(s)%2 == 0 {
		goto middle
	}
again:
	h = h*31 + 1
middle:
	if i < len(s) {
		h += uint64(s[i])
		i++
		if h%3 == 0 {
			goto again
		}
		if h%5 == 0 {
			goto done
		}
		goto middle
	}
done:
	return h ^ uint64(i)
}

// choices is a long switch with cases that fall through.
func choices(s string) (h uint64) {
	for i := range len(s) {
		switch s[i] {
		case 'a', 'e', 'i':
			h += 3
			fallthrough
		case 'o':
			h *= 5
		case 'b', 'c', 'd':
			if i <= 3 {
				continue
			}
			h -= uint64(s[i-3])
			fallthrough
		case 'z':
			h = ^h
		default:
			h++
		}
	}
	return h
}

// recovered goes on behind what panics: an index, a nil pointer, a division.
func recovered(s string) (h uint64) {
	for i := range 40 {
		h = h*17 + one(s, i)
	}
	return h
}

func one(s string, i int) (h uint64) {
	defer func() {
		if r := recover(); r != nil {
			h += uint64(len(fmt.Sprint(r)))
		}
	}()
	var p *struct{ n [4]uint64 }
	switch i % 4 {
	case 0:
		h = uint64(s[i*3])
	case 1:
		h = p.n[i%4]
	case 2:
		h = uint64(100 / (len(s) % (i + 1)))
	}
	for j := range i {
		if h += uint64(j); h > 150 {
			panic(h)
		}
	}
	return h
}

// deferred runs calls at its end that loops have put there.
func deferred(s string) (h uint64) {
	for i := 0; i < len(s) && i < 9; i++ {
		defer func(c byte) { h = h*3 + uint64(c) }(s[i])
		if s[i] == 'q' {
			return 1
		}
	}
	return uint64(len(s))
}

// exchanged changes places with another goroutine in the middle of a loop.
func exchanged(s string) (h uint64) {
	ask, answer := make(chan byte), make(chan uint64)
	go func() {
		defer close(answer)
		n := uint64(0)
		for c := range ask {
			for ; c > 3; c /= 2 {
				n += uint64(c)
				runtime.Gosched()
			}
			answer <- n
		}
	}()
	for i := 0; i < len(s) && i < 50; i++ {
		ask <- s[i]
		if v := <-answer; v%7 != 0 {
			h += v
			continue
		}
		h ^= 0xff
	}
	close(ask)
	_, open := <-answer
	if open {
		return 0
	}
	return h
}

// deep has the stack grow while it is many calls down.
func deep(s string, n int) uint64 {
	var room [16]uint64
	for i := range room {
		if len(s) > 0 {
			room[i] = uint64(s[(n+i)%len(s)])
		}
	}
	if n == 0 {
		return room[3]
	}
	h := deep(s, n-1)
	for i, v := range room {
		if h ^= v << i; h%11 == 0 {
			break
		}
	}
	return h
}

// grown allocates, and so is interrupted by the collector.
func grown(s string) (h uint64) {
	seen := make(map[string]int)
	for i := range len(s) {
		for j := i + 1; j <= len(s) && j < i+4; j++ {
			seen[s[i:j]] += j
		}
	}
	for k, v := range seen {
		h += uint64(len(k) * v)
	}
	return h
}

type shape interface{ area(int) int }

type square struct{ side int }

type circle struct{ r int }

func (s square) area(n int) int { return s.side * n }

func (c *circle) area(n int) int {
	for ; n > 0; n-- {
		c.r += n
	}
	return c.r
}

// tables calls what it does not know.
func tables(s string) (h uint64) {
	for i := range len(s) {
		var it shape = square{i}
		if s[i]%3 == 0 {
			it = &circle{i}
		}
		h += uint64(it.area(int(s[i]) % 9))
	}
	return h
}
