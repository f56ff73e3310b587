package train

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// The table stands between these lines of docs/detection.md.
const (
	beginMark = "<!-- measured: begin -->"
	endMark   = "<!-- measured: end -->"
)

var errMarks = errors.New("the document has no place for the table")

func writeReport(file, table string) error {
	doc, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := bytes.Index(doc, []byte(beginMark)), bytes.Index(doc, []byte(endMark))
	if begin < 0 || end < begin {
		return fmt.Errorf("%s: %w", file, errMarks)
	}
	out := append([]byte{}, doc[:begin+len(beginMark)]...)
	out = append(out, "\n"+table...)
	return os.WriteFile(file, append(out, doc[end:]...), 0o644)
}

// tally counts the rows of one group.
type tally struct{ rows, flagged, blocked, failed int }

func (t *tally) add(o outcome) {
	t.rows++
	if o.flagged {
		t.flagged++
	}
	if o.blocked {
		t.blocked++
	}
	if o.failed {
		t.failed++
	}
}

func (t tally) share() float64 {
	if t.rows == 0 {
		return 0
	}
	return float64(t.flagged) / float64(t.rows)
}

// summary is precision, recall and F1 over all rows of a scanner, and the mean
// recall of its sources.
type summary struct{ precision, recall, f1, macro float64 }

func summarise(outcomes []outcome) summary {
	var attack, benign tally
	groups := map[string]*tally{}
	for _, o := range outcomes {
		if !o.row.attack() {
			benign.add(o)
			continue
		}
		attack.add(o)
		if groups[o.row.group()] == nil {
			groups[o.row.group()] = new(tally)
		}
		groups[o.row.group()].add(o)
	}
	s := summary{recall: attack.share()}
	if n := attack.flagged + benign.flagged; n > 0 {
		s.precision = float64(attack.flagged) / float64(n)
	}
	if s.precision+s.recall > 0 {
		s.f1 = 2 * s.precision * s.recall / (s.precision + s.recall)
	}
	for _, t := range groups {
		s.macro += t.share() / float64(len(groups))
	}
	return s
}

// floors are what the project promises on sources left out.
var floors = map[string]string{
	"injection": "recall ≥ .15", "exfil": "F1 ≥ .45", "poisoning": "F1 ≥ .30", "shadowing": "F1 ≥ .80",
}

func render(results map[string][]outcome, listings map[string]map[string]int) string {
	var b strings.Builder
	b.WriteString("| scanner | floor | precision | recall | F1 | mean recall of sources | FPR `live` | FPR `listing` |\n|---|---|---|---|---|---|---|---|\n")
	for _, name := range []string{"injection", "exfil", "poisoning", "shadowing"} {
		s := summarise(results[name])
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.2f | %.2f | %.2f | %s | %s |\n", name, floors[name], s.precision, s.recall, s.f1, s.macro,
			falseRate(results[name], "live"), falseRate(results[name], "listing"))
	}
	for _, name := range []string{"injection", "exfil", "poisoning", "shadowing"} {
		fmt.Fprintf(&b, "\n### %s, per source\n\n| source | label | rows | flagged or above | blocked | scanner failures |\n|---|---|---|---|---|---|\n", name)
		groups := map[string]*tally{}
		for _, o := range results[name] {
			key := "attack " + o.row.group()
			if !o.row.attack() {
				key = "benign " + o.row.group() + " (" + o.row.Kind + ")"
			}
			if o.row.group() == "presidio" && o.row.attack() {
				key += " " + o.row.Subtype
			}
			if groups[key] == nil {
				groups[key] = new(tally)
			}
			groups[key].add(o)
		}
		for _, key := range sortedKeys(groups) {
			t := groups[key]
			label, group, _ := strings.Cut(key, " ")
			fmt.Fprintf(&b, "| %s | %s | %d | %d (%.1f %%) | %d | %d |\n", group, label, t.rows, t.flagged, 100*t.share(), t.blocked, t.failed)
		}
	}
	if listings != nil {
		b.WriteString("\n### Whole listings of real servers, findings of all four scanners\n\n| listing | log | flag | block |\n|---|---|---|---|\n")
		for _, name := range sortedKeys(listings) {
			c := listings[name]
			fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", name, c["log"], c["flag"], c["block"])
		}
	}
	return b.String()
}

func falseRate(outcomes []outcome, group string) string {
	var t tally
	for _, o := range outcomes {
		if !o.row.attack() && o.row.group() == group {
			t.add(o)
		}
	}
	if t.rows == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %% (%d of %d)", 100*t.share(), t.flagged, t.rows)
}
