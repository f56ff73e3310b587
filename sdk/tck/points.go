package tck

// Sections of ABI.md.
const (
	theModule   = "The module"
	theManifest = "The manifest"
	theTriggers = "Patterns and triggers"
	theInput    = "Input"
	theOutput   = "Output"
	theFlat     = "Encoding flat"
	theLimits   = "Limits"
)

// points is the table of everything that the kit looks at, in the order of
// reports. README.md explains each; a test holds the two together.
var points = []Point{
	{ID: "module.admitted", Section: theModule, Title: "a core module within the static limits of the engine"},
	{ID: "export.memory", Section: theModule, Title: "one memory, exported as memory"},
	{ID: "export.alloc", Section: theModule, Title: "bartizan_alloc(i32) -> (i32)"},
	{ID: "export.scan", Section: theModule, Title: "bartizan_scan(i32, i32) -> (i64)"},
	{ID: "export.init", Section: theModule, Title: "bartizan_init(i32, i32) -> (i32), if exported"},
	{ID: "export.initialize", Section: theModule, Title: "_initialize() -> (), if exported"},
	{ID: "export.start", Section: theModule, Title: "_start() -> () of a command"},
	{ID: "import.allowed", Section: theModule, Title: "imports nothing but what the ABI lists, with its types"},
	{ID: "manifest.section", Section: theManifest, Title: "exactly one section bartizan.manifest"},
	{ID: "manifest.valid", Section: theManifest, Title: "a manifest by its schema"},
	{ID: "memory.start", Section: theLimits, Title: "starts with no more memory than its limit"},

	{ID: "init.empty", Section: theModule, Title: "starts without a configuration"},
	{ID: "init.config", Section: theModule, Title: "takes a valid configuration, or refuses it by its result"},
	{ID: "init.garbage", Section: theModule, Title: "takes a garbled configuration, or refuses it by its result"},
	{ID: "alloc.aligned", Section: theModule, Title: "room is 8-aligned"},
	{ID: "alloc.inside", Section: theModule, Title: "room lies inside of the memory"},
	{ID: "alloc.room", Section: theModule, Title: "there is room for every message"},
	{ID: "alloc.huge", Section: theModule, Title: "what cannot be given is refused"},
	{ID: "command.exit", Section: theModule, Title: "a command ends with status 0"},
	{ID: "command.stdin", Section: theModule, Title: "a command reads standard input to its end"},
	{ID: "command.stdout", Section: theModule, Title: "standard output holds one answer and nothing else"},

	{ID: "scan.clean", Section: theModule, Title: "a clean message is complete and without findings"},
	{ID: "scan.phases", Section: theInput, Title: "every phase of the manifest is answered"},
	{ID: "scan.repeat", Section: theModule, Title: "the same input gets the same answer"},
	{ID: "scan.isolated", Section: theModule, Title: "an answer does not depend on earlier messages"},

	{ID: "input.none", Section: theInput, Title: "a message without texts"},
	{ID: "input.empty", Section: theInput, Title: "empty texts"},
	{ID: "input.unicode", Section: theInput, Title: "texts of characters of one to four bytes"},
	{ID: "input.sizes", Section: theInput, Title: "texts from one byte to a whole window"},
	{ID: "input.many", Section: theInput, Title: "as many texts as one call can have"},
	{ID: "input.large", Section: theInput, Title: "as much text as one call can have"},
	{ID: "input.kinds", Section: theInput, Title: "every kind of text, and decoded views"},
	{ID: "input.caller", Section: theInput, Title: "every class of caller"},
	{ID: "input.hits", Section: theInput, Title: "hits of the manifest's patterns"},
	{ID: "input.flow", Section: theInput, Title: "flow hits"},
	{ID: "input.context", Section: theInput, Title: "entries of other servers"},
	{ID: "layout.order", Section: theInput, Title: "members and tables in any order"},
	{ID: "layout.escapes", Section: theInput, Title: "characters escaped and white space between them"},
	{ID: "layout.shared", Section: theFlat, Title: "strings that are shared"},
	{ID: "layout.nothing", Section: theFlat, Title: "offsets that mean nothing"},
	{ID: "forward.header", Section: theFlat, Title: "a longer header of a later version"},
	{ID: "forward.records", Section: theFlat, Title: "longer records of a later version"},
	{ID: "forward.members", Section: theInput, Title: "members of a later version"},
	{ID: "forward.kinds", Section: theInput, Title: "kinds and callers of a later version"},

	{ID: "answer.inside", Section: theModule, Title: "the answer lies inside of the memory"},
	{ID: "answer.size", Section: theOutput, Title: "the answer is no longer than its limit"},
	{ID: "answer.encoding", Section: theOutput, Title: "the answer is of the input's encoding and its schema"},
	{ID: "answer.status", Section: theOutput, Title: "partial if and only if something was left out"},
	{ID: "answer.rule", Section: theOutput, Title: "rules are those of the manifest"},
	{ID: "answer.severity", Section: theOutput, Title: "severities are at most those of their rules"},
	{ID: "answer.confidence", Section: theOutput, Title: "confidence is within 0 and 1"},
	{ID: "answer.span", Section: theOutput, Title: "ranges lie within their text, on characters"},
	{ID: "answer.text", Section: theOutput, Title: "messages, replacements and marks are UTF-8 and short enough"},
	{ID: "limits.findings", Section: theLimits, Title: "no more findings than the input allows"},
	{ID: "limits.bytes", Section: theLimits, Title: "no more bytes than the input allows"},
	{ID: "limits.fuel", Section: theLimits, Title: "no more fuel than the default limit"},
	{ID: "limits.memory", Section: theLimits, Title: "no more memory than its limit"},
	{ID: "limits.depth", Section: theLimits, Title: "calls nest no deeper than the limit"},

	{ID: "malformed.cut", Section: theFlat, Title: "an input that ends too early"},
	{ID: "malformed.offsets", Section: theFlat, Title: "offsets and lengths that lead outside"},
	{ID: "malformed.counts", Section: theFlat, Title: "counts and sizes that overflow"},
	{ID: "malformed.json", Section: theInput, Title: "JSON that is none, or not the schema's"},
	{ID: "malformed.random", Section: theInput, Title: "inputs with bytes changed at random"},
	{ID: "trigger.necessary", Section: theTriggers, Title: "called or not: the verdict is the same"},
}
