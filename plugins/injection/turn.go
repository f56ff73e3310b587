package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// turning says how plainly a text turns to a model: the weight that its order
// needs, so that less is more.
type turning int

const (
	turnNone  turning = 0
	turnPlain turning = 2 // "Note to the AI assistant:"
	turnSoft  turning = 3 // "… without asking the user …", which speaks of its work
	turnFar   turning = 4 // "AI agents must …", as documentation has it, too
)

// turned tells how a text turns to the model for which text[start:end] is a word.
// Conditions are asked in the order of what they cost, as far as they do not
// depend on each other: most words for a model are in clauses about one.
func turned(low *lowercase, start, end int) turning {
	text := low.text
	word := strings.ToLower(text[start:end])
	if !names(word) || word == "user-agent" || start > 1 && text[start-1] == '.' && joined(text[start-2]) {
		return turnNone
	}
	tail := low.of(end, min(len(text), end+tailReach))
	if titles.Begin(tail) {
		return turnNone
	}
	lead, opened := clauseBefore(low, start)
	if next, _ := utf8.DecodeRuneInString(text[end:]); !ascii(word) || next >= 0x80 && unicode.IsLetter(next) {
		return foreignTurn(lead, text[end:min(len(text), end+30)])
	}
	near := sentenceOf(tail)
	switch {
	case word[0] == '@' && opensWith(tail):
		return turnPlain
	case visible.In(lead):
		return turnPlain
	case greeted(lead) && (has(near[:min(len(near), 36)], ':', ',') || strings.HasPrefix(text[end:], "!") || obligations.In(near)):
		return turnPlain
	case conditional(lead):
		return turnPlain
	case strings.HasPrefix(tail, "::"):
		return turnNone
	case !few(lead):
		return turnNone
	case announced(near):
		if strings.HasPrefix(tail, ":") && (turns(text, start) || !opened || !general(lead)) {
			return turnNone
		}
		return turnPlain
	case opened && called(near):
		return turnPlain
	case modal(near):
		switch {
		case readsThis.In(near) || when.In(lead):
			return turnPlain
		case one(near, " that ", " which ", " who "):
			return turnSoft
		}
		return turnFar
	}
	return turnNone
}

// readsThis and when, behind and before a word for a model, make the clause one
// about a model that reads the text at hand.
var (
	readsThis = literal.New(" this", " reading", " processing", " summari", " handling", " analy", " parsing", " visiting", " editing", " reads", " that read", " on behalf", " driven", " used by", " taking")
	when      = literal.New("if ", "falls ", "si ", "se ", "als ", "wenn ", "jeśli ", "eğer ", "если ")
)

// names reports a word that is one for a model: the host finds its letters
// within other words, too.
func names(word string) bool {
	if assistants.Begin(word) {
		switch word {
		case "assist", "assists", "assisted", "assisting", "assistance", "assistir", "assistant's":
		default:
			return true
		}
	}
	if !ascii(word) || strings.IndexByte(word, ' ') >= 0 {
		return true
	}
	for rest := word; rest != ""; {
		i := strings.IndexAny(rest, "-@_")
		if i < 0 {
			i = len(rest)
		}
		if modelWords[rest[:i]] {
			return true
		}
		rest = rest[min(len(rest), i+1):]
	}
	return strings.Contains(word, "assistent") || strings.Contains(word, "sprachmodell") || strings.Contains(word, "chatbot")
}

var assistants = literal.NewPrefixes("assist", "asist", "asyst")

// modelWords are the words for a model, whole.
var modelWords = set("automated reads ai ia ki llm llms gpt chatgpt claude gemini copilot bot bots agent agents model models chatbot chatbots agente agentes agenti agenten language modelo modèle")

// titles follow the word where it is a person's.
var titles = literal.NewPrefixes(" professor", " manager", " director", " editor", " secretary", " coach", " principal", " vice", " surgeon", " commissioner", " (m/f", " to the ")

// few reports a lead of nothing but an article and words that describe.
func few(lead string) bool {
	lead = strings.TrimSpace(lead)
	for rest, more, spaces := lead, true, 0; more; spaces++ {
		var word string
		if word, rest, more = strings.Cut(rest, " "); tells(word) || spaces > 2 {
			return false
		}
	}
	return !verbs[firstWord(lead)]
}

// tells reports a word of leads that are about a model and do not speak to it.
func tells(word string) bool {
	switch word {
	case "a", "an", "our", "your", "my", "their", "his", "her", "this", "that", "new", "by", "of", "with", "in", "and", "or", "is", "are", "as", "from", "than", "like", "how":
		return true
	}
	return false
}

// verbs make of the word behind them what they are about.
var verbs = set("tell ask let give make have show use train build create run call prompt teach set configure start stop trick force allow see get help want choose pick which what how so")

// visible are leads of a remark about who is to read a text.
var visible = literal.New("visible to ", "readable by ", "readable for ", "meant for ", "intended for ", "addressed to ", "only for ")

// greeted reports a lead that begins as one speaks to somebody.
func greeted(lead string) bool {
	n := greeting.Of(lead)
	if n < 0 {
		return false
	}
	s := salutations[n]
	if rest, ok := strings.CutPrefix(lead[len(s):], "your "); ok && strings.HasSuffix(s, "s for ") { // "PS for your assistant:"
		return few(rest)
	}
	return len(s) > 4 && s[0] != 'p' || few(lead[len(s):])
}

