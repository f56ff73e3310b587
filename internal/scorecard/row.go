// Package scorecard counts what detectors said about labelled rows: recall,
// precision and false alarms by family and source, with intervals and costs. It
// reads labels only. It must not know how a row is scanned, nor files.
package scorecard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrLabels means that a row does not say what it is.
var ErrLabels = errors.New("labels")

// Families of findings, as reports list them. Sessions are counted as a family
// of their own, whatever was found in them.
var Families = []string{"injection", "exfil", "poisoning", "shadowing", Sessions}

// Sessions is the family of rows that are whole sessions.
const Sessions = "session"

// Kinds of rows.
var kinds = []string{"listing", "call", "result", "session"}

// Row is what a corpus says of one of its rows, without the texts.
type Row struct {
	ID      string
	Family  string
	Attack  bool
	Kind    string // listing, call, result or session
	Subtype string
	Group   string // where it came from: source, or source:part
	Lang    string // "" where nothing is said
	Hard    bool   // a hard negative
	Buried  bool   // the words of the attack are known, and stand inside other text
}

// maxLabel bounds a label: reports are read by people.
const maxLabel = 120

// ReadRow takes the labels out of one line of a corpus. Members that it does not
// know are somebody else's.
func ReadRow(line []byte) (Row, error) {
	var r struct {
		ID      string         `json:"id"`
		Family  string         `json:"family"`
		Label   string         `json:"label"`
		Kind    string         `json:"kind"`
		Subtype jsontext.Value `json:"subtype"`
		Group   string         `json:"group"`
		Lang    jsontext.Value `json:"lang"`
		Hard    bool           `json:"hard_negative"`
		Content jsontext.Value `json:"content"`
		Payload jsontext.Value `json:"payload"`
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return Row{}, fmt.Errorf("%w: %w", ErrLabels, err)
	}
	row := Row{
		ID: r.ID, Family: r.Family, Attack: r.Label == "attack", Kind: r.Kind, Group: r.Group, Hard: r.Hard,
		Subtype: text(r.Subtype), Lang: text(r.Lang),
	}
	if n := len(text(r.Payload)); n > 0 {
		row.Buried = n < len(text(r.Content))
	}
	switch {
	case r.Label != "attack" && r.Label != "benign":
		return row, fmt.Errorf("%w: label %.40q", ErrLabels, r.Label)
	case !slices.Contains(kinds, r.Kind):
		return row, fmt.Errorf("%w: kind %.40q", ErrLabels, r.Kind)
	case row.Attack && (r.Family == Sessions || !slices.Contains(Families, r.Family)):
		return row, fmt.Errorf("%w: an attack of family %.40q", ErrLabels, r.Family)
	case row.group() == "" || len(row.group()) > maxLabel || len(row.Subtype) > maxLabel:
		return row, fmt.Errorf("%w: source and subtype are at most %d bytes, and a source is not empty", ErrLabels, maxLabel)
	}
	if r.Kind == Sessions {
		row.Family = Sessions
	}
	return row, nil
}

// text is a string, or nothing for any other value.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(s)
}

// Class of a row without an attack: how much a false alarm on it says.
type Class string

// Classes.
const (
	Attack   Class = "attack"
	Ordinary Class = "ordinary"      // what servers and agents send
	Hard     Class = "hard negative" // looks like an attack
	Chat     Class = "chat prompt"   // what people type, not what tools answer
)

var classes = []Class{Attack, Ordinary, Hard, Chat}

func (c Class) rank() int { return slices.Index(classes, c) }

// chats are the collections of chat prompts, which no field of a row tells.
var chats = []string{"neuralchemy", "wildguard-benign", "piguard-valid", "garak-inthewild"}

func (r *Row) chat() bool {
	return slices.Contains(chats, strings.TrimPrefix(r.group(), "encoded-"))
}

// Class is what kind of row it is.
func (r *Row) Class() Class {
	switch {
	case r.Attack:
		return Attack
	case r.Hard:
		return Hard
	case r.chat():
		return Chat
	}
	return Ordinary
}

// group is the collection that the row came from.
func (r *Row) group() string {
	name, _, _ := strings.Cut(r.Group, ":")
	return name
}

// source is the name under which a row is reported: personal data is told apart
// by what it is.
func (r *Row) source() string {
	if strings.HasPrefix(r.Subtype, "pii_") {
		return r.group() + " " + r.Subtype
	}
	return r.group()
}
