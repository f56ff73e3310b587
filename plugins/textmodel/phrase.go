package textmodel

// Phrase is a turn of language that instructions aimed at a model are built of.
type Phrase uint8

// The phrases, each recognised by the classes of nearby words.
const (
	SetAside        Phrase = iota // ignore … previous … instructions
	SetAsideLoose                 // ignore … rules; forget everything
	Conceal                       // do not tell … the user
	ConcealLoose                  // never mention …
	CovertAct                     // silently forward …
	OrderedAct                    // before using …, read …
	ReadSensitive                 // read … credentials
	ReadPrivate                   // read … id_rsa
	SendSensitive                 // send … password
	SendAway                      // send … to https://…
	SendDialogue                  // include … conversation history
	RevealPrompt                  // repeat … system prompt
	TakePersona                   // you … act as
	TakeUnbound                   // unrestricted, jailbreak
	YouAreNow                     // you are now …; from now on you
	FakeEnvelope                  // <important>, [admin …], <hidden>
	FakeRole                      // ### system:, SYSTEM OVERRIDE
	YouMust                       // you must …
	AddressModel                  // the assistant must …; as an AI
	Imperative                    // a sentence that opens with an act
	PoliteOrder                   // a sentence that opens with please
	NewDirective                  // new instructions, the following instruction
	ToolOrder                     // before … call … tool
	SelfPromotion                 // always prefer … this tool
	RunShell                      // run … curl … bash
	MoveMoney                     // pay … to …
	DestroyAct                    // a sentence that opens with delete
	AttackTechnique               // dump … lsass; exfiltrate
	AlterTool                     // intercept … calls … tool
	HarmfulTask                   // illegal, unethical …
	WeakenControl                 // bypass … restrictions, disable … checks
	SystemDirective               // system … override, priority … instruction
	ShapeReply                    // a sentence that opens with include … in your answer
	EmbedCode                     // the following code snippet … into your solution
	TellUser                      // a sentence that opens with tell the user
	ActOrder                      // a sentence that opens with an act upon my account
	NoRefusal                     // never refuse, without disclaimers
	SayOnly                       // just say, reply only
	phrases
)

// Phrases is the number of phrases.
const Phrases = int(phrases)

// Span is a byte range of the text.
type Span struct{ Start, End int32 }

// Reading is what one window says.
type Reading struct {
	Phrases uint64 // bit set over Phrase
	Classes Class  // every class that occurs
	Where   [Phrases]Span
}

// Has reports whether every phrase given occurs.
func (r *Reading) Has(all ...Phrase) bool {
	for _, p := range all {
		if r.Phrases>>p&1 == 0 {
			return false
		}
	}
	return true
}

// Silent reports a window without a phrase. The model is not asked about such
// windows, neither in learning nor in use: most of ordinary traffic is silent,
// and an instruction is not.
func (r *Reading) Silent() bool { return r.Phrases == 0 }

// Any reports whether one of the phrases occurs.
func (r *Reading) Any(some ...Phrase) bool {
	for _, p := range some {
		if r.Phrases>>p&1 != 0 {
			return true
		}
	}
	return false
}

func (r *Reading) set(p Phrase, from, to *Token) {
	if r.Phrases>>p&1 == 0 {
		r.Phrases |= 1 << p
		r.Where[p] = Span{from.Start, to.End}
	}
}

// Span returns the byte range that covers the phrases given, those that occur.
func (r *Reading) Span(some ...Phrase) Span {
	out := Span{-1, -1}
	for _, p := range some {
		if r.Phrases>>p&1 == 0 {
			continue
		}
		w := r.Where[p]
		if out.Start < 0 || w.Start < out.Start {
			out.Start = w.Start
		}
		out.End = max(out.End, w.End)
	}
	return out
}

// near finds, walking back from token i over at most reach tokens, the nearest
// one with a class in c; -1 if there is none.
func near(w []Token, i, reach int, c Class) int {
	if w[i].Before&c == 0 {
		return -1
	}
	for j := i - 1; j >= 0 && j >= i-reach; j-- {
		if w[j].Class&c != 0 {
			return j
		}
	}
	return -1
}

// broken reports that a gap with one of the marks stands between tokens j and i.
func broken(w []Token, j, i int, m Mark) bool {
	for k := j + 1; k <= i; k++ {
		if w[k].Mark&m != 0 {
			return true
		}
	}
	return false
}

