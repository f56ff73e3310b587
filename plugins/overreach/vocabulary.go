package overreach

import (
	"math/bits"
	"strings"
)

// class is a set of kinds of words.
type class uint64

const (
	when       class = 1 << iota // before it comes a condition
	universal                    // any, all, every
	toolword                     // what a model calls
	identifier                   // a name that is not the entry's own
	itself                       // the entry, its name or its parameters
	used                         // called, invoked
	using                        // calling, invoking
	call                         // call, invoke
	must                         // obligation
	change                       // replace, redirect
	changed                      // replaced, redirected
	field                        // what a call is given: recipient, amount
	carry                        // send, attach, hand over
	carried                      // sent, attached
	person                       // the user
	not                          // negation
	tell                         // tell, mention
	telling                      // telling, mentioning
	told                         // told, mentioned
	choose                       // prefer, choose
	rival                        // alternatives, competitors
	bad                          // outdated, unreliable
	private                      // passwords, API keys
	known_                       // what the model knows: conversation, history
	model                        // the model addressed
	reason                       // security, compliance
	failing                      // fail, crash, be rejected
	gather                       // read, collect
	link                         // an address of the web that is no example
	digits                       // a telephone or account number
	mail                         // a mail address that is no example
	this                         // the word before the entry's own kind: this tool
	most                         // the word before a quality
	praising                     // advertises
	supporting                   // advertises beside others
	quality                      // advertises behind most
	deed                         // what somebody has done for himself: grant, book, transfer
	usual                        // orders of documentation: use, check, provide
	lead                         // what may stand before an order
	currency                     // dollars, bitcoin
	myself                       // first person
	specimen                     // for example, in the format
)

var classes = map[string]class{
	"when": when, "universal": universal, "tool": toolword, "name": identifier, "self": itself, "used": used, "using": using, "call": call,
	"must": must, "change": change, "changed": changed, "field": field, "carry": carry, "carried": carried, "person": person, "not": not,
	"tell": tell, "telling": telling, "told": told, "choose": choose, "rival": rival, "bad": bad, "private": private, "known": known_, "model": model,
	"reason": reason, "failing": failing, "gather": gather, "link": link, "digits": digits,
}