// general reports a lead that means any model, and not one by its name: "Review
// bot:" says who speaks.
func general(lead string) bool {
	for word := range strings.FieldsSeq(lead) {
		if !generalWords[word] {
			return false
		}
	}
	return true
}

var generalWords = set("the all any every each ai llm digital automated virtual large language personal smart dear")

// announced reports a colon close behind that something follows, as in no URL.
func announced(near string) bool {
	i := strings.IndexByte(near[:min(len(near), 60)], ':')
	return i >= 0 && (i+1 == len(near) || strings.IndexByte(" \"'*_`\\", near[i+1]) >= 0)
}

// called reports a clause whose subject is set apart by a comma, behind which an
// order stands: "note taker, email the list".
func called(near string) bool {
	i := strings.IndexByte(near, ',')
	return i >= 0 && strings.Count(near[:i], " ") <= 2 && opensWith(near[i+1:])
}

var salutations = [...]string{"dear ", "hey ", "hi ", "hello ", "attention ", "note to ", "note for ", "notes for ", "message to ", "message for ", "instruction to ", "instructions to ", "instruction for ",
	"instructions for ", "notice to ", "notice for ", "to ", "for ", "important", "p.s. for ", "ps for ", "hint to ", "tip for ", "request to ", "psa for ", "ok ", "please ",
	"an den ", "an die ", "an alle ", "hinweis ", "für ", "liebe ", "lieber ", "nota ", "para ", "al ", "a los ", "a la ", "querido ", "estimado ", "à ", "a l'", "note à ", "pour ", "cher ", "chère ", "aan ", "voor ", "beste ", "per ", "all'", "agli ", "caro ", "do ", "dla ", "drogi ", "внимание", "для ", "к ", "sayın ", "إلى", "请", "致", "給"}

var greeting = literal.NewPrefixes(salutations[:]...)

// conditional reports "if you are an" and its kin.
func conditional(lead string) bool {
	return conditions.In(lead) && !strings.Contains(lead, "if a model ")
}

var conditions = literal.New("if you are ", "if you're ", "if you act ", "if an ", "if any ", "if this is read by ", "if a ", "for anyone using ", "anyone using ", "whichever ", "falls sie ", "falls du ", "wenn du ", "wenn sie ", "si vous êtes ", "si tu es ", "si eres ", "si usted es ",
	"se sei ", "se você for ", "se você é ", "als je ", "als u ", "jeśli jesteś ", "jeśli czyta ", "если ты ", "если вы ", "eğer ")

// obligationWords tell somebody to do something, within the clause of its subject.
var obligationWords = [...]string{" must ", " should ", " shall ", " has to ", " have to ", " is required to ", " are required to ", " needs to ", " need to ", " please ", " kindly ", " pls ", " is to ", " are to ", " are asked to ", " is asked to ", " so kind ", " agrees to ",
	" muss ", " müssen ", " soll ", " sollen ", " debe ", " deben ", " doit ", " doivent ", " deve ", " devono ", " devem ", " moet ", " moeten ", " sollte ", " sollten ", " tiene que ", " tienen que ", " devi ", " musi ", " muszą ", " powinien ", " powinny ", " dienen ", " bitte ", " por favor ", " proszę ",
	" authorised to ", " authorized to ", " instructed to ", " has permission to "}

var obligations = literal.New(obligationWords[:]...)

// Every word has a bit of modal's.
var _ = [64]struct{}{len(obligationWords) - 1: {}}

// modal reports such a word that is not taken back where it first stands.
func modal(near string) (found bool) {
	var seen uint64
	obligations.Each(near, func(m, at int) bool {
		if seen>>m&1 != 0 {
			return true
		}
		seen |= 1 << m
		found = !retractions.Begin(near[at+len(obligationWords[m]):])
		return !found
	})
	return found
}

var retractions = literal.NewPrefixes("not ", "never ", "no ", "be ", "have ", "ask ", "also not", "only ", "nicht ")

// opensWith reports a text that goes on with a verb which acts.
func opensWith(tail string) bool {
	if w, _ := textmodel.Tokenize(tail[:min(len(tail), 24)], 1); len(w) > 0 && w[0].Class&(effects|textmodel.Act|textmodel.Late) != 0 && w[0].Class&textmodel.Directive == 0 {
		return true
	}
	word := firstWord(tail)
	if word == "please" || word == "kindly" {
		_, rest := first(tail)
		word = firstWord(rest)
	}
	return risky[word] || plainOrders[word]
}

// plainOrders are other verbs that follow a name in an order.
var plainOrders = set("add set call write read run open put create update change list tell say turn move copy install execute print fetch log type enter press fill store remember save")

// turns reports that a word and a colon label a turn of a conversation that has
// other turns.
func turns(text string, start int) bool {
	around := strings.ToLower(text[max(0, start-scriptReach):min(len(text), start+scriptReach)])
	return anyIn(around, []string{"customer:", "user:", "client:", "human:", "visitor:", "caller:", "kunde:", "student:", "guest:"})
}

// foreignTurn is turned for words of other scripts, whose clauses are not taken
// apart: a stop right behind the word sets it apart as whom the text speaks to.
func foreignTurn(lead, tail string) turning {
	if strings.ContainsAny(tail, ":,：，、") || conditional(lead) || greeted(lead) {
		return turnPlain
	}
	return turnFar
}
