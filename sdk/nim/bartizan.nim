## What a Bartizan scanner written in Nim is built on: a command, which reads one
## input from standard input and writes one answer to standard output, both in the
## `json` encoding (sdk/abi/ABI.md).
##
## .. code-block:: nim
##   import bartizan
##
##   proc scan(input: Input): Output =
##     for i, s in input.segments:
##       let at = s.text.find("BEGIN RSA PRIVATE KEY")
##       if at >= 0: result.add(rule = "keys.rsa", segment = i, start = at, stop = at + 21)
##
##   run(scan)
##
## A string is bytes of UTF-8, and places in it are those that a finding wants. What
## raises is a fault, as is an input that breaks its schema: `bartizan scanner run`
## shows what was wrong.

import std/[json, options, strutils, unicode]

export options, strutils

type
  Limits* = object
    findings*, outputBytes*: int

  Segment* = object ## One text of a message.
    kind*: string       ## what the text is: description, argument, text ... (sdk/abi/ABI.md)
    item*: int          ## which entry of a listing it belongs to; 0 elsewhere
    pointer*: string    ## JSON Pointer (RFC 6901) of the text in the message
    text*: string
    provenance*: string ## "" as sent; otherwise how the engine decoded it, such as base64

  Hit* = object ## A match of one of the manifest's patterns.
    pattern*: int           ## index into the manifest's patterns
    segment*, start*, stop*: int

  FlowHit* = object ## A marked span of an earlier message that occurs in this one.
    mark*: string
    segment*, start*, stop*: int
    server*, entry*: string ## where it came from
    age*: int               ## seconds since it was marked

  ContextEntry* = object ## An entry of another server that the same model sees.
    server*, kind*, name*, title*, description*: string
    parameters*: seq[string]

  Input* = object ## One message, or one window of a long one, to be examined.
    phase*: string  ## listing, request, result, prompt or resource
    server*: string ## name of the MCP server
    entry*: string  ## tool, prompt or resource that the message concerns; "" for a whole listing
    caller*: string ## class of the caller: user, agent, service or ""
    segments*: seq[Segment]
    hits*: seq[Hit]
    flow*: seq[FlowHit]
    context*: seq[ContextEntry]
    limits*: Limits

  Finding* = object ## One thing found in one segment.
    rule*: string                ## a rule of the manifest
    severity*: string            ## info, low, medium, high, critical; "" takes the rule's own
    confidence*: float           ## 0 to 1
    segment*, start*, stop*: int ## range of bytes in the segment's text
    message*: string             ## for the reviewer; "" takes the rule's description
    replacement*: Option[string] ## text that makes the segment harmless in place of the range
    mark*: string                ## remember the range as this (sdk/abi/ABI.md)

  Range* = object ## A part of a segment that was not examined.
    segment*, start*, stop*: int

  Output* = object ## A scanner's answer. With unexamined ranges it is partial.
    findings*: seq[Finding]
    unexamined*: seq[Range]

  MalformedInput* = object of CatchableError

proc add*(o: var Output, rule: string, segment, start, stop: int, confidence = 1.0, severity, message, mark = "",
          replacement = none(string)) =
  ## Reports a finding. Of more than the limits allow the first are kept, and the
  ## answer is partial.
  o.findings.add Finding(rule: rule, severity: severity, confidence: confidence, segment: segment, start: start, stop: stop,
                         message: message, replacement: replacement, mark: mark)

proc skip*(o: var Output, segment, start, stop: int) =
  ## Says that a range was not examined.
  o.unexamined.add Range(segment: segment, start: start, stop: stop)

# Reading. Members that this version does not know are passed over.

proc malformed(what: string) {.noreturn.} =
  raise newException(MalformedInput, "malformed input: " & what)

proc member(n: JsonNode, name: string, kind: JsonNodeKind): JsonNode =
  if n.kind != JObject: malformed("no object")
  result = n.getOrDefault(name)
  if result.isNil or result.kind != kind: malformed(name)

proc text(n: JsonNode, name: string): string = n.member(name, JString).str

proc whole(n: JsonNode, name: string): int =
  let value = n.member(name, JInt).num
  if value < 0 or value > int32.high: malformed(name)
  int(value)

proc list(n: JsonNode, name: string): seq[JsonNode] = n.member(name, JArray).elems

