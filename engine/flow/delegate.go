package flow

import "strings"

// Order is a kind of mark that means nothing where the owner asked that what a
// document says be done: whoever has his bills paid wants the account on the
// bill to be used. It is remembered all the same where he was not heard.
const Order = "order"

// delegations are words with which somebody asks for that, in lower case.
var delegations = [...]string{
	"pay the", "pay my", "pay this", "pay for", "bill", "invoice", "to-do", "todo", "to do list", "tasks", "action items", "actions", "instructions",
	"steps", "follow ", "as it says", "as described", "as requested", "says", "suggest", "accordingly", "according to", "adjust", "work off", "list at",
	"do what", "do whatever", "do everything", "handle", "take care of", "respond to", "reply to", "answer the", "what is asked", "asks for", "asked for",
	"requested", "checklist", "specified", "mentioned in", "listed in", "described in", "given in",
	"rechnung", "anweisung", "aufgaben", "erledige", "befolge", "beantworte", "facture", "instrucciones", "tareas", "factura", "istruzioni", "fattura", "指示", "按照", "手順",
}

// delegates reports that somebody asks for what a document says to be done. It
// is generous: it only spares marks that are weak in themselves.
func delegates(said []string) bool {
	for _, text := range said {
		text = strings.ToLower(text)
		for _, words := range delegations {
			if strings.Contains(text, words) {
				return true
			}
		}
	}
	return false
}
