package overreach

import "math/bits"

// Sign is one thing by which a sentence reaches beyond its entry.
type Sign uint8

// The signs.
const (
	Foreign    Sign = iota // speaks of the use of another tool: when create_issue is invoked
	AnyTool                // and of all of them: before any other operation
	Chained                // orders a call beside the entry's own: must first call read_file
	Tamper                 // has what was asked for replaced: the recipient must be changed to
	Disregard              // sets the user aside: even if the user did not ask
	Conceal                // keeps something from the user: without telling anyone
	Quiet                  // happens where nobody looks: silently, in the background
	SecretFile             // names a file of keys or passwords
	Secret                 // names what is private: saved passwords, API keys
	Context                // names what the model knows: the conversation, its instructions, its tools
	Address                // gives a mail address, telephone number or link of somebody's
	Carry                  // carries data: send, attach, pass on
	Order                  // gives an order: must, always, required
	Threat                 // or else: otherwise the tool will fail
	Pretext                // for security, for compliance, to verify the identity
	AlwaysOn               // at the start of every conversation
	Choose                 // asks to be chosen: always prefer this tool
	Compare                // sets itself above others: unlike other tools
	Disparage              // runs others down: all others are outdated
	Praise                 // advertises: the most accurate, trusted by millions
	Errand                 // wants something done for somebody: transfer 200 dollars from my account
	Bidding                // opens with an order to do something, other than to use the entry
	signs
)

// Signs is a set of signs.
type Signs uint32

// Has reports whether all of the signs given are in the set.
func (s Signs) Has(all ...Sign) bool {
	for _, sign := range all {
		if s>>sign&1 == 0 {
			return false
		}
	}
	return true
}

// Any reports whether one of the signs given is in the set.
func (s Signs) Any(some ...Sign) bool {
	for _, sign := range some {
		if s>>sign&1 != 0 {
			return true
		}
	}
	return false
}

// Len is how many signs are in the set.
func (s Signs) Len() int { return bits.OnesCount32(uint32(s)) }

// Sentence is one sentence of a text with its signs.
type Sentence struct {
	Start, End int // UTF-8 byte range in the text
	Signs      Signs
	Praises    int // how many words of advertising
	Supports   int // how many that are such only beside others
}
