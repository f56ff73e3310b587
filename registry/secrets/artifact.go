package secrets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// Sizes of the pass over a file, in bytes.
const (
	chunkBytes = 1 << 20
	// overlap of neighbouring chunks: what begins in one is whole in it or in the next.
	overlap = 20 << 10
	// keyReach is how much of a text goes with a PEM heading: an RSA key of
	// 8192 bits and its escapes.
	keyReach  = 10 << 10
	nearReach = 384 // around the form of a credential
	wordReach = 160 // around a word that announces one
)

// Bounds of what the scanner is asked about one artifact. The forms of
// credentials are rare: an artifact with more places than that is unexamined.
// Words are not, and a large bundle has thousands.
const (
	proofBytes = 24 << 20
	wordBytes  = 1 << 20
	maxMarks   = 1 << 15 // patterns found in one chunk
)

// Artifact reads every file of an artifact as archive.Walk gives them: texts
// with their line numbers, other files as the printable runs in them.
func (f *Finder) Artifact(ctx context.Context, file string) (*Report, error) {
	r := &Report{Scanner: f.ref, Hits: []Hit{}}
	budget := &budget{proofs: proofBytes, words: wordBytes}
	_, err := archive.Walk(ctx, file, archive.Auto, archive.Limits{}, func(e archive.Entry, body io.Reader) error {
		if e.Link {
			return nil
		}
		return f.read(ctx, r, budget, e.Path, body)
	})
	return r, err
}

// budget is what the scanner may still be asked about.
type budget struct{ proofs, words int }

// read looks through one file, chunk by chunk.
func (f *Finder) read(ctx context.Context, r *Report, b *budget, file string, body io.Reader) error {
	place := placeOf(file)
	// Some editors write UTF-16, and say so in the first two bytes.
	body = transform.NewReader(body, unicode.BOMOverride(encoding.Nop.NewDecoder()))
	scan := pass{finder: f, report: r, budget: b, file: file, place: place, words: announcedIn(place, file), line: 1}
	buffer := make([]byte, 0, chunkBytes+overlap)
	for last := false; !last; {
		n, err := io.ReadFull(body, buffer[len(buffer):cap(buffer)])
		r.Bytes += int64(n)
		buffer = buffer[:len(buffer)+n]
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			last = true
		case err != nil:
			return err
		}
		if err := scan.chunk(ctx, buffer, last); err != nil {
			return err
		}
		if keep := len(buffer) - overlap; keep > 0 && !last {
			scan.skip(buffer[:keep])
			buffer = buffer[:copy(buffer, buffer[keep:])]
		}
	}
	r.Files++
	return nil
}

// pass is the way through one file.
type pass struct {
	finder *Finder
	report *Report
	budget *budget
	file   string
	place  string
	words  bool
	binary bool
	began  bool
	offset int64 // of the chunk's first byte
	line   int   // of it
	done   int64 // what begins before that was looked at
}

// skip goes on to the next chunk, which begins behind these bytes.
func (p *pass) skip(b []byte) {
	p.offset += int64(len(b))
	p.line += bytes.Count(b, []byte{'\n'})
}

// span is a part of a chunk that the scanner is asked about.
type span struct{ from, to int }

func (p *pass) chunk(ctx context.Context, b []byte, last bool) error {
	if !p.began {
		p.began = true
		p.binary = bytes.IndexByte(b[:min(len(b), 8<<10)], 0) >= 0
	}
	text, end := string(b), len(b)
	if !last {
		end -= overlap / 2 // the rest begins in the next chunk, with what is behind it
	}
	spans := p.spans(nil, p.finder.proofs, text, end, nearReach, &p.budget.proofs)
	if p.budget.proofs < 0 {
		p.report.Unexamined = "more places that look like credentials than are examined"
	}
	if p.words && !p.binary {
		if p.budget.words > 0 {
			spans = p.spans(spans, p.finder.words, text, end, wordReach, &p.budget.words)
		} else {
			p.report.Bounded += int64(end) - max(p.done-p.offset, 0)
		}
	}
	p.done = p.offset + int64(end)
	return p.finder.judge(ctx, p.report, p.place, admission.Visible(p.file), p.texts(text, merge(spans)))
}

// spans adds the surroundings of every pattern that begins before end, as long
// as the room lasts.
func (p *pass) spans(out []span, patterns *match.Automaton, text string, end, reach int, room *int) []span {
	hits, complete := patterns.Append(nil, text, maxMarks)
	if !complete && patterns == p.finder.proofs {
		*room = -1
	}
	for _, h := range hits {
		from, to := int(h.Start), int(h.End)
		if int64(from)+p.offset < p.done || from >= end || *room <= 0 {
			continue
		}
		s := span{max(from-reach, 0), min(to+reach, len(text))}
		if strings.HasPrefix(text[from:], "-----BEGIN ") {
			if !strings.Contains(text[from:min(from+80, len(text))], "PRIVATE KEY") {
				continue
			}
			s.to = min(from+keyReach, len(text))
		}
		if p.binary {
			s = printable(text, s, from, to)
		}
		if n := len(out); n > 0 && out[n-1].from <= s.from && s.from <= out[n-1].to {
			*room -= max(s.to-out[n-1].to, 0)
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		*room -= s.to - s.from
		out = append(out, s)
	}
	return out
}

// printable narrows a span to the run of printable characters that holds
// text[from:to].
func printable(text string, s span, from, to int) span {
	plain := func(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }
	start, end := from, min(to, len(text))
	for start > s.from && plain(text[start-1]) {
		start--
	}
	for end < s.to && plain(text[end]) {
		end++
	}
	return span{start, end}
}

// texts cuts the spans out, on boundaries of characters and, where that costs
// little, of words: the end of a long word is not to be taken for a whole one.
func (p *pass) texts(chunk string, spans []span) []text {
	out := make([]text, 0, len(spans))
	line, at := p.line, 0
	for _, s := range spans {
		if s.from > 0 && !p.binary {
			if cut := strings.IndexAny(chunk[s.from:min(s.from+64, s.to)], " \t\r\n\"'`,;(){}[]<>="); cut > 0 {
				s.from += cut
			}
		}
		for s.from < s.to && !utf8.RuneStart(chunk[s.from]) {
			s.from++
		}
		line += strings.Count(chunk[at:s.from], "\n")
		at = s.from
		t := text{body: valid(chunk[s.from:s.to]), offset: p.offset + int64(s.from)}
		if !p.binary {
			t.line = line
		}
		out = append(out, t)
	}
	return out
}

// valid replaces bytes that are no UTF-8, one for one, so that places stay.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	b := []byte(s)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			b[i] = '?'
		}
		i += n
	}
	return string(b)
}