var lists = []struct {
	class class
	words string
}{
	{when, "when whenever before after once if upon while prior everytime following during"},
	{universal, "any all each every other another others"},
	{toolword, "tool tools function functions operation operations call calls action actions command commands request requests query queries " +
		"transaction transactions plugin plugins api apis task tasks invocation invocations response responses answer answers"},
	{used, "used called invoked executed run triggered performed issued launched started sent made requested accessed opened selected chosen"},
	{using, "using calling invoking executing running performing issuing launching sending making accessing processing answering responding"},
	{call, "call invoke execute run use trigger launch consult perform activate"},
	{must, "must always shall should required need needs mandatory ensure require requires demands has have ought necessary obligatory"},
	{change, "replace change substitute modify redirect swap override overwrite rewrite alter reroute switch multiply increase double reset prefix duplicate"},
	{changed, "replaced changed substituted modified redirected swapped overridden overwritten rewritten altered rerouted switched multiplied increased doubled prefixed " +
		"duplicated rounded appended cc'd forwarded"},
	{field, "recipient recipients amount amounts destination address addresses url urls path paths account accounts number phone content contents ticker symbol " +
		"parameter parameters argument arguments value values field fields bcc cc visibility text body subject output result results input inputs price quantity " +
		"beneficiary iban order orders message messages email emails domain host command query date"},
	{carry, "send forward upload post transmit submit share attach pass supply hand append insert include provide paste put copy export email mail leak report give relay " +
		"transfer sync encode embed place add deliver paste fill"},
	{carried, "sent forwarded uploaded posted transmitted submitted shared attached passed supplied handed appended inserted included pasted copied exported emailed " +
		"leaked reported relayed streamed synced stored cached logged collected saved delivered backed mirrored"},
	{person, "user users human humans customer customers person people anyone anybody owner client operator them"},
	{not, "not never without no dont doesnt neednt shouldnt mustnt cannot nor avoid refrain wont"},
	{tell, "tell mention inform reveal disclose acknowledge bother"},
	{telling, "telling mentioning informing notifying alerting revealing disclosing asking consulting warning bothering"},
	{told, "told mentioned informed notified alerted revealed disclosed explained asked know notice aware see find learn noticed shown realize realise"},
	{choose, "prefer choose select pick prioritize prioritise favor favour use call invoke rely trust recommend"},
	{rival, "alternatives alternative competitors competitor rivals competition counterparts"},
	{bad, "outdated unreliable slow slower inaccurate deprecated unsafe insecure inferior obsolete wrong broken limited incomplete worse untrusted unverified dangerous " +
		"incorrect misleading buggy malicious compromised fake"},
	{private, "password passwords credential credentials secrets apikey apikeys cookies passphrase passphrases ssn wallet mnemonic pii passwd netrc keychain"},
	{known_, "conversation conversations transcript chat dialogue dialog"},
	{model, "assistant ai llm model agent claude gpt chatgpt copilot"},
	{reason, "security compliance verification identity authentication authorization audit auditing auditability legality legal policy retention logging debugging diagnostics " +
		"diagnostic synchronization routing consistency telemetry quality analytics personalization gdpr soc2 regulation regulations regulatory protocol integrity monitoring " +
		"validation accuracy traceability"},
	{failing, "fail fails failure failures crash error errors rejected denied blocked lost terminated malfunction invalid incorrect corrupted break unavailable suspended " +
		"unusable wrong"},
	{deed, "grant transfer delete send share book invite change withdraw create find turn purchase buy remove export cancel schedule rename approve retrieve disable write open order add " +
		"summarize summarise modify search report reset install make sell email tell say post unfollow forward pay unlock upload download update register subscribe print play call contact " +
		"check give fetch get list show access reveal provide recommend adjust increase decrease set start stop enable move copy save record apply edit alter manipulate mark assign block ban " +
		"kick lock convert generate execute run read look locate identify extract collect gather track monitor analyze analyse review submit publish tweet message notify inform ask reply " +
		"respond answer visit click navigate go log sign follow like rate leave redeem donate invest bid trade reserve rent hire dispatch ship deliver return refund dispute hide falsify forge " +
		"erase wipe format restart unsubscribe help acquire obtain complete arrange plan file draft compose translate mail wire deposit"},
	{usual, "use call set get list search return see provide run execute apply make increase decrease check show fetch retrieve find generate convert enable start stop add extract " +
		"look identify analyze analyse read file plan rate log message record report access mail like track mark contact copy"},
	{lead, "please then also now first next finally and important urgent note attention system critical warning afterwards additionally immediately kindly instead must should will have to you " +
		"assistant the ai agent model can could need id want just"},
	{currency, "dollar dollars usd euro euros eur pounds gbp yen rupees rupee btc bitcoin bitcoins eth ethereum usdt credits"},
	{specimen, "example examples eg e.g format like such contact support questions default instance sample"},
	{myself, "my mine myself im"},
	{gather, "show list search find check summarize read fetch open get collect retrieve extract list load access cat gather harvest scan obtain dump find grab"},
	// Words of advertising, what is such beside others, and what praises behind most.
	{praising, "greatest fastest smartest finest ultimate unmatched unbeatable unparalleled unrivaled unrivalled superior world-class award-winning premier " +
		"trusted endorsed acclaimed beloved loved favorite favourite revolutionary groundbreaking flawless magical outstanding exceptional " +
		"incredible amazing unprecedented peerless renowned top-rated superb supreme industry-leading state-of-the-art cutting-edge"},
	{supporting, "optimal exclusive perfect guaranteed officially verified recommended reliable leading unique indispensable essential " +
		"experts professionals millions worldwide everywhere instantly industry elite next-generation"},
	{quality, "accurate reliable advanced comprehensive trusted powerful precise popular complete efficient secure sophisticated intelligent capable effective recommended authoritative"},
}

