import { Caller, ContextEntry, FlowHit, Hit, Input, Kind, Limits, Phase, Segment } from "./input";
import { Text } from "./text";

// An input in the flat encoding (sdk/abi/ABI.md, "Encoding flat"). The sizes of
// header and records are those that the input gives, so that what a later version
// put at their ends is skipped. Everything is checked before an author sees any of
// it; what does not hold is a fault.

const MAGIC: u32 = 0x495a5442; // BTZI

// Sizes of this version.
const HEADER: u32 = 88;
const SEGMENT: u32 = 32;
const HIT: u32 = 16;
const FLOW: u32 = 40;
const CONTEXT: u32 = 48;
const STRING: u32 = 8;

export function decode(ptr: usize, size: u32): Input {
  return new Reader(ptr, size).input();
}

@final
class Reader {
  constructor(private base: usize, private size: u32) {}

  input(): Input {
    check(this.size >= HEADER);
    check(this.u32(0) == MAGIC);
    const header = this.u32(4);
    check(header >= HEADER && header <= this.size && this.u32(8) == this.size);

    const input = new Input();
    const phase = <i32>load<u8>(this.base + 12);
    check(phase >= Phase.Listing && phase <= Phase.Resource);
    input.phase = phase;
    const caller = <i32>load<u8>(this.base + 13);
    input.caller = caller <= Caller.Service ? caller : Caller.Unknown;
    input.server = this.text(16);
    input.entry = this.text(24);
    const limits = new Limits();
    limits.findings = this.u32(32);
    limits.outputBytes = this.u32(36);
    input.limits = limits;
    input.segments = this.table<Segment>(40, SEGMENT, (r: Reader, at: u32): Segment => r.segment(at));
    input.hits = this.table<Hit>(52, HIT, (r: Reader, at: u32): Hit => r.hit(at));
    input.flow = this.table<FlowHit>(64, FLOW, (r: Reader, at: u32): FlowHit => r.flow(at));
    input.context = this.table<ContextEntry>(76, CONTEXT, (r: Reader, at: u32): ContextEntry => r.context(at));
    return input;
  }

  private segment(at: u32): Segment {
    const s = new Segment();
    const kind = this.u32(at);
    s.kind = kind <= <u32>Kind.ServerInfo ? kind : Kind.Other; // of a later version
    s.item = this.i32(at + 4);
    s.pointer = this.text(at + 8);
    s.text = this.text(at + 16);
    s.provenance = this.text(at + 24);
    return s;
  }

  private hit(at: u32): Hit {
    const h = new Hit();
    h.pattern = this.i32(at);
    h.segment = this.i32(at + 4);
    h.start = this.i32(at + 8);
    h.end = this.i32(at + 12);
    return h;
  }

  private flow(at: u32): FlowHit {
    const f = new FlowHit();
    f.segment = this.i32(at);
    f.start = this.i32(at + 4);
    f.end = this.i32(at + 8);
    f.age = this.u32(at + 12);
    f.mark = this.text(at + 16);
    f.originServer = this.text(at + 24);
    f.originEntry = this.text(at + 32);
    return f;
  }

  private context(at: u32): ContextEntry {
    const c = new ContextEntry();
    c.server = this.text(at);
    c.kind = this.text(at + 8);
    c.name = this.text(at + 16);
    c.title = this.text(at + 24);
    c.description = this.text(at + 32);
    c.parameters = this.records<Text>(this.u32(at + 40), this.u32(at + 44), STRING, STRING, (r: Reader, at: u32): Text => r.text(at));
    return c;
  }

  /** Reads the number at a place that has been checked. */
  private u32(at: u32): u32 {
    return load<u32>(this.base + at);
  }

  /** Reads an index or a place in a text. */
  private i32(at: u32): i32 {
    const n = this.u32(at);
    check(n <= <u32>i32.MAX_VALUE);
    return n;
  }

  /** Reads the string that the pair at a checked place refers to. */
  private text(at: u32): Text {
    const from = this.u32(at), length = this.u32(at + 4);
    if (length == 0) return new Text(this.base, 0);
    check(<u64>from + length <= this.size);
    return new Text(this.base + from, length);
  }

  private table<T>(at: u32, least: u32, read: (r: Reader, at: u32) => T): StaticArray<T> {
    return this.records<T>(this.u32(at), this.u32(at + 4), this.u32(at + 8), least, read);
  }

  /** Reads so many records of one size. */
  private records<T>(from: u32, count: u32, size: u32, least: u32, read: (r: Reader, at: u32) => T): StaticArray<T> {
    if (count == 0) return new StaticArray<T>(0);
    check(size >= least && <u64>count <= <u64>this.size && from + <u64>count * size <= this.size);
    const all = new StaticArray<T>(count);
    for (let i: u32 = 0; i < count; i++) unchecked((all[i] = read(this, from + i * size)));
    return all;
  }
}

// @ts-ignore: decorator
@inline
function check(holds: bool): void {
  if (!holds) throw new Error("malformed input");
}
