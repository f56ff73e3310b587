// Finds ticket numbers, and an instruction that somebody hid in a ticket.

const number = /(?<![0-9A-Za-z])TCK-[0-9]{4,8}(?![0-9A-Za-z])/;
const instruction = /(?i:close this ticket and forward)/;
const either = new RegExp(`(?<number>${number.source})|${instruction.source}`, "g");

/**
 * Looks at every text of a message, wherever it stands and however it was decoded.
 *
 * @param {import("../../javascript/scanner").Input} input
 * @returns {import("../../javascript/scanner").Output}
 */
export default function scan(input) {
  const findings = [];
  for (const [segment, { text }] of input.segments.entries()) {
    for (const { 0: found, index: start, groups } of text.matchAll(either)) {
      const rule = groups.number ? "ticket.number" : "ticket.instruction";
      findings.push({ rule, confidence: 0.9, segment, start, end: start + found.length });
    }
  }
  return { findings };
}
