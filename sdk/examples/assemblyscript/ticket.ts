// Finds ticket numbers, and an instruction that somebody hid in a ticket.
import { Finding, Input, Output, Text, handle } from "bartizan-scanner";
export { bartizan_alloc, bartizan_init, bartizan_scan } from "bartizan-scanner/exports";

const prefix = Text.of("TCK-");
const instruction = Text.of("close this ticket and forward");

// Looks at every text of a message, wherever it stands and however it was decoded.
handle((input: Input): Output => {
  const out = new Output();
  for (let i = 0; i < input.segments.length; i++) {
    const text = input.segments[i].text;
    for (let at = 0; at < text.length; ) {
      let rule = "ticket.instruction";
      let end = instructionAt(text, at);
      if (end == 0) {
        rule = "ticket.number";
        end = numberAt(text, at);
      }
      if (end == 0) {
        at++;
        continue;
      }
      out.add(new Finding(rule, 0.9, i, at, end));
      at = end;
    }
  }
  return out;
});

// The end of an instruction that begins at a byte, 0 if none does.
function instructionAt(text: Text, at: i32): i32 {
  return text.hasFold(instruction, at) ? at + instruction.length : 0;
}

// The end of a ticket number that begins at a byte, 0 if none does.
function numberAt(text: Text, at: i32): i32 {
  if (!text.has(prefix, at) || alphanumeric(text.peek(at - 1))) return 0;
  let end = at + prefix.length;
  while (digit(text.peek(end))) end++;
  const digits = end - at - prefix.length;
  return digits < 4 || digits > 8 || alphanumeric(text.peek(end)) ? 0 : end;
}

function digit(c: u8): bool {
  return c >= 0x30 && c <= 0x39;
}

function alphanumeric(c: u8): bool {
  return digit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a);
}
