package textmodel

// orderReach is how far behind the beginning of its sentence an order may name
// what it is about.
const orderReach = 14

// sentence returns the first word of the sentence that w[i] stands in, as far as
// an order reaches; a polite or ordering word before the verb is passed over. It
// is -1 where the sentence begins further away.
func sentence(w []Token, i int) int {
	for j := i; j >= 0 && j >= i-orderReach; j-- {
		if w[j].Mark&MarkStart == 0 {
			continue
		}
		for k := 0; k < 2 && j < i && w[j].Class&(Request|Now|Ordering) != 0 && w[j].Class&(Act|Shape) == 0; k++ {
			j++
		}
		return j
	}
	return -1
}

// orders reads sentences that tell a model, or whoever acts for a person, what
// to do.
func (r *Reading) orders(w []Token, i int) {
	t := &w[i]
	if t.Class&(Reply|Snippet) != 0 {
		if j := near(w, i, 3, You); j >= 0 && !broken(w, j, i, MarkStart) {
			r.reply(w, j, i)
		}
	}
	if t.Class&Person != 0 {
		if j := near(w, i, 2, Disclose|Transfer|Act|Shape|Request); j >= 0 && sentence(w, i) == j {
			r.set(TellUser, &w[j], t)
		}
	}
	if t.Class&(Asset|Sensitive) != 0 {
		if j := near(w, i, 6, Self|Person); j >= 0 {
			if k := sentence(w, j); k >= 0 && k < j && w[k].Class&(Act|Transfer|Gather|Destroy|Affect|Money) != 0 {
				r.set(ActOrder, &w[k], t)
			}
		}
	}
	if t.Class&Refusal != 0 {
		if j := near(w, i, 6, Negation); j >= 0 && !broken(w, j, i, MarkStart) {
			r.set(NoRefusal, &w[j], t)
		}
	}
	if t.Class&Only != 0 {
		if j := near(w, i, 3, Output); j >= 0 && !broken(w, j, i, MarkStart|MarkComma) {
			r.set(SayOnly, &w[j], t)
		}
	}
	if t.Class&Output != 0 {
		if j := near(w, i, 2, Only); j >= 0 && !broken(w, j, i, MarkStart|MarkComma) {
			r.set(SayOnly, &w[j], t)
		}
	}
}

// reply reads an order about "your answer" or "your code", which stands at w[i]
// with its pronoun at w[j].
func (r *Reading) reply(w []Token, j, i int) {
	t := &w[i]
	from := sentence(w, j)
	if from < 0 {
		return
	}
	if t.Class&Reply != 0 && from < j {
		if w[from].Class&Shape != 0 || j == from+1 && w[from].Hash == inHash && i+1 < len(w) && w[i+1].Class&(Shape|Disclose|Output) != 0 {
			r.set(ShapeReply, &w[from], t)
		}
	}
	if t.Class&Snippet == 0 {
		return
	}
	for k := from; k < len(w) && k < i+8; k++ { // the piece of code that is to go there
		if k > i && w[k].Mark&MarkStart != 0 {
			return
		}
		if w[k].Class&Snippet != 0 && near(w, k, 3, Fresh) >= from {
			r.set(EmbedCode, &w[from], t)
			return
		}
	}
}

// inHash is the hash of the word in.
const inHash = 0x41387a9e

// late reads phrases of languages in which the verb may come last.
func (r *Reading) late(w []Token, i int) {
	t := &w[i]
	if j := near(w, i, 8, Directive|Dialogue); j >= 0 && !broken(w, j, i, MarkStart) {
		if t.Class&Override != 0 {
			if near(w, i, 10, Prior|You|Whole|System) >= 0 {
				r.set(SetAside, &w[j], t)
			}
			r.set(SetAsideLoose, &w[j], t)
		}
		if t.Class&(Output|Reveal) != 0 && near(w, i, 9, System|You|Prior) >= 0 {
			r.set(RevealPrompt, &w[j], t)
		}
	}
	if t.Class&Override != 0 && near(w, i, 10, Whole) >= 0 {
		if j := near(w, i, 10, Prior); j >= 0 && !broken(w, j, i, MarkStart) { // what was said before
			r.set(SetAside, &w[j], t)
		}
	}
	if t.Class&Transfer != 0 {
		if j := near(w, i, 8, Sensitive); j >= 0 {
			r.set(SendSensitive, &w[j], t)
		}
	}
}