// bare reports that "above" or "previous" at i qualifies no noun: the sentence
// ends or goes on with a conjunction or an order.
func bare(w []Token, i int) bool {
	if i+1 == len(w) {
		return true
	}
	next := &w[i+1]
	return next.Mark&(MarkStart|MarkComma|MarkQuote) != 0 || next.Class&(Output|Ordering|Directive|Request|Reveal|Goal) != 0 || next.Hash == andHash
}

// andHash is the hash of the word and.
const andHash = 0xf29c2a6

// Read recognises the phrases of one window.
func Read(w []Token) *Reading {
	r := new(Reading)
	r.Read(w)
	return r
}

// Read reads another window in place of the one before.
func (r *Reading) Read(w []Token) {
	r.Phrases, r.Classes = 0, 0 // without its phrase a place means nothing
	for i := range w {
		t := &w[i]
		if t.Class == 0 {
			continue // as most words are
		}
		r.Classes |= t.Class
		if !t.Ends {
			continue
		}
		if t.Mark != 0 {
			r.opening(w, i)
		}
		if t.Class&endsLanguage != 0 {
			r.language(w, i)
		}
		if t.Class&endsData != 0 {
			r.data(w, i)
		}
		if t.Class&endsTools != 0 {
			r.tools(w, i)
		}
		if t.Class&endsOrders != 0 {
			r.orders(w, i)
		}
	}
}

// Classes of the words with which the phrases of a kind end. Every phrase is
// looked for backwards from its last word.
const (
	endsLanguage = Directive | Dialogue | Prior | Override | Urgency | Disclose | Person | Goal | Unbound | Persona | You | Now |
		Obligation | Addressee | Harm | Late
	endsOrders = Reply | Snippet | Person | Asset | Sensitive | Refusal | Only | Output
	endsData   = Sensitive | PrivateFile | Destination | Dialogue | Transfer | Gather | Invoke | Covert | Money
	endsTools  = Tool | Prefer | Gather | Transfer | Shell | Offence
)

// pairs are the classes of a phrase's last word with those of which one is
// needed before it, at the least.
var pairs = [...]struct{ last, before Class }{
	{Directive | Dialogue | Prior, Override},
	{Directive, Fresh | Output | Reveal | Gather | Weaken | Destroy | Negation},
	{Directive | Override | Urgency, System},
	{Disclose, Negation},
	{Person, Disclose},
	{Goal, Fresh},
	{Persona, You | Addressee},
	{You, Persona | Now},
	{Now | Obligation | Addressee, You},
	{Obligation, Addressee},
	{Sensitive | PrivateFile | Dialogue, Gather | Transfer},
	{Destination, Transfer},
	{Transfer | Gather | Invoke, Covert},
	{Covert, Transfer | Gather | Invoke | Destroy},
	{Money, Transfer | Money},
	{Tool, Invoke | Affect},
	{Prefer, Tool},
	{Gather | Transfer, Ordering},
	{Shell, Invoke | Shell},
	{Directive | Dialogue | Prior, Follow},
	{Late, Directive | Dialogue | Sensitive | Prior},
	{Reply | Snippet, You},
	{Asset | Sensitive, Self | Person},
	{Refusal, Negation},
	{Only, Output},
	{Output, Only},
}

// endings tells whether a word of this class can end a phrase: alone, and
// behind which others.
func endings(c Class) (alone bool, needs Class) {
	for _, p := range pairs {
		if c&p.last != 0 {
			needs |= p.before
		}
	}
	return c&(Harm|Offence) != 0 || c&(Unbound|Fresh) == Unbound, needs
}

// opens reports that opening may have something to say of a word.
func opens(m Mark, c Class) bool {
	return m&MarkStart != 0 && c&(Request|acts|Destroy) != 0 ||
		m&MarkOpen != 0 && c&(Envelope|System|Urgency|Instruct|Addressee) != 0 ||
		(m&MarkHeading != 0 || m&(MarkLine|MarkUpper) == MarkLine|MarkUpper) && c&(System|Addressee|Urgency) != 0
}

// acts are the classes of verbs with which an order opens.
const acts = Override | Transfer | Gather | Invoke | Output | Persona | Reveal | Weaken

