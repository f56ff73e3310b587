/** How bad a finding is: at most as bad as its rule. */
export enum Severity { OfRule, Info, Low, Medium, High, Critical }

/** One thing found in one segment. */
@final
export class Finding {
  severity: Severity = Severity.OfRule;
  /** For the reviewer; empty takes the rule's description. */
  message: string = "";
  /** Text that makes the segment harmless in place of the range. */
  replacement: string | null = null;
  /** Remember the range as this: secret, personal, instruction ... (sdk/abi/ABI.md). */
  mark: string = "";

  /**
   * @param rule a rule of the manifest
   * @param confidence 0 to 1
   * @param segment index into the input's segments
   * @param start first byte of the range in the segment's text
   * @param end the byte after it
   */
  constructor(public rule: string, public confidence: f64, public segment: i32, public start: i32, public end: i32) {}
}

/** A part of a segment that was not examined. */
@final
export class Range {
  constructor(public segment: i32, public start: i32, public end: i32) {}
}

/** A scanner's answer. With unexamined ranges it is partial. */
@final
export class Output {
  findings: Finding[] = [];
  unexamined: Range[] = [];

  /** Of more findings than the limits allow the first are kept, and the answer is partial. */
  add(finding: Finding): void {
    this.findings.push(finding);
  }

  /** Says that a range was not examined. */
  skip(segment: i32, start: i32, end: i32): void {
    this.unexamined.push(new Range(segment, start, end));
  }
}
