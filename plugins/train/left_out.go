package train

import (
	"fmt"
	"slices"
	"sync"
)

// LeftOut makes weights for measuring: of every row by a model that was trained,
// and whose thresholds were chosen, without the row's source. It is safe for
// concurrent use.
type LeftOut struct {
	materials []*material
	whole     []func() []byte // weights of all sources, made when first asked for
}

// LeaveOut reads corpora to train on.
func LeaveOut(files []string) (*LeftOut, error) {
	c, err := loadCorpora(files)
	if err != nil {
		return nil, err
	}
	l := &LeftOut{}
	for _, t := range tasks {
		m, err := t.material(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		l.materials = append(l.materials, m)
		l.whole = append(l.whole, sync.OnceValue(func() []byte { return m.weights(m.without(func(*row) bool { return false })) }))
	}
	return l, nil
}

// Part is what is left out together with a row: its source, and with it rows
// that were composed or encoded from it; of the two large collections of ordinary
// servers, which are all there is of their kind, a third of the servers or sessions.
func Part(id, group string) string { return partOf(&row{ID: id, Group: group}) }

func partOf(r *row) string {
	if g := r.group(); g == "live" || g == "listing" {
		return fmt.Sprintf("%s %d", g, foldOf(r))
	}
	return r.origin()
}

// Without returns the weights of each learned scanner, by name, that know
// nothing of a part.
func (l *LeftOut) Without(part string) map[string][]byte {
	weights := map[string][]byte{}
	for i, m := range l.materials {
		learnt := func(r *row) bool { return r.learnable() && partOf(r) == part }
		if slices.ContainsFunc(m.docs, func(d *document) bool { return learnt(d.row) }) {
			weights[m.task.name] = m.weights(m.without(learnt))
		} else {
			weights[m.task.name] = l.whole[i]()
		}
	}
	return weights
}