// opening reads what stands at the beginning of a sentence or tag.
func (r *Reading) opening(w []Token, i int) {
	t := &w[i]
	if t.Mark&MarkOpen != 0 && t.Class&(Envelope|System|Urgency|Instruct) != 0 {
		r.set(FakeEnvelope, t, t)
	}
	if t.Mark&(MarkHeading|MarkLine|MarkOpen) != 0 && t.Class&(System|Addressee|Urgency) != 0 &&
		(t.Mark&(MarkHeading|MarkUpper|MarkOpen) != 0) {
		r.set(FakeRole, t, t)
	}
	if t.Mark&MarkStart == 0 {
		return
	}
	act := t
	if t.Class&Request != 0 {
		r.set(PoliteOrder, t, t)
		if i+1 < len(w) {
			act = &w[i+1]
		}
	}
	if act.Class&acts != 0 {
		r.set(Imperative, t, act)
	}
	if act.Class&Destroy != 0 {
		r.set(DestroyAct, t, act)
	}
}

// language reads phrases about the model and its instructions.
func (r *Reading) language(w []Token, i int) {
	t := &w[i]
	if t.Class&Late != 0 {
		r.late(w, i)
	}
	if t.Class&(Directive|Dialogue|Prior) != 0 {
		if j := near(w, i, 8, Follow); j >= 0 {
			if k := near(w, j, 3, Negation); k >= 0 && !broken(w, k, i, MarkStart) &&
				(t.Class&Prior != 0 || t.Class&(Directive|Dialogue) != 0 && near(w, i, i-j, Prior|You|System) >= 0) {
				r.set(SetAside, &w[k], t)
			}
		}
		if j := near(w, i, 8, Override); j >= 0 {
			what := Prior | You | System | Addressee
			if t.Class&Instruct != 0 {
				what |= Whole
			}
			if t.Class&(Directive|Dialogue) != 0 && near(w, i, i-j, what) > j && !broken(w, j, i, MarkStart) {
				r.set(SetAside, &w[j], t)
			}
			if t.Class&Directive != 0 || i-j <= 3 {
				r.set(SetAsideLoose, &w[j], t)
			}
			if t.Class&Prior != 0 && w[j].Class&Late != 0 && !broken(w, j, i, MarkStart) && near(w, i, i-j, Directive|Whole) > j {
				r.set(SetAside, &w[j], t) // the rules above, all that was said before
			}
			if t.Class&Prior != 0 && i-j <= 3 && bare(w, i) && (w[j].Mark&MarkStart != 0 || near(w, j, 2, Request|Now|Obligation|You) >= 0) {
				r.set(SetAside, &w[j], t)
			}
		}
		if t.Class&Directive != 0 {
			if j := near(w, i, 4, Fresh); j >= 0 {
				r.set(NewDirective, &w[j], t)
			}
			if j := near(w, i, 6, Output|Reveal|Gather); j >= 0 && near(w, i, 6, System|You|Prior) >= 0 {
				r.set(RevealPrompt, &w[j], t)
			}
			if j := near(w, i, 6, Weaken|Destroy); j >= 0 {
				r.set(WeakenControl, &w[j], t)
			}
		}
	}
	if t.Class&(Directive|Override|Urgency) != 0 {
		if j := near(w, i, 2, System); j >= 0 && (t.Mark&MarkUpper != 0 || w[j].Mark&(MarkOpen|MarkHeading|MarkUpper) != 0) {
			r.set(SystemDirective, &w[j], t)
		}
	}
	if t.Class&Disclose != 0 {
		if j := near(w, i, 2, Negation); j >= 0 && !broken(w, j, i, MarkStart|MarkComma) {
			r.set(ConcealLoose, &w[j], t)
		}
	}
	if t.Class&Person != 0 {
		if j := near(w, i, 5, Disclose); j >= 0 && !broken(w, j, i, MarkStart) {
			if k := near(w, j, 3, Negation); k >= 0 && !broken(w, k, j, MarkStart|MarkComma) {
				r.set(Conceal, &w[k], t)
			}
		}
	}
	if t.Class&(Directive|Goal) != 0 {
		if j := near(w, i, 2, Fresh); j >= 0 && near(w, i, 4, You) >= 0 {
			r.set(NewDirective, &w[j], t)
		}
	}
	if t.Class&Directive != 0 {
		if j := near(w, i, 3, Negation); j >= 0 && near(w, j, 8, You|Persona|Addressee|System) >= 0 && !broken(w, j, i, MarkStart) {
			r.set(TakeUnbound, &w[j], t)
		}
	}
	if t.Class&Unbound != 0 && t.Class&Fresh == 0 {
		r.set(TakeUnbound, t, t)
	}
	if t.Class&Persona != 0 {
		if j := near(w, i, 8, You|Addressee); j >= 0 {
			r.set(TakePersona, &w[j], t)
		}
	}
	if t.Class&You != 0 {
		if j := near(w, i, 6, Persona); j >= 0 {
			r.set(TakePersona, &w[j], t)
		}
		if j := near(w, i, 4, Now); j >= 0 {
			r.set(YouAreNow, &w[j], t)
		}
	}
	if t.Class&Now != 0 {
		if j := near(w, i, 3, You); j >= 0 {
			r.set(YouAreNow, &w[j], t)
		}
	}
	if t.Class&Obligation != 0 {
		if j := near(w, i, 3, You); j >= 0 {
			r.set(YouMust, &w[j], t)
		}
		if j := near(w, i, 3, Addressee); j >= 0 {
			r.set(AddressModel, &w[j], t)
		}
	}
	if t.Class&Addressee != 0 {
		if j := near(w, i, 4, You); j >= 0 {
			r.set(AddressModel, &w[j], t)
		}
	}
	if t.Class&Harm != 0 {
		r.set(HarmfulTask, t, t)
	}
}

