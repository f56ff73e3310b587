package train

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// task is one learned scanner: what it learns from and how its thresholds are chosen.
type task struct {
	name string
	// use selects the rows that belong to the task; carrier those whose texts
	// serve as ordinary surroundings of written sentences.
	use, carrier func(*row) bool
	keep         func(kind string) bool
	// attacks and ordinary are the forms of written sentences.
	attacks, ordinary []string
	sentences         int // composed of each
	// passages says that texts are judged by passages, not by windows.
	passages bool
	// budgets bound the false positives of the model, the rules apart, on
	// ordinary rows by group: a threshold meets all of them.
	budgets []budget
}

// budget is a share of false positives on the rows of some groups together.
type budget struct {
	groups []string
	share  float64
}

var tasks = []*task{
	{
		name: "injection",
		use: func(r *row) bool {
			if r.Kind == "result" {
				return r.Family == "injection" || r.Family == "benign"
			}
			// Descriptions of tools are the documentation that results quote.
			return r.Kind == "listing" && !r.attack() && r.group() == "listing"
		},
		carrier: func(r *row) bool { return !r.attack() && len(text(r)) > 200 },
		keep:    func(kind string) bool { return kind != "mime" },
		attacks: slices.Concat(attackForms, orderForms), ordinary: slices.Concat(ordinaryForms, documentForms, peopleForms), sentences: 2400,
		budgets: []budget{
			{[]string{"live"}, 0.005},
			{[]string{"listing"}, 0.01},
			{[]string{"bipia-train", "piguard-valid", "garak"}, 0.01},
			{[]string{"wildguard-benign", "notinject", "ms-agt"}, 0.03},
		},
	},
	{
		name: "poisoning",
		use: func(r *row) bool {
			switch r.Family {
			case "poisoning":
				return !overt(r)
			case "injection":
				// What poisons a listing is often the same order that stands in results.
				return r.Kind == "result" && len(r.Content) < 1500
			}
			return r.Kind == "listing" && len(r.Context) == 0 && r.Family == "benign"
		},
		carrier: func(r *row) bool { return !r.attack() && len(text(r)) > 80 },
		keep:    func(kind string) bool { return kind != "mime" && kind != "uri" && kind != "parameter" },
		attacks: slices.Concat(listingAttackForms, attackForms), ordinary: slices.Concat(listingOrdinaryForms, ordinaryForms),
		sentences: 1200,
		passages:  true,
		budgets:   []budget{{[]string{"listing"}, 0.002}},
	},
}

// overt reports the description of an attacker's tool that says what it does. It
// gives no order to a model: learning from it would teach that whoever speaks of
// attacks attacks, and testers' tools do.
func overt(r *row) bool { return r.Subtype == "overt_malicious_capability" }

// text is a row's main text, for use as surroundings.
func text(r *row) string {
	if r.Kind == "result" {
		return r.Content
	}
	m, err := messageOf(r)
	if err != nil {
		return ""
	}
	for _, s := range m.Segments {
		if s.Kind == "description" {
			return s.Text
		}
	}
	return ""
}

// material is what one task learns from and measures, features extracted once.
type material struct {
	task *task
	docs []*document // of rows, learnable or not, in order
}

func (t *task) material(c *corpora) (*material, error) {
	var rows []*row
	for _, r := range c.rows {
		if t.use(r) {
			rows = append(rows, r)
		}
	}
	docs, err := t.documents(rows)
	return &material{t, docs}, err
}

// without returns the learnable documents for which out is false.
func (m *material) without(out func(*row) bool) []*document {
	var docs []*document
	for _, d := range m.docs {
		if d.row.learnable() && !out(d.row) {
			docs = append(docs, d)
		}
	}
	return docs
}

// train fits a model on documents and their carriers.
func (m *material) train(docs []*document) *linear {
	var carriers []string
	for _, d := range docs {
		if m.task.carrier(d.row) {
			carriers = append(carriers, text(d.row))
		}
	}
	return fit(append(slices.Clone(docs), m.task.written(carriers)...))
}

// folds of the ordinary rows from which thresholds are chosen.
const folds = 3

// weights trains on documents and chooses the thresholds on scores of ordinary
// rows by models that did not see their subgroup.
func (m *material) weights(docs []*document) []byte {
	scores := map[string][]float64{}
	for fold := range folds {
		in := slices.DeleteFunc(slices.Clone(docs), func(d *document) bool { return foldOf(d.row) == fold })
		l := m.train(in)
		for _, d := range docs {
			if !d.attack && foldOf(d.row) == fold {
				scores[d.row.group()] = append(scores[d.row.group()], d.score(l))
			}
		}
	}
	l := m.train(docs)
	model, dense, grams := l.quantise()
	flag, block := m.task.thresholds(scores)
	model.Flag, model.Block = int32(math.Ceil(flag*unit)), int32(math.Ceil(block*unit))
	return textmodel.Marshal(model, dense, grams)
}

// thresholds returns the least score at which every budget is met, and a score
// that no ordinary row reached.
func (t *task) thresholds(scores map[string][]float64) (flag, block float64) {
	flag = -30
	for _, b := range t.budgets {
		var all []float64
		for _, g := range b.groups {
			all = append(all, scores[g]...)
		}
		if len(all) < 50 {
			continue // too few to bound anything
		}
		slices.Sort(all)
		allowed := int(b.share * float64(len(all)))
		flag = max(flag, all[len(all)-1-allowed])
	}
	block = flag
	for _, s := range scores {
		block = max(block, slices.Max(s))
	}
	return flag + 1.0/unit, block + 1
}

// foldOf assigns a row to a fold by its subgroup (one server, one session), or
// by itself where its source has no subgroups.
func foldOf(r *row) int {
	if strings.Contains(r.Group, ":") {
		return bucket(r.Group, folds)
	}
	return bucket(r.ID, folds)
}

func bucket(key string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32()>>8) % n
}
