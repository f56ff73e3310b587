package train

import (
	"math"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// document is a row as the model sees it: the windows of its texts.
type document struct {
	row     *row // nil for a sentence of the phrasebook
	attack  bool
	windows []sample
}

// documents turns rows into documents, one text after the other.
func (t *task) documents(rows []*row) ([]*document, error) {
	out := make([]*document, 0, len(rows))
	for _, r := range rows {
		m, err := messageOf(r)
		if err != nil {
			return nil, err
		}
		d := &document{row: r, attack: r.attack()}
		for _, s := range textsOf(m) {
			switch {
			case !t.keep(s.Kind):
			case t.passages:
				d.addPassages(s.Text, r.Payload)
			default:
				d.add(s.Text, r.Payload, false)
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// minText is the length below which the scanners do not look at a text.
const minText = 8

// addPassages takes the windows of every passage of one text.
func (d *document) addPassages(text, payload string) {
	from, to := 0, len(text)
	if at := strings.Index(text, payload); d.attack && payload != "" && at >= 0 {
		from, to = at, at+len(payload)
	}
	textmodel.Passages(text, func(start, end int) bool {
		if start < to && from < end {
			d.add(text[start:end], "", true)
		}
		return true
	})
}

// add takes the windows of one text. Where the injected words are known, the
// windows of an attack that do not hold them are nothing to learn from. Silent
// windows are left out unless asked for.
func (d *document) add(text, payload string, silent bool) {
	if len(text) < minText {
		return
	}
	at := strings.Index(text, payload)
	tokens, _ := textmodel.Tokenize(text, textmodel.MaxTokens)
	var f textmodel.Features
	textmodel.Windows(tokens, func(w []textmodel.Token) bool {
		r := textmodel.Read(w)
		if r.Silent() && !silent {
			return true
		}
		f.Extract(w, r)
		if d.attack && payload != "" && at >= 0 && overlap(w, at, len(payload))*2 < len(payload) {
			return true
		}
		d.windows = append(d.windows, sample{
			grams: append([]uint32(nil), f.Grams...), dense: append([]uint16(nil), f.Dense...), attack: d.attack, weight: 1,
		})
		return true
	})
}

// overlap is the bytes of the payload at i that a window holds.
func overlap(w []textmodel.Token, i, size int) int {
	return min(int(w[len(w)-1].End), i+size) - max(int(w[0].Start), i)
}

// silent is the score of a document of which no window says anything.
const silent = -20

// score is that of the worst window.
func (d *document) score(l *linear) float64 {
	worst := float64(silent)
	for i := range d.windows {
		worst = max(worst, l.score(&d.windows[i]))
	}
	return worst
}

// written are documents of our own: attack and ordinary sentences, each also
// inside ordinary text taken from carriers.
func (t *task) written(carriers []string) []*document {
	count := t.sentences
	attacks, ordinary := phrases(t.attacks, count, 11), phrases(t.ordinary, count, 12)
	rng := random(13)
	var out []*document
	for i := range count {
		a := &document{attack: true}
		o := &document{}
		if t.passages {
			a.addPassages(attacks[i], "")
			o.addPassages(ordinary[i], "")
		} else {
			a.add(around(attacks[i], carriers, i, &rng), attacks[i], false)
			o.add(around(ordinary[i], carriers, i, &rng), "", false)
		}
		out = append(out, a, o)
	}
	return out
}

// around puts a sentence behind, before or into a piece of ordinary text, or
// leaves it alone, by turns.
func around(sentence string, carriers []string, i int, rng *random) string {
	if i%3 == 0 || len(carriers) == 0 {
		return sentence
	}
	words := strings.Fields(carriers[rng.below(len(carriers))])
	n := min(len(words), 10+rng.below(40))
	from := rng.below(len(words) - n + 1)
	piece := words[from : from+n]
	switch i % 4 {
	case 0:
		return sentence + "\n" + strings.Join(piece, " ")
	case 1:
		return strings.Join(piece, " ") + "\n" + sentence
	}
	half := n / 2
	return strings.Join(piece[:half], " ") + ". " + sentence + "\n" + strings.Join(piece[half:], " ")
}

// fit learns from documents. A long attack is mostly ordinary text, so the
// first model is used to pick the windows of each attack that carry it, and the
// second learns from those.
func fit(docs []*document) *linear {
	weights := groupWeights(docs)
	first := learn(collect(docs, weights, func(d *document) func(*sample) bool {
		return func(*sample) bool { return true }
	}))
	return learn(collect(docs, weights, func(d *document) func(*sample) bool {
		if !d.attack || len(d.windows) < 2 {
			return func(*sample) bool { return true }
		}
		worst := d.score(first)
		return func(s *sample) bool { return first.score(s) >= worst-0.5 }
	}))
}

// groupWeights keeps one large collection from drowning the others: the weight
// of a document falls with the root of its group's size.
func groupWeights(docs []*document) map[*document]float64 {
	size := map[string]int{}
	key := func(d *document) string {
		if d.row == nil {
			return "written"
		}
		return d.row.group() + d.row.Label
	}
	for _, d := range docs {
		size[key(d)]++
	}
	out := make(map[*document]float64, len(docs))
	for _, d := range docs {
		w := 8 / math.Sqrt(float64(size[key(d)]))
		if !d.attack {
			w *= 2 // a false alarm costs more than a miss
		}
		out[d] = min(w, 2)
	}
	return out
}

func collect(docs []*document, weights map[*document]float64, choose func(*document) func(*sample) bool) []sample {
	var out []sample
	for _, d := range docs {
		use := choose(d)
		n := 0
		for i := range d.windows {
			if use(&d.windows[i]) {
				n++
			}
		}
		for i := range d.windows {
			if !use(&d.windows[i]) {
				continue
			}
			s := d.windows[i]
			s.weight = weights[d]
			if d.attack {
				s.weight /= math.Sqrt(float64(n))
			}
			out = append(out, s)
		}
	}
	return out
}