// data reads phrases about taking and carrying away data.
func (r *Reading) data(w []Token, i int) {
	t := &w[i]
	if t.Class&(Sensitive|PrivateFile) != 0 {
		if j := near(w, i, 6, Gather); j >= 0 {
			r.set(ReadSensitive, &w[j], t)
		}
		if j := near(w, i, 8, Transfer); j >= 0 {
			r.set(SendSensitive, &w[j], t)
		}
		if t.Class&PrivateFile != 0 {
			if j := near(w, i, 10, Gather|Transfer); j >= 0 {
				r.set(ReadPrivate, &w[j], t)
			}
		}
	}
	if t.Class&(Destination) != 0 {
		if j := near(w, i, 12, Transfer); j >= 0 {
			r.set(SendAway, &w[j], t)
		}
	}
	if t.Class&Dialogue != 0 {
		if j := near(w, i, 6, Transfer|Gather); j >= 0 {
			r.set(SendDialogue, &w[j], t)
		}
	}
	if t.Class&(Transfer|Gather|Invoke) != 0 {
		if j := near(w, i, 4, Covert); j >= 0 {
			r.set(CovertAct, &w[j], t)
		}
	}
	if t.Class&Covert != 0 {
		if j := near(w, i, 12, Transfer|Gather|Invoke|Destroy); j >= 0 {
			r.set(CovertAct, &w[j], t)
		}
	}
	if t.Class&Money != 0 {
		if j := near(w, i, 6, Transfer|Money); j >= 0 {
			r.set(MoveMoney, &w[j], t)
		}
	}
}

// tools reads phrases about tools, programs and attack techniques.
func (r *Reading) tools(w []Token, i int) {
	t := &w[i]
	if t.Class&Tool != 0 {
		if j := near(w, i, 5, Invoke); j >= 0 {
			if k := near(w, j, 4, Ordering); k >= 0 {
				r.set(ToolOrder, &w[k], t)
			}
			if k := near(w, j, 3, Prefer|Obligation); k >= 0 {
				r.set(SelfPromotion, &w[k], t)
			}
		}
		if j := near(w, i, 6, Affect); j >= 0 {
			r.set(AlterTool, &w[j], t)
		}
	}
	if t.Class&Prefer != 0 {
		if j := near(w, i, 6, Tool); j >= 0 {
			r.set(SelfPromotion, &w[j], t)
		}
	}
	if t.Class&(Gather|Transfer) != 0 {
		if j := near(w, i, 8, Ordering); j >= 0 && near(w, i, 8, Invoke|Output) >= 0 {
			r.set(OrderedAct, &w[j], t)
		}
	}
	if t.Class&Shell != 0 {
		if j := near(w, i, 6, Invoke|Shell); j >= 0 {
			r.set(RunShell, &w[j], t)
		}
	}
	if t.Class&Offence != 0 {
		r.set(AttackTechnique, t, t)
	}
}
