package textmodel

// Class is the set of parts that a word can play in an instruction.
type Class uint64

// The parts. A word may have several: "forward" carries data, "copy" reads and
// carries it.
const (
	Override    Class = 1 << iota // set aside: ignore, disregard
	Prior                         // what came before: previous, above
	Directive                     // what governs a model: instructions, rules, prompt
	Addressee                     // the model addressed: assistant, AI, agent
	You                           // second person
	Negation                      // not, never, without
	Disclose                      // tell, mention, notify
	Person                        // the user, anyone
	Covert                        // secretly, silently
	Ordering                      // before, first, instead
	Obligation                    // must, always, required
	Urgency                       // important, critical, warning
	Transfer                      // send, forward, upload
	Gather                        // read, fetch, collect
	Sensitive                     // password, credentials, secrets
	PrivateFile                   // id_rsa, passwd, env, ssh
	Destination                   // webhook, attacker, endpoint
	Web                           // http, https, www
	Persona                       // act, pretend, roleplay
	Unbound                       // jailbreak, unrestricted, DAN
	System                        // system, developer, admin
	Tool                          // tool, function
	Invoke                        // call, invoke, execute, run
	Prefer                        // prefer, best, exclusively
	Destroy                       // delete, wipe, disable
	Shell                         // curl, chmod, bash
	Money                         // transfer of value: payment, bitcoin
	Request                       // please, kindly
	Output                        // say, print, reply
	Dialogue                      // conversation, history, context
	Reveal                        // reveal, repeat, leak
	Now                           // now, henceforth
	Fresh                         // new, following, real
	Affect                        // behaviour of other tools: modify, redirect, intercept
	Envelope                      // tags that attackers invent: important, hidden, secret, admin
	Offence                       // vocabulary of attack techniques: exfiltrate, keylogger
	Weaken                        // bypass, evade, escalate
	Harm                          // illegal, unethical, malware
	Whole                         // all, everything
	Goal                          // task, goal, role
	Self                          // first person: my, me
	Instruct                      // directives that only a reader follows: instructions
	Late                          // a verb of a language in which it may follow what it acts on
	Follow                        // to go by: follow, obey
	Only                          // only, just, nothing
	Reply                         // what a model gives back: answer, response
	Shape                         // gives a text its shape: include, replace, rewrite
	Act                           // does something by a tool: grant, book, cancel
	Asset                         // what such an act is done to: account, device, appointment
	Snippet                       // code as material: snippet, implementation
	Refusal                       // refuse, apologise, disclaimer
	classes
)

// Classes is the number of parts.
const Classes = 51

var _ = [1]struct{}{}[classes>>Classes-1] // Classes counts the constants above
