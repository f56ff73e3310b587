package scorecard

import "strings"

// cut is a part of a corpus that has figures of its own: attacks of one family,
// and the rows without an attack that its scanners see.
type cut struct {
	name   string
	family string
	attack func(*Row) bool
	chats  bool // chat prompts count against precision
}

// cuts are the parts that reports list, in their order. What they tell apart is
// told by fields of the rows, except for collections that the corpora's README
// sets apart by name: chat prompts (chats), bipia and cisco-eval.
var cuts = []cut{
	{"injection", "injection", every, true},
	{"injection in English, aimed at agents", "injection", func(r *Row) bool {
		return !r.chat() && !encoded(r) && !r.Buried && (r.Lang == "" || r.Lang == "en")
	}, false},
	{"injection buried in results", "injection", func(r *Row) bool { return r.Buried }, false},
	{"exfil", "exfil", every, true},
	{"exfil without contact data", "exfil", func(r *Row) bool { return r.Subtype != "pii_contact" }, true},
	{"poisoning", "poisoning", func(r *Row) bool { return !overt(r) }, true},
	{"poisoning, overt capabilities", "poisoning", overt, true},
	{"poisoning, both", "poisoning", every, true},
	{"shadowing", "shadowing", every, true},
	{"sessions", Sessions, every, true},
}

func every(*Row) bool { return true }

func encoded(r *Row) bool { return strings.HasPrefix(r.group(), "encoded-") }

// overt are tools that say openly that they do harm: no hidden instruction.
func overt(r *Row) bool { return r.group() == "cisco-eval" }
