// Stands between the engine and a script: gives it inputs that keep the schema,
// with places counted as JavaScript counts them, and takes of its answers what
// the schema has. Evaluated once, by template.c, which hands over what it needs.
((host) => {
  "use strict";
  const { log, size, toBytes, toUnits } = host;

  const phases = ["listing", "request", "result", "prompt", "resource"];
  const severities = ["info", "low", "medium", "high", "critical"];
  const members = ["rule", "severity", "confidence", "segment", "start", "end", "message", "replacement", "mark"];
  let scanner;

  const show = (value) => (typeof value === "string" ? value : value instanceof Error ? `${value}` : JSON.stringify(value) ?? `${value}`);
  const logger = (level) => (...values) => log(level, values.map(show).join(" "));
  globalThis.console = { debug: logger(0), info: logger(1), log: logger(1), warn: logger(2), error: logger(3) };

  // Input.

  const malformed = (what) => new TypeError(`malformed input: ${what}`);
  const text = (object, name) => {
    const value = object[name];
    if (typeof value !== "string" || !value.isWellFormed()) throw malformed(name);
    return value;
  };
  const whole = (object, name) => {
    const value = object[name];
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw malformed(name);
    return value;
  };
  const record = (value, name) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(name);
    return value;
  };
  const list = (object, name) => {
    if (!Array.isArray(object[name])) throw malformed(name);
    return object[name];
  };

  // Makes a range of bytes one of the string.
  function placed(hit, name, segments) {
    record(hit, name);
    const segment = segments[whole(hit, "segment")];
    if (segment === undefined) throw malformed(`${name}: segment`);
    const start = toUnits(hit.segment, segment.text, whole(hit, "start"));
    const end = toUnits(hit.segment, segment.text, whole(hit, "end"));
    if (start < 0 || end < start) throw malformed(`${name}: range`);
    hit.start = start;
    hit.end = end;
  }

  function checked(input) {
    record(input, "input");
    if (!phases.includes(input.phase)) throw malformed("phase");
    for (const name of ["server", "entry", "caller"]) text(input, name);
    for (const s of list(input, "segments")) {
      record(s, "segment");
      for (const name of ["kind", "pointer", "text", "provenance"]) text(s, name);
      whole(s, "item");
    }
    for (const hit of list(input, "hits")) {
      placed(hit, "hit", input.segments);
      whole(hit, "pattern");
    }
    for (const hit of list(input, "flow")) {
      placed(hit, "flow", input.segments);
      text(hit, "mark");
      for (const name of ["server", "entry"]) text(record(hit.origin, "origin"), name);
      if (hit.age !== undefined) whole(hit, "age");
    }
    for (const entry of list(input, "context")) {
      record(entry, "context");
      for (const name of ["server", "kind", "name", "title", "description"]) text(entry, name);
      for (const i of list(entry, "parameters").keys()) text(entry.parameters, i);
    }
    for (const name of ["findings", "outputBytes"]) whole(record(input.limits, "limits"), name);
    return input;
  }

  // Answer.

  function span({ segment, start, end }, input, where) {
    const of = input.segments[segment]?.text;
    if (of === undefined) throw new TypeError(`${where}: segment ${segment} is none of the input`);
    const range = { segment, start: NaN, end: NaN };
    for (const [name, place] of [["start", start], ["end", end]]) {
      range[name] = Number.isInteger(place) ? toBytes(segment, of, place) : -1;
      if (range[name] < 0) throw new TypeError(`${where}: ${name} ${place} is no place between two characters of the text`);
    }
    return range;
  }

  function finding(f, i, input) {
    const where = `finding ${i}`;
    if (typeof f !== "object" || f === null) throw new TypeError(`${where} is no object`);
    const extra = Object.keys(f).find((name) => !members.includes(name));
    if (extra !== undefined) throw new TypeError(`${where}: a finding has no ${extra}`);
    const out = { rule: f.rule, confidence: f.confidence ?? 1, ...span(f, input, where), message: f.message ?? "" };
    for (const name of ["severity", "replacement", "mark"]) if (f[name] != null) out[name] = f[name];
    for (const name of ["rule", "message", "severity", "replacement", "mark"]) {
      if (name in out && typeof out[name] !== "string") throw new TypeError(`${where}: ${name} is no string`);
      if (name in out) out[name] = out[name].toWellFormed();
    }
    if ("severity" in out && !severities.includes(out.severity)) throw new TypeError(`${where}: severity ${out.severity}`);
    if (!(out.confidence >= 0 && out.confidence <= 1)) throw new TypeError(`${where}: confidence ${out.confidence}`);
    return out;
  }

  // The answer with the first findings. What it is silent about is unexamined.
  function first(count, findings, unexamined) {
    if (count < findings.length) {
      const { segment, start, end } = findings[count];
      unexamined = [...unexamined, { segment, start, end }];
    }
    return JSON.stringify({ status: unexamined.length > 0 ? "partial" : "complete", findings: findings.slice(0, count), unexamined });
  }

  function answer(result, input) {
    if (typeof result?.then === "function") throw new TypeError("scan returned a promise: it has to answer at once");
    if (!Array.isArray(result?.findings)) throw new TypeError("scan has to return { findings: [...] }");
    const findings = result.findings.map((f, i) => finding(f, i, input));
    const unexamined = (result.unexamined ?? []).map((r, i) => span(r, input, `unexamined range ${i}`));
    const { findings: most, outputBytes: room } = input.limits;
    let count = most > 0 ? Math.min(findings.length, most) : findings.length;
    let json = first(count, findings, unexamined);
    for (let bytes = size(json); room > 0 && bytes > room && count > 0; bytes = size(json)) {
      count = Math.min(count - 1, Math.floor((count * room) / bytes));
      json = first(count, findings, unexamined);
    }
    return json;
  }

  return {
    adopt(script) {
      if (typeof script.default !== "function") throw new TypeError("the script has to export a function: export default function scan(input) { ... }");
      scanner = script;
    },
    init(config) {
      if (scanner.init !== undefined) scanner.init(config);
    },
    scan: (input) => answer(scanner.default(checked(input)), input),
  };
})
