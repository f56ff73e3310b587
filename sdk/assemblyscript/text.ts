/**
 * A text as it was sent: bytes of UTF-8, and places in it are counted in bytes,
 * as in a finding. It is a view of the input and costs nothing to make.
 */
@final
export class Text {
  /** @internal Texts come from the input or from `Text.of`. */
  constructor(private readonly begin: usize, readonly length: i32) {}

  /** The text that a string is, for what is looked for. Make it once, at the top level. */
  static of(value: string): Text {
    const bytes = String.UTF8.encode(value, false, String.UTF8.ErrorMode.REPLACE);
    return new Text(changetype<usize>(bytes), bytes.byteLength);
  }

  /** The byte at a place. Outside of the text is a fault. */
  @operator("[]")
  at(index: i32): u8 {
    if (<u32>index >= <u32>this.length) throw new RangeError("outside of the text");
    return load<u8>(this.begin + <usize>index);
  }

  /** The byte at a place, 0 outside of the text. */
  peek(index: i32): u8 {
    return <u32>index < <u32>this.length ? load<u8>(this.begin + <usize>index) : 0;
  }

  /** Whether `what` stands at a place. */
  has(what: Text, at: i32): bool {
    return this.fits(what, at) && memory.compare(this.begin + <usize>at, what.begin, what.length) == 0;
  }

  /** Whether `what` stands at a place, letters of ASCII in either case. */
  hasFold(what: Text, at: i32): bool {
    if (!this.fits(what, at)) return false;
    for (let i = 0; i < what.length; i++) {
      if (lower(load<u8>(this.begin + <usize>at + i)) != lower(load<u8>(what.begin + i))) return false;
    }
    return true;
  }

  /** The first place from `from` on where `what` stands, -1 if there is none. */
  indexOf(what: Text, from: i32 = 0): i32 {
    for (let i = max(from, 0); i <= this.length - what.length; i++) {
      if (this.has(what, i)) return i;
    }
    return -1;
  }

  /** The part from one place to another, clamped to the text. */
  slice(from: i32, to: i32 = i32.MAX_VALUE): Text {
    const start = min(max(from, 0), this.length);
    return new Text(this.begin + <usize>start, max(min(to, this.length) - start, 0));
  }

  /** The text as a string of UTF-16, in which places are others. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.begin, this.length);
  }

  private fits(what: Text, at: i32): bool {
    return at >= 0 && what.length <= this.length - at;
  }
}

// @ts-ignore: decorator
@inline
function lower(c: u8): u8 {
  return <u8>(c - 65) < 26 ? c | 0x20 : c;
}
