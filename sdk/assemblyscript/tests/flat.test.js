// The package against the vectors of the flat encoding, and against inputs that
// break its rules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import asc from "assemblyscript/asc";

const vectors = JSON.parse(readFileSync(new URL("../../abi/vectors/flat.json", import.meta.url)));
const phases = ["", "listing", "request", "result", "prompt", "resource"];
const callers = ["", "user", "agent", "service"];
const kinds = [
  "other", "name", "title", "description", "instructions", "parameter", "schema-title", "schema-description", "schema-value",
  "annotation", "meta", "uri", "argument", "argument-name", "text", "structured", "error", "mime", "server-info",
];
const severities = [undefined, "info", "low", "medium", "high", "critical"];

const root = new URL("..", import.meta.url).pathname;
let wasm;
const { error, stderr } = await asc.main(
  ["tests/echo.ts", "--baseDir", root, "--config", "tests/asconfig.json", "--outFile", "echo.wasm"],
  { writeFile: (name, bytes) => { if (name.endsWith(".wasm")) wasm = bytes; } },
);
assert.ifError(error && new Error(stderr.toString()));
const module = new WebAssembly.Module(wasm);

function instance() {
  const lines = [];
  const { exports } = new WebAssembly.Instance(module, {
    bartizan: { log: (_, ptr, size) => lines.push(Buffer.from(exports.memory.buffer, ptr, size).toString()) },
  });
  exports._initialize();
  return { exports, lines };
}

// Puts bytes where the guest wants them and calls it. null is a fault.
function scan(bytes, { ptr = 0, size = bytes.length, guest = instance() } = {}) {
  const { exports } = guest;
  const at = exports.bartizan_alloc(bytes.length);
  assert.equal(at % 8, 0);
  Buffer.from(exports.memory.buffer).set(bytes, at);
  let answer;
  try {
    answer = exports.bartizan_scan(ptr || at, size);
  } catch (e) {
    assert.ok(e instanceof WebAssembly.RuntimeError, e);
    return null;
  }
  const from = Number(BigInt.asUintN(64, answer) >> 32n), length = Number(answer & 0xffffffffn);
  return from === 0 ? null : Buffer.from(exports.memory.buffer.slice(from, from + length));
}

// Reads an answer as ABI.md has it.
function read(b) {
  const text = (at) => b.subarray(b.readUInt32LE(at), b.readUInt32LE(at) + b.readUInt32LE(at + 4)).toString();
  const records = (at, size, one) => Array.from({ length: b.readUInt32LE(at + 4) }, (_, i) => {
    assert.equal(b.readUInt32LE(at + 8), size);
    return one(b.readUInt32LE(at) + i * size);
  });
  assert.equal(b.toString("latin1", 0, 4), "BTZO");
  assert.equal(b.readUInt32LE(4), 40);
  return {
    status: ["", "complete", "partial"][b.readUInt32LE(8)],
    findings: records(12, 56, (at) => ({
      rule: text(at),
      ...(b[at + 28] && { severity: severities[b[at + 28]] }),
      confidence: b.readDoubleLE(at + 8),
      segment: b.readUInt32LE(at + 16), start: b.readUInt32LE(at + 20), end: b.readUInt32LE(at + 24),
      message: text(at + 32),
      ...(b[at + 29] && { replacement: text(at + 40) }),
      ...(text(at + 48) && { mark: text(at + 48) }),
    })),
    unexamined: records(24, 16, (at) => ({ segment: b.readUInt32LE(at), start: b.readUInt32LE(at + 4), end: b.readUInt32LE(at + 8) })),
  };
}

// What the echo has to be for an input.
function wanted(input) {
  return [
    phases.indexOf(input.phase), input.server, input.entry, callers.indexOf(input.caller), input.limits.findings, input.limits.outputBytes,
    ...input.segments.map((s) => "segment " + [kinds.indexOf(s.kind), s.item, s.pointer, s.text, s.provenance].join("\x01")),
    ...input.hits.map((h) => "hit " + [h.pattern, h.segment, h.start, h.end].join("\x01")),
    ...input.flow.map((f) => "flow " + [f.mark, f.segment, f.start, f.end, f.origin.server, f.origin.entry, f.age].join("\x01")),
    ...input.context.map((c) => "context " + [c.server, c.kind, c.name, c.title, c.description, c.parameters.join("\x03")].join("\x01")),
  ].join("\x02");
}

const whole = () => Buffer.from(vectors.inputs.find((v) => v.name === "whole").flat, "hex");

for (const v of vectors.inputs) {
  test(`input ${v.name}`, () => {
    const guest = instance();
    assert.equal(scan(Buffer.from(v.flat, "hex"), { guest }).toString("hex"), vectors.answers.find((a) => a.name === "clean").flat);
    assert.deepEqual(guest.lines, [wanted(v.json)]);
  });
}

// An input of one segment whose text says what to answer, with room for so many
// findings and bytes; 0 does not say.
function order(text, limit = 0, bytes = 0) {
  const b = Buffer.alloc(88 + 32), strings = Buffer.from("answer" + text);
  b.write("BTZI");
  b[12] = 2;
  for (const [at, n] of [[4, 88], [8, b.length + strings.length], [24, b.length], [28, 6], [32, limit], [36, bytes], [40, 88], [44, 1], [48, 32],
    [88 + 16, b.length + 6], [88 + 20, strings.length - 6]]) b.writeUInt32LE(n, at);
  return Buffer.concat([b, strings]);
}

