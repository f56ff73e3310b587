/**
 * What a Bartizan scanner written in AssemblyScript is built on. A scanner is a
 * file that registers its function:
 *
 * ```ts
 * import { Finding, Input, Output, Text, handle } from "bartizan-scanner";
 * export { bartizan_alloc, bartizan_init, bartizan_scan } from "bartizan-scanner/exports";
 *
 * const key = Text.of("BEGIN RSA PRIVATE KEY");
 *
 * handle((input: Input): Output => {
 *   const out = new Output();
 *   for (let i = 0; i < input.segments.length; i++) {
 *     const at = input.segments[i].text.indexOf(key);
 *     if (at >= 0) out.add(new Finding("keys.rsa", 1, i, at, at + key.length));
 *   }
 *   return out;
 * });
 * ```
 *
 * Memory is put back after each call to what it was before the first one: nothing
 * need be collected, and nothing that a scanner remembers reaches the next message.
 */
export { Caller, ContextEntry, FlowHit, Hit, Input, Kind, Limits, Phase, Segment } from "./input";
export { Finding, Output, Range, Severity } from "./output";
export { Text } from "./text";
export { Level, log } from "./log";
export { handle } from "./exports";
