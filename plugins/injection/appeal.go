package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/swar"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// An appeal is a passage in what a tool returns that turns to a model and orders
// it to do something with its tools or with what it says. Neither half is rare:
// documentation speaks to models about how to build a program, letters order
// their readers about. Together, and about what is the user's or somewhere else,
// they are in no text that was written for its reader.
//
// It is looked for where the host found a word for a model, so that all other
// text costs nothing.

// Bounds of an appeal.
const (
	maxAppeals   = 24  // words for a model that are looked at in one message
	appealReach  = 360 // bytes behind such a word
	appealTokens = 80
)

// appeals reports the texts of a message that turn to a model with an order.
func appeals(in *scanner.Input, out *scanner.Output, low *lowercase) {
	looked, done := 0, -1
	for i := range in.Hits {
		h := &in.Hits[i]
		if h.Pattern >= situations || h.Segment == done {
			continue
		}
		text := in.Segments[h.Segment].Text
		var start, end int
		turn := turnSoft
		if h.Pattern < addressees {
			low.about(text)
			start, end = wordAround(text, h.Start, h.End)
			turn = turned(low, start, end)
		} else {
			start = clauseStart(text, h.Start)
			end = start
		}
		if turn == turnNone {
			continue
		}
		if looked++; looked > maxAppeals {
			return
		}
		if from, to, ok := ordersAfter(text, start, end, turn); ok {
			from, to = wholeCharacters(text, from, to)
			out.Add(scanner.Finding{Rule: ruleIDs[ruleAppeal], Severity: "medium", Confidence: 0.65, Segment: h.Segment, Start: from, End: to})
			addSpan(out, ruleInstruction, markInstruction, h.Segment, text, from-reachBefore, to+reachAfter)
			done = h.Segment
		}
	}
}

// ordersAfter reports an order behind a word for a model, and where the passage
// is that holds both.
func ordersAfter(text string, start, end int, turn turning) (from, to int, ok bool) {
	to = min(len(text), end+appealReach)
	if i := strings.Index(text[end:to], "\n\n"); i > 40 {
		to = end + i
	}
	passage := text[end:to]
	w, read := textmodel.Tokenize(passage, appealTokens)
	to = end + min(read, len(passage))
	risk := 0
	for i := range w {
		if n := orderAt(passage, w, i); n > risk {
			if risk = n; risk == maxRisk {
				break
			}
		}
	}
	ok = risk > 0 && (risk >= int(turn) || evident(passage, w, int(turn)-risk))
	return start, to, ok
}

// maxRisk is the most that an order weighs.
const maxRisk = 2

// orderAt weighs the order that begins with a word: 2 where it acts upon the
// world, 1 where it reads, writes or says something, 0 where it is none.
func orderAt(text string, w []textmodel.Token, i int) int {
	t := &w[i]
	if quotedName(text, t) {
		return 0
	}
	if t.Mark&textmodel.MarkStart == 0 && (t.Class&ordering == 0 || t.Class&textmodel.Late == 0 && t.Mark&textmodel.MarkComma == 0) && !opensOrder(text[:t.Start]) {
		return 0
	}
	if t.Class&textmodel.Late != 0 { // of a language whose verbs stand elsewhere
		return 1 + min(1, int(t.Class&textmodel.Transfer))
	}
	word := strings.ToLower(text[t.Start:t.End])
	switch {
	case risky[word]:
		return 2
	case plainOrders[word], t.Class&ordering != 0 && !weakOrders[word]:
		return 1
	case i > 0 && obliging[strings.ToLower(text[w[i-1].Start:w[i-1].End])] && !states[word]:
		return 1 // whatever it is that has to be done
	}
	return 0
}

// quotedName reports a word that stands alone between quotation marks: the name
// of a member or a value of it, whatever it means elsewhere.
func quotedName(text string, t *textmodel.Token) bool {
	start, end := int(t.Start), int(t.End)
	for start > 0 && joined(text[start-1]) {
		start--
	}
	for end < len(text) && joined(text[end]) {
		end++
	}
	return start > 0 && end < len(text) && text[start-1] == '"' && text[end] == '"'
}

// effects are the parts of verbs that carry or destroy something.
const effects = textmodel.Transfer | textmodel.Destroy | textmodel.Money

// ordering are the parts of verbs that orders begin with.
const ordering = effects | textmodel.Invoke | textmodel.Gather | textmodel.Output | textmodel.Shape | textmodel.Disclose | textmodel.Override | textmodel.Act

// risky are the verbs of orders that act upon the world for somebody.
var risky = set("send forward transfer pay wire delete remove erase wipe share upload post publish submit grant invite unlock disable reset book reserve order buy purchase " +
	"approve merge cancel unsubscribe email mail dm text export exfiltrate transmit leak reveal disclose withdraw refund rebook whitelist follow drop collect push")

// obliging are words behind which stands what has to be done, states those that
// tell how something is.
var (
	obliging = set("must should shall please kindly pls")
	states   = set("be not have never always no only also still then first know understand note ask")
)

// weakOrders are words that open an order and mostly are none.
var weakOrders = set("first before use using new following note see")

// evident reports that so much makes an order one that nobody gives to his
// reader. What costs little is asked first.
func evident(text string, w []textmodel.Token, enough int) bool {
	var r textmodel.Reading
	r.Read(w)
	holds := func(some bool) bool {
		if some {
			enough--
		}
		return enough <= 0
	}
	return holds(r.Classes&(textmodel.Sensitive|textmodel.PrivateFile|textmodel.Dialogue) != 0) ||
		holds(r.Any(textmodel.MoveMoney, textmodel.RunShell, textmodel.SetAside, textmodel.SetAsideLoose, textmodel.RevealPrompt, textmodel.WeakenControl, textmodel.SayOnly)) ||
		holds(r.Classes&textmodel.Override != 0 || sooner.In(text)) ||
		holds(r.Classes&textmodel.Person != 0 && ofUser(text)) ||
		holds(mayHold(text) && hasPlace(text)) ||
		holds(r.Any(textmodel.Conceal, textmodel.ConcealLoose, textmodel.CovertAct) || quietly.In(text))
}

// What an order has to be done before or instead of, and without whom.
var (
	sooner  = literal.New("nstead", "before ", "Before ", "first", "First", "other than", "from now on", "whatever")
	quietly = literal.New("without asking", "without telling", "without showing", "without confirm", "without further", "keep quiet", "say nothing", "do not ask", "don't ask", "silently", "without approval")
)

// hasPlace reports an address, a URL or an account in a text.
func hasPlace(text string) bool {
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && !aside[text[end]] {
			end++
		}
		if end-i >= 6 && isPlace(text[i:end]) {
			return true
		}
		i = end + 1
	}
	return false
}

// ofUser reports that a text speaks of the user, or of whoever the model works
// for, as of somebody else. In other languages the word for the user is enough.
func ofUser(text string) bool {
	return swar.High(text) || users.In(text)
}

var users = literal.NewFold("user", "customer", "reader", "visitor", "owner", "traveller", "traveler", "student", "benutzer", "nutzer", "utilisateur", "utente", "usuario", "gebruiker", "pengguna",
	"client's", "human")
