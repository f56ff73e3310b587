/**
 * What a Bartizan scanner written in JavaScript is given and returns. A scanner
 * is one file, a module that imports nothing:
 *
 * ```js
 * export default function scan(input) {
 *   const findings = [];
 *   for (const [segment, { text }] of input.segments.entries()) {
 *     const start = text.indexOf("BEGIN RSA PRIVATE KEY");
 *     if (start >= 0) findings.push({ rule: "keys.rsa", segment, start, end: start + 21 });
 *   }
 *   return { findings };
 * }
 * ```
 *
 * It may also export `init`. The language is ECMAScript as QuickJS has it, without
 * a network, files, timers or a clock that goes; `console` writes to the log that
 * `bartizan scanner run` shows. Memory is put back after each call to what it was
 * before the first one. What throws is a fault, as is a promise.
 */

/** Examines one message. The default export. */
export type Scan = (input: Input) => Output;

/** Takes the operator's configuration, empty if there is none. It throws if that will not do. */
export type Init = (config: string) => void;

/** One message, or one window of a long one, to be examined. */
export interface Input {
  phase: "listing" | "request" | "result" | "prompt" | "resource";
  /** Name of the MCP server. */
  server: string;
  /** Tool, prompt or resource that the message concerns; empty for a whole listing. */
  entry: string;
  /** Class of the caller, empty where unknown. */
  caller: "" | "user" | "agent" | "service";
  /** Every text in the message, then its decoded views. */
  segments: Segment[];
  /** Where the manifest's patterns match. */
  hits: Hit[];
  /** What earlier messages left behind in this one. */
  flow: FlowHit[];
  /** Entries of other servers that the same model sees. */
  context: ContextEntry[];
  limits: { findings: number; outputBytes: number };
}

/** One text of a message. */
export interface Segment {
  /** What the text is: description, argument, text ... (sdk/abi/ABI.md). One that you do not know is `other`. */
  kind: string;
  /** Which entry of a listing it belongs to; 0 elsewhere. */
  item: number;
  /** JSON Pointer (RFC 6901) of the text in the message. */
  pointer: string;
  text: string;
  /** Empty as sent; otherwise how the engine decoded it, such as `base64`. */
  provenance: string;
}

/** A part of a segment's text. Places are those of the string, as `indexOf` counts them. */
export interface Range {
  /** Index into the input's segments. */
  segment: number;
  start: number;
  end: number;
}

/** A match of one of the manifest's patterns. */
export interface Hit extends Range {
  /** Index into the manifest's patterns. */
  pattern: number;
}

/** A marked span of an earlier message that occurs in this one. */
export interface FlowHit extends Range {
  mark: string;
  /** The message that it came from. */
  origin: { server: string; entry: string };
  /** Seconds since it was marked. */
  age?: number;
}

/** An entry of another server. */
export interface ContextEntry {
  server: string;
  kind: string;
  name: string;
  title: string;
  description: string;
  parameters: string[];
}

/** One thing found in one segment. */
export interface Finding extends Range {
  /** A rule of the manifest. */
  rule: string;
  /** At most that of the rule; absent, that of the rule. */
  severity?: "info" | "low" | "medium" | "high" | "critical";
  /** 0 to 1; absent, 1. */
  confidence?: number;
  /** For the reviewer; absent, the rule's description. */
  message?: string;
  /** Text that makes the segment harmless in place of the range. */
  replacement?: string;
  /** Remember the range as this: secret, personal, instruction ... (sdk/abi/ABI.md). */
  mark?: string;
}

/** A scanner's answer. */
export interface Output {
  /** Of more than the limits allow the first are kept, and the answer is partial. */
  findings: Finding[];
  /** What was not examined, which makes the answer partial. */
  unexamined?: Range[];
}
