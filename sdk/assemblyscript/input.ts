import { Text } from "./text";

/** Where the message is on its way. */
export enum Phase { Listing = 1, Request, Result, Prompt, Resource }

/** Who calls. */
export enum Caller { Unknown, User, Agent, Service }

/** What a text is (sdk/abi/ABI.md). */
export enum Kind {
  Other, Name, Title, Description, Instructions, Parameter, SchemaTitle, SchemaDescription, SchemaValue, Annotation,
  Meta, Uri, Argument, ArgumentName, Text, Structured, Error, Mime, ServerInfo,
}

/** One message, or one window of a long one, to be examined. */
@final
export class Input {
  phase: Phase;
  caller: Caller;
  /** Name of the MCP server. */
  server!: Text;
  /** Tool, prompt or resource that the message concerns; empty for a whole listing. */
  entry!: Text;
  /** Every text in the message, then its decoded views. */
  segments!: StaticArray<Segment>;
  /** Where the manifest's patterns match. */
  hits!: StaticArray<Hit>;
  /** What earlier messages left behind in this one. */
  flow!: StaticArray<FlowHit>;
  /** Entries of other servers that the same model sees. */
  context!: StaticArray<ContextEntry>;
  limits!: Limits;
}

/** One text of a message. */
@final
export class Segment {
  kind: Kind;
  /** Which entry of a listing it belongs to; 0 elsewhere. */
  item: i32;
  /** JSON Pointer (RFC 6901) of the text in the message. */
  pointer!: Text;
  text!: Text;
  /** Empty as sent; otherwise how the engine decoded it, such as `base64`. */
  provenance!: Text;
}

/** A match of one of the manifest's patterns. */
@final
export class Hit {
  /** Index into the manifest's patterns. */
  pattern: i32;
  /** Index into the segments. */
  segment: i32;
  /** Byte range in the segment's text. */
  start: i32;
  end: i32;
}

/** A marked span of an earlier message that occurs in this one. */
@final
export class FlowHit {
  segment: i32;
  start: i32;
  end: i32;
  /** Seconds since it was marked. */
  age: u32;
  mark!: Text;
  /** The server and entry that it came from. */
  originServer!: Text;
  originEntry!: Text;
}

/** An entry of another server. */
@final
export class ContextEntry {
  server!: Text;
  kind!: Text;
  name!: Text;
  title!: Text;
  description!: Text;
  parameters!: StaticArray<Text>;
}

/** The bounds of the answer. */
@final
export class Limits {
  findings: u32;
  outputBytes: u32;
}
