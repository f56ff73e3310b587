package scorecard

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadRow(t *testing.T) {
	for _, c := range []struct {
		line  string
		want  Row
		class Class
	}{
		{`{"id":"a","family":"injection","label":"attack","kind":"result","group":"asb:3","content":"one two","payload":"two","lang":"de"}`,
			Row{ID: "a", Family: "injection", Attack: true, Kind: "result", Group: "asb:3", Lang: "de", Buried: true}, Attack},
		{`{"id":"b","family":"injection","label":"attack","kind":"result","group":"asb","content":"two","payload":"two"}`,
			Row{ID: "b", Family: "injection", Attack: true, Kind: "result", Group: "asb"}, Attack},
		{`{"family":"benign","label":"benign","kind":"call","group":"g","hard_negative":true,"subtype":7,"lang":null,"why":["x"]}`,
			Row{Family: "benign", Kind: "call", Group: "g", Hard: true}, Hard},
		{`{"family":"exfil","label":"attack","kind":"session","group":"g"}`,
			Row{Family: Sessions, Attack: true, Kind: "session", Group: "g"}, Attack},
		{`{"family":"benign","label":"benign","kind":"result","group":"wildguard-benign:1"}`,
			Row{Family: "benign", Kind: "result", Group: "wildguard-benign:1"}, Chat},
		{`{"family":"benign","label":"benign","kind":"listing","group":"g"}`,
			Row{Family: "benign", Kind: "listing", Group: "g"}, Ordinary},
	} {
		got, err := ReadRow([]byte(c.line))
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.line, err, diff)
		}
		if got.Class() != c.class {
			t.Errorf("%s: %s", c.line, got.Class())
		}
	}
}

func TestReadRowRefuses(t *testing.T) {
	for _, line := range []string{
		``, `[]`, `no`, `{}`, `{"id":1}`,
		`{"family":"benign","label":"unsure","kind":"call","group":"g"}`,
		`{"family":"benign","label":"benign","kind":"sermon","group":"g"}`,
		`{"family":"weather","label":"attack","kind":"call","group":"g"}`,
		`{"family":"session","label":"attack","kind":"session","group":"g"}`,
		`{"family":"benign","label":"benign","kind":"call"}`,
		`{"family":"benign","label":"benign","kind":"call","group":":7"}`,
		`{"family":"benign","label":"benign","kind":"call","group":"` + strings.Repeat("g", 121) + `"}`,
		`{"family":"benign","label":"benign","label":"attack","kind":"call","group":"g"}`,
		"{\"family\":\"benign\",\"label\":\"benign\",\"kind\":\"call\",\"group\":\"\xff\"}",
	} {
		if _, err := ReadRow([]byte(line)); !errors.Is(err, ErrLabels) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// FuzzReadRow: whatever a line holds, what is read of it can be counted and
// reported.
func FuzzReadRow(f *testing.F) {
	f.Add([]byte(`{"family":"exfil","label":"attack","kind":"call","group":"g|<b>","subtype":"pii_x"}`))
	f.Add([]byte(`{"family":"benign","label":"benign","kind":"session","group":"g:1"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := ReadRow(line)
		if err != nil {
			return
		}
		c := New(map[string][]string{"exfil": {"call", "result"}})
		if err := c.Add(row, Outcome{Found: map[string]Tier{row.Family: Flagged}, Bytes: len(line)}); err != nil {
			t.Fatal(err)
		}
		d := Document{Report: c.Report()}
		if d.Markdown() == "" || d.Rows != 1 {
			t.Errorf("%+v", d)
		}
	})
}
