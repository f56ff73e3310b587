import { Limits } from "./input";
import { Finding, Output } from "./output";

// An answer in the flat encoding (sdk/abi/ABI.md, "Encoding flat"). What is out
// of range here is for the engine to refuse.

const MAGIC: u32 = 0x4f5a5442; // BTZO
const COMPLETE: u32 = 1;
const PARTIAL: u32 = 2;

const HEADER: u32 = 40;
const FINDING: u32 = 56;
const RANGE: u32 = 16;

/**
 * Returns the address and length of the answer, as `bartizan_scan` does. It has as
 * many findings as the limits allow, the first ones. One that says less than was
 * found is partial and names the first range that it is silent about, so that in
 * enforce mode the message does not pass.
 */
export function fit(output: Output, limits: Limits): u64 {
  const count = output.findings.length, most: u64 = limits.outputBytes;
  if (limits.findings > 0 && <u32>count > limits.findings) cut(output, limits.findings);
  let answer = encode(output);
  for (let n = output.findings.length; most > 0 && (answer & 0xffffffff) > most && n > 0; n = output.findings.length) {
    if (n < count) output.unexamined.pop(); // what the last round was silent about
    cut(output, min(n - 1, <i32>(<u64>n * most / (answer & 0xffffffff))));
    answer = encode(output);
  }
  return answer;
}

/** Leaves the first findings, and the next one as unexamined. */
function cut(output: Output, first: i32): void {
  const beyond = output.findings[first];
  output.findings.length = first;
  output.skip(beyond.segment, beyond.start, beyond.end);
}

function encode(output: Output): u64 {
  const findings = output.findings, ranges = output.unexamined;
  const first = HEADER + findings.length * FINDING;
  const w = new Writer(first + ranges.length * RANGE);
  w.u32(0, MAGIC);
  w.u32(4, HEADER);
  w.u32(8, ranges.length == 0 ? COMPLETE : PARTIAL);
  w.table(12, HEADER, findings.length, FINDING);
  w.table(24, first, ranges.length, RANGE);
  for (let i = 0; i < findings.length; i++) w.finding(HEADER + i * FINDING, findings[i]);
  for (let i = 0; i < ranges.length; i++) w.span(first + i * RANGE, ranges[i].segment, ranges[i].start, ranges[i].end);
  return w.answer();
}

/** Writes records of a known length, and strings behind them. */
@final
class Writer {
  private bytes: StaticArray<u8>;
  private used: u32;

  constructor(records: u32) {
    this.bytes = new StaticArray<u8>(records);
    this.used = records;
  }

  answer(): u64 {
    return (<u64>changetype<usize>(this.bytes)) << 32 | this.used;
  }

  finding(at: u32, f: Finding): void {
    this.string(at, f.rule);
    store<f64>(this.place(at + 8), f.confidence);
    this.span(at + 16, f.segment, f.start, f.end);
    store<u8>(this.place(at + 28), <u8>f.severity);
    this.string(at + 32, f.message);
    const replacement = f.replacement;
    if (replacement !== null) {
      store<u8>(this.place(at + 29), 1);
      this.string(at + 40, replacement);
    }
    this.string(at + 48, f.mark);
  }

  span(at: u32, segment: u32, start: u32, end: u32): void {
    this.u32(at, segment);
    this.u32(at + 4, start);
    this.u32(at + 8, end);
  }

  table(at: u32, from: u32, count: u32, size: u32): void {
    if (count == 0) return;
    this.u32(at, from);
    this.u32(at + 4, count);
    this.u32(at + 8, size);
  }

  u32(at: u32, value: u32): void {
    store<u32>(this.place(at), value);
  }

  /** Appends a string and writes at a place where it is. Lone surrogates become U+FFFD. */
  private string(at: u32, value: string): void {
    if (value.length == 0) return;
    const encoded = String.UTF8.encode(value, false, String.UTF8.ErrorMode.REPLACE);
    const length = <u32>encoded.byteLength;
    this.reserve(length);
    memory.copy(this.place(this.used), changetype<usize>(encoded), length);
    this.u32(at, this.used);
    this.u32(at + 4, length);
    this.used += length;
  }

  private reserve(more: u32): void {
    if (this.used + more <= <u32>this.bytes.length) return;
    const larger = new StaticArray<u8>(2 * (this.used + more));
    memory.copy(changetype<usize>(larger), changetype<usize>(this.bytes), this.used);
    this.bytes = larger;
  }

  private place(at: u32): usize {
    return changetype<usize>(this.bytes) + at;
  }
}