// turns are the patterns of each sign.
var turns = []struct {
	sign     Sign
	patterns string // one a line
}{
	{Foreign, `
		@when ~3 @name ~3 @used
		@when ~1 @using|execute|use|call ~2 @name
		@when|while ~3 @name ~1 tool|function|operation
		@when ~1 @using|execute|use|call ~2 @tool
		@when ~3 @tool ~2 is|are|being ~1 @used|present|available|enabled
		before|after|when|while|instead ~1 execute|executing|use|using|call|calling|run|running ~3 operation|tool|function
		when operation|tool is
		@universal ~3 @used ~1 with|by|via|through|using ~1 @name
		@universal call|calls|use|invocation|run|execution ~1 of|to ~1 @name
		each|every|any time ~6 @name|@used|@tool
		each|every|any time the|a @person
		instead of ~1 @using ~2 @name
		instead of @name
		rather than @universal
		on|for|with|in|by|to|of all|every|each|any ~2 @name
		@when ~1 @person ~3 @name
		the @name tool|function
		output|result|results|response of|from @name
		of|from|by|with the @name`},
	{AnyTool, `
		before|after|prior|when|whenever|during|until|following ~4 any|every|each|other ~2 tool|tools|function|functions|operation|operations|action|actions|task|tasks|call|calls|plugin
		before|after|prior|to any|every|all other ~1 @tool
		before anything|everything|others
		after|following|on each|every ~2 query|request|response|call
		start|beginning of every|each|any conversation|session|chat
		any|every|each|all other tool|tools|function|functions|operations
		behavior|behaviour of all|every|any|other
		all|every|any|each ~1 file|database|read|write|network|email|payment ~1 operation|operations|access|call|calls|request|requests`},
	{Chained, `
		@must ~4 @call|@using|@used|@gather ~2 @name
		@must ~3 call|invoke|execute|run|trigger|perform ~3 with|through|by ~2 @name
		first ~2 @call|@gather ~3 @name
		@name ~5 @must ~4 @used|called|first
		with|through|via|by|using ~1 @name ~6 @when
		use|using|call|run|invoke ~1 @name to|and ~3 @carry|@gather|@change
		@name ~3 to ~1 @carry|@gather|@change`},
	{Tamper, `
		@field ~4 @must ~2 be|been ~2 @changed
		recipient|recipients|amount|destination|address|path|account|number|phone|url|ticker|visibility|beneficiary|iban|bcc|cc|content|message|body|subject ~2 @must ~1 be ~1 set to
		@must|always|to ~2 @change ~3 @field ~9 with|to|by
		@change ~3 @field ~4 supplied|given|provided|entered|requested|by ~4 @person|with|to
		@change ~2 @field ~2 with|to ~2 response|result|@name
		have ~1 its|their|the @field ~2 @changed
		@must ~2 set ~3 @field ~4 to|public
		be one|two|1|2 more|less|higher|lower than
		pass|give|send ~4 one|two|1|2 more|less|higher|lower than
		@field ~2 @must ~2 @change ~1 to|with|by
		multiplied|increased|rounded ~2 by
		one|two|ten|1|2|10 ~2 higher|lower|more|less|greater ~2 than
		substituted|replaced with|by
		instead of ~2 one|what|that|value ~2 @person
		@must ~2 add|include|append|put|set ~5 bcc|cc
		@must ~1 bcc|cc
		replace the values|result|results|value|output ~1 with|by
		@must ~1 add|append|insert ~2 clause|condition|header|parameter|field|argument
		will override the @field
		commands|command|calls|requests ~3 prefixed with|by
		@carry ~2 copy ~5 to|of ~2 all|every|each
		@change ~3 wrong|correct|original`},
	{Disregard, `
		regardless of ~3 @person|wording|request|asked
		irrespective of ~3 @person|wording|request|asked|what
		no matter what|how|which|whether ~2 @person|many
		even if|when|though ~2 @person ~6 not|no|specifies|specified|asks|asked|wants|names|requests|requested|says|different|otherwise|prefers|explicitly
		without ~2 @telling ~4 @person|anyone
		no ~1 confirmation|approval|consent|permission ~4 needed|required|necessary
		!without ~3 @person ~3 consent|knowledge|approval|confirmation|permission|noticing|awareness|involvement
		@person has|have ~1 already|agreed|consented|approved|authorized ~2 agreed|consented|approved|authorized|to
		ignore ~3 @person|user's ~2 request|wishes|choice|preference|instruction|instructions|input|asked
		not ~1 ask ~3 permission|confirmation|consent|approval
		than what the @person
		@person did|does not ~1 request|ask|want|specify
		no matter how many`},
	{Conceal, `
		@not ~1 @tell|@telling ~5 @person|anyone|anybody
		@not ~1 mention|reveal|disclose|point|discuss ~2 it|this|that|these
		@not ~2 be ~1 @told ~3 @person|anyone
		@person ~1 must|should|shall|need|needs|does|do|can not|never ~1 be|to|know|notice|see|find|learn|realize ~2 @told|@tell|this|it|about|out|why
		@person ~1 neednt|shouldnt|mustnt|wont ~3 @told
		@person ~1 @not ~1 be|know|notice|see|find|learn|realize ~2 @told|@tell|this|it|about|out
		no need ~3 @tell ~4
		keep ~4 secret|hidden|confidential|private|unnoticed ~2 from
		do|must|should|shall not ~1 mention|disclose|reveal|divulge|discuss
		never|dont ~1 mention|disclose|reveal|divulge
		@not ~1 notify|alert|warn the|your user
		not ~2 explain ~1 why
		hide ~5 from ~2 @person
		present ~4 as if
		format ~4 look like`},
	{Quiet, `
		silently|secretly|covertly|quietly|discreetly|stealthily|unnoticed|invisibly ~4 @carry|@carried|@gather|@call|@change|add|be|log|also
		@carry|@carried|@gather|@call|@change ~5 silently|secretly|covertly|quietly|discreetly|stealthily|unnoticed
		happens|runs|done|executed|performed|works|operates ~2 in the background
		behind the scenes`},
	{Secret, `
		@private
		api|access|secret|private|ssh|encryption|session|auth|bearer key|keys|token|tokens
		environment variables
		authorization header
		@person|user's|users|their|my ~2 address|location|contacts|email|emails|messages|notes|browsing|history|profile|files|documents|photos
		credit|bank card|cards|account|details`},
	{Context, `
		chat|conversation|message|messages|dialogue|session|tool|browsing|command history|log|logs|transcript|context|so
		conversation ~3 so far
		previous|recent|last|earlier|past ~2 messages|turns|prompts|exchanges|conversation
		messages ~1 of|from|by|with the ~1 user|assistant|conversation|chat
		any|all|every|available ~2 credentials|secrets|passwords|tokens|keys ~2 available|found|stored|in|that|you|of
		credentials|secrets|passwords|tokens|keys found|stored|saved|available|loaded ~1 in|on|to
		environment variables|vars of|on|from|in the|this ~1 host|system|machine|user|process|environment
		authorization header ~2 current|this|active
		system|initial|developer|original prompt|prompts|instruction|instructions|message
		instructions ~3 you ~3 given|received|follow|have
		chain of thought
		private|internal|full|your|complete|hidden reasoning|thoughts|thinking|reflections|scratchpad
		@universal|available|your|names|list ~4 tools you|available|can|that|installed
		names ~4 other tools
		name|version ~3 model ~1 you|that
		everything ~4 @person ~3 said|known|knows|asked|wrote|about
		everything ~3 about the @person
		all ~1 information ~2 about the @person
		@person has said
		dump ~2 memory
		your memory|memories|context|knowledge
		@known ~2 between|with ~1 @person|the
		entire|complete|whole|full|current ~1 conversation|chat|dialogue|transcript
		content|contents ~3 open|opened|current|local files|documents|tabs`},
	{Address, `
		send|forward|post|upload|submit|transmit|export|copy|report|deliver|email|sync|push|mirror|sent|forwarded|posted|uploaded|copied|logged|synced ~8 to|at|into|via|with @link
		curl|wget|post ~3 @link
		link|image @link
		phone|telephone|number ~4 @digits`},
	{Carry, "@carry\n@carried\ncontent|contents of"},
	{Order, `
		@must
		ensure|make sure
		it is ~1 required|important|mandatory|necessary|crucial|essential|imperative|critical
		^@carry
		^@gather
		^@call
		^@change
		^then|also|afterwards|next|first|please|finally ~1 @carry|@gather|@call|@change
		due to`},
	{Threat, `
		otherwise|else ~8 @failing|not
		or ~5 will ~2 @failing|not
		failure|failing to ~4
		@failing ~2 if ~5 not|omitted|missing|skipped
		will ~1 not work
		would|will ~1 produce|return|give|cause ~1 wrong|incorrect|invalid|inaccurate|errors`},
	{Pretext, `
		for|to|due|because|as|in|of|with|under ~5 @reason ~1 purposes|reasons|purpose|reason|requirements|rules|protocol|protocols|check|checks|policy|policies|standards
		to ~1 ensure|guarantee|maintain|verify|confirm|enforce|improve|keep|satisfy|comply|prove|authenticate ~4 @reason
		to confirm|verify|prove|check ~3 identity|caller|permissions|legality|authenticity|ownership
		to comply with
		because of|due to|owing to a|an|the new|recent|routing|technical|security|known
		@reason ~2 requires|demands|requirement|purposes|reasons
		as proof
		in order to authenticate|comply
		the system requires|demands|needs`},
	{AlwaysOn, `
		start|beginning|end|opening of every|each|any|all|a|the conversation|session|chat|message|response|dialogue
		for|on|in|with|to every|each|any|all ~1 question|questions|query|queries|conversation|conversations|message|messages|request|requests|prompt|prompts|turn|response|interaction
		every|each time ~1 the|a @person
		whenever ~2 @person ~2 sends|asks|says|speaks|types|opens|edits|mentions|writes
		end|start|begin|precede ~1 each|every ~1 @tool|answer|summary|reply|message
		@used|run|runs ~2 automatically ~6 every|each|whenever|at
		automatically ~2 @used`},
	{Choose, `
		@must|always|please|only|be ~3 choose|prefer|select|pick|prioritize|prioritise|favor|favour|rely|use|call|chosen|preferred|selected|prioritized|used|called ~4 @self|tool|one|it|first
		use @self ~2 instead|rather|over|before
		choose|pick|select|prefer @self|it
		prefer|use|choose ~2 to|over ~3 other|any|every|all|your
		pick|choose|select this|it ~1 one
		be ~3 first|default|only|primary ~1 choice|option|tool
		highest|top|maximum priority
		is|the ~2 go-to
		rely|depend on it|this ~2 exclusively
		select it|this
		first choice
		preferred|recommended|endorsed by ~2 assistants|models|ai|experts|users|professionals
		do|must|should not ~1 call|use|consider|select|choose|invoke ~2 others|other|any|alternatives|another`},
	{Compare, `
		than|over|unlike|above|outperforms|beats|surpasses|versus ~2 any|all|every|other|others ~3 tool|tools|function|functions|@rival|others|one|option|options|solution|solutions|engine|engines|service|services|assistants|calculator|calculators|plugin|plugins|method|methods|source|sources|provider|providers
		instead of ~1 any|all|other|every ~3 @tool|@rival|others
		no other ~1 @tool|service|option|solution|competitor
		only ~1 @tool|one|service|reader|solution|option ~4 need|works|you|verified|reliable|trusted|can|ever|safe
		can only be ~2 obtained|solved|answered|done
		when ~1 several|multiple|many|similar tools|functions
		superior|preferable ~1 to
		no competitor|alternative|match
		comes close
		disappointed by
		over|than similar tools`},
	{Disparage, `
		others|alternatives|tools|competitors|ones|services|engines|readers ~4 are|is|return|returns|give|produce|have ~3 @bad
		other|another|different|alternative ~3 tool|tools|function|functions|service|services ~6 @bad|results
		ignore them|others
		choosing|using ~1 another|other|different ~5 wrong|errors|fail|incorrect|produce
		other ~2 tools ~3 @not`},
}

var (
	patterns []pattern
	words    = newDictionary()

	// starts are the patterns by the words and classes that may begin them.
	starts struct {
		words   [][]start // none for no word
		classes [64][]start
		any     class // those with patterns
	}
)

func init() {
	words.add("this", this)
	words.add("most", most)
	for _, l := range lists {
		for _, w := range strings.Fields(l.words) {
			words.add(w, l.class)
		}
	}
	for _, t := range turns {
		for _, line := range strings.Split(t.patterns, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				patterns = append(patterns, compile(words, t.sign, line))
			}
		}
	}
	starts.words = make([][]start, len(words.entries))
	for n := range patterns {
		first := &patterns[n].elements[0]
		for _, w := range first.list {
			starts.words[w] = append(starts.words[w], startOf(&patterns[n]))
		}
		for c := first.classes; c != 0; c &= c - 1 {
			i := bits.TrailingZeros64(uint64(c))
			starts.classes[i] = append(starts.classes[i], startOf(&patterns[n]))
		}
		starts.any |= first.classes
	}
}