proc placed(n: JsonNode, segments: seq[Segment]): (int, int, int) =
  result = (n.whole("segment"), n.whole("start"), n.whole("end"))
  let (segment, start, stop) = result
  if segment >= segments.len or start > stop or stop > segments[segment].text.len: malformed("range")

const maxDepth = 64

proc shallow(source: string) =
  ## Refuses what nests too deeply for the parser, which calls itself.
  var depth = 0
  var quoted, escaped = false
  for c in source:
    if escaped: escaped = false
    elif quoted and c == '\\': escaped = true
    elif c == '"': quoted = not quoted
    elif quoted: discard
    elif c in {'[', '{'}:
      inc depth
      if depth > maxDepth: malformed("nested too deeply")
    elif c in {']', '}'}: dec depth

proc decode*(source: string): Input =
  ## Reads an input, or raises.
  if validateUtf8(source) >= 0: malformed("no UTF-8")
  shallow(source)
  let n = parseJson(source)
  result.phase = n.text("phase")
  if result.phase notin ["listing", "request", "result", "prompt", "resource"]: malformed("phase")
  result.server = n.text("server")
  result.entry = n.text("entry")
  result.caller = n.text("caller")
  for s in n.list("segments"):
    result.segments.add Segment(kind: s.text("kind"), item: s.whole("item"), pointer: s.text("pointer"), text: s.text("text"),
                                provenance: s.text("provenance"))
    if validateUtf8(result.segments[^1].text) >= 0: malformed("text") # half a surrogate
  for h in n.list("hits"):
    let (segment, start, stop) = h.placed(result.segments)
    result.hits.add Hit(pattern: h.whole("pattern"), segment: segment, start: start, stop: stop)
  for f in n.list("flow"):
    let (segment, start, stop) = f.placed(result.segments)
    let origin = f.member("origin", JObject)
    result.flow.add FlowHit(mark: f.text("mark"), segment: segment, start: start, stop: stop, server: origin.text("server"),
                            entry: origin.text("entry"), age: if f.hasKey("age"): f.whole("age") else: 0)
  for c in n.list("context"):
    var entry = ContextEntry(server: c.text("server"), kind: c.text("kind"), name: c.text("name"), title: c.text("title"),
                             description: c.text("description"))
    for p in c.list("parameters"):
      if p.kind != JString: malformed("parameters")
      entry.parameters.add p.str
    result.context.add entry
  let limits = n.member("limits", JObject)
  result.limits = Limits(findings: limits.whole("findings"), outputBytes: limits.whole("outputBytes"))

# Writing.

proc node(f: Finding): JsonNode =
  result = %*{"rule": f.rule, "confidence": f.confidence, "segment": f.segment, "start": f.start, "end": f.stop,
              "message": f.message}
  if f.severity != "": result["severity"] = %f.severity
  if f.replacement.isSome: result["replacement"] = %f.replacement.get
  if f.mark != "": result["mark"] = %f.mark

proc first(o: Output, count: int): string =
  ## The answer with the first findings. What it is silent about is unexamined.
  var unexamined = o.unexamined
  if count < o.findings.len:
    let f = o.findings[count]
    unexamined.add Range(segment: f.segment, start: f.start, stop: f.stop)
  let n = %*{"status": (if unexamined.len > 0: "partial" else: "complete"), "findings": [], "unexamined": []}
  for f in o.findings[0 ..< count]: n["findings"].add f.node
  for r in unexamined: n["unexamined"].add %*{"segment": r.segment, "start": r.start, "end": r.stop}
  $n

proc encode*(o: Output, limits: Limits): string =
  ## The answer, with as many findings as the limits allow.
  var count = o.findings.len
  if limits.findings > 0: count = min(count, limits.findings)
  result = o.first(count)
  while limits.outputBytes > 0 and result.len > limits.outputBytes and count > 0:
    count = min(count - 1, count * limits.outputBytes div result.len)
    result = o.first(count)

proc run*(scan: proc (input: Input): Output {.nimcall.}) =
  ## Answers the one message of this call. The last line of a scanner.
  try:
    let input = decode(stdin.readAll)
    stdout.write scan(input).encode(input.limits)
  except CatchableError as e:
    stderr.writeLine e.msg
    quit 1

# Nim's own main takes three arguments, which a WASI command has not.
when hostCPU == "wasm32":
  {.emit: """
extern void NimMain(void);
int main(void) {
  NimMain();
  return 0;
}
""".}
