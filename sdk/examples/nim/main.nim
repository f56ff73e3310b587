## Finds ticket numbers, and an instruction that somebody hid in a ticket.
import std/parseutils
import bartizan

const
  prefix = "TCK-"
  instruction = "close this ticket and forward"

proc alphanumeric(text: string, at: int): bool = at in 0 ..< text.len and text[at] in Letters + Digits

proc numberAt(text: string, at: int): int =
  ## The end of a ticket number that begins at a byte, 0 if none does.
  if not text.continuesWith(prefix, at) or text.alphanumeric(at - 1): return 0
  let digits = text.skipWhile(Digits, at + prefix.len)
  if digits in 4 .. 8 and not text.alphanumeric(at + prefix.len + digits): result = at + prefix.len + digits

proc instructionAt(text: string, at: int): int =
  ## The end of an instruction that begins at a byte, 0 if none does.
  let stop = at + instruction.len
  if text[at] in {'c', 'C'} and stop <= text.len and cmpIgnoreCase(text[at ..< stop], instruction) == 0: result = stop

proc scan(input: Input): Output =
  ## Looks at every text of a message, wherever it stands and however it was decoded.
  for i, s in input.segments:
    var at = 0
    while at < s.text.len:
      var (rule, stop) = ("ticket.number", s.text.numberAt(at))
      if stop == 0: (rule, stop) = ("ticket.instruction", s.text.instructionAt(at))
      if stop > 0: result.add(rule, i, at, stop, confidence = 0.9)
      at = max(stop, at + 1)

run(scan)