for (const v of vectors.answers) {
  test(`answer ${v.name}`, () => {
    const lines = [
      ...v.json.findings.map((f) => ["finding", f.rule, severities.indexOf(f.severity), f.confidence, f.segment, f.start, f.end, f.message,
        f.replacement === undefined ? "-" : "+" + f.replacement, f.mark ?? ""].join("\t")),
      ...v.json.unexamined.map((r) => ["range", r.segment, r.start, r.end].join("\t")),
    ];
    const answer = scan(order(lines.join("\n")));
    assert.deepEqual(read(answer), v.json);
    if (lines.length === 0) assert.equal(answer.toString("hex"), v.flat);
  });
}

test("what breaks the encoding is a fault", () => {
  const u32 = (at, n) => { const b = whole(); b.writeUInt32LE(n, at); return b; };
  const cases = {
    nothing: Buffer.alloc(0),
    "magic alone": Buffer.from("BTZI"),
    "json": Buffer.from("{}".padEnd(100)),
    "magic of an answer": u32(0, 0x4f5a5442),
    "header that is too short": u32(4, 87),
    "header beyond the end": u32(4, 1 << 20),
    "another size": u32(8, whole().length - 1),
    "no phase": u32(12, 0),
    "phase of a later version": u32(12, 6),
    "server outside": u32(16, whole().length),
    "server that wraps": u32(16, 0xffffffff),
    "segments outside": u32(40, whole().length - 8),
    "segments without end": u32(44, 0xffffffff),
    "segments that are too short": u32(48, 31),
    "segments that are very long": u32(48, 0xffffffff),
    "segments that wrap": u32(40, 0xffffffe0),
  };
  for (const [name, bytes] of Object.entries(cases)) assert.equal(scan(bytes), null, name);
  for (let cut = 0; cut < whole().length; cut++) {
    const b = whole().subarray(0, cut);
    if (cut >= 12) b.writeUInt32LE(cut, 8); // it says so itself
    assert.equal(scan(b), null, `cut at ${cut}`);
  }
});

test("an address that was not given is a fault", () => {
  const b = whole();
  assert.equal(scan(b, { ptr: 8 }), null);
  assert.equal(scan(b, { size: b.length - 1 }), null);
  assert.equal(scan(b, { ptr: 0xfffffff8 | 0 }), null);
  const { exports } = instance();
  assert.equal(exports.bartizan_alloc(-1), 0);
  assert.equal(exports.bartizan_alloc(0x7fffffff), 0);
  assert.equal(exports.bartizan_scan(0, 0), 0n);
});

test("records and headers of a later version are skipped over", () => {
  const b = Buffer.alloc(96 + 40), text = Buffer.from("answerrange\t1\t2\t3");
  b.write("BTZI");
  b[12] = 2;
  for (const [at, n] of [[4, 96], [8, b.length + text.length], [24, b.length], [28, 6], [40, 96], [44, 1], [48, 40], [96, 77],
    [96 + 16, b.length + 6], [96 + 20, text.length - 6]]) b.writeUInt32LE(n, at);
  assert.deepEqual(read(scan(Buffer.concat([b, text]))).unexamined, [{ segment: 1, start: 2, end: 3 }]);
});

test("configuration", () => {
  for (const [config, status] of [["", 0], ["good", 0], ["bad", 1]]) {
    const { exports } = instance();
    const at = config && exports.bartizan_alloc(config.length);
    if (config) Buffer.from(exports.memory.buffer).set(Buffer.from(config), at);
    assert.equal(exports.bartizan_init(at || 0, config.length), status, config);
  }
});

test("more findings than the answer may hold make it partial", () => {
  const lines = [1, 2, 3].map((at) => ["finding", "a", 0, 1, 0, at, at + 1, "", "-", ""].join("\t")).join("\n");
  const within = read(scan(order(lines, 3))), beyond = read(scan(order(lines, 2)));
  assert.equal(within.status, "complete");
  assert.equal(within.findings.length, 3);
  assert.deepEqual(beyond.findings, within.findings.slice(0, 2));
  assert.deepEqual(beyond.unexamined, [{ segment: 0, start: 3, end: 4 }]);
  for (let bytes = 56; bytes < 40 + 3 * 57; bytes++) {
    const answer = scan(order(lines, 3, bytes)), n = read(answer).findings.length;
    assert.ok(answer.length <= bytes, `${answer.length} bytes for ${bytes}`);
    assert.ok(answer.length + 57 > bytes, `${n} findings in ${bytes} bytes`);
    assert.deepEqual(read(answer).unexamined, [{ segment: 0, start: n + 1, end: n + 2 }]);
  }
});

test("a lone surrogate becomes U+FFFD", () => {
  assert.equal(read(scan(order("lone"))).findings[0].message, "\ufffd");
});

test("why it faulted is in the log", () => {
  const { exports, lines } = instance();
  const at = exports.bartizan_alloc(100);
  assert.throws(() => exports.bartizan_scan(at, 100), WebAssembly.RuntimeError);
  assert.match(lines.join(), /malformed input .*decode\.ts:[0-9]+/);
});
