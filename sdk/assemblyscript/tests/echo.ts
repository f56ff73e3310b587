// A scanner that shows what the package did: it logs all that was read of its
// input or, where the entry is "answer", answers what the first text describes
// line by line.
import { ContextEntry, Finding, FlowHit, Hit, Input, Output, Segment, Text, handle, log } from "../index";
export { bartizan_alloc, bartizan_init, bartizan_scan } from "../exports";

handle(
  (input: Input): Output => {
    const out = new Output();
    if (input.entry.toString() != "answer") {
      log(echo(input));
      return out;
    }
    const lines = input.segments[0].text.toString().split("\n");
    for (let i = 0; i < lines.length; i++) {
      const f = lines[i].split("\t");
      if (f[0] == "range") out.skip(<i32>parseInt(f[1]), <i32>parseInt(f[2]), <i32>parseInt(f[3]));
      if (f[0] == "finding") out.add(finding(f));
      if (f[0] == "lone") out.add(finding("finding\ta\t0\t1\t0\t0\t0\t\uD800\t-\t".split("\t")));
    }
    return out;
  },
  (config: Text): bool => config.toString() != "bad",
);

function finding(f: string[]): Finding {
  const found = new Finding(f[1], parseFloat(f[3]), <i32>parseInt(f[4]), <i32>parseInt(f[5]), <i32>parseInt(f[6]));
  found.severity = <i32>parseInt(f[2]);
  found.message = f[7];
  if (f[8] != "-") found.replacement = f[8].slice(1);
  found.mark = f[9];
  return found;
}

/** Numbers and strings in the order of the schema, between control characters. */
function echo(input: Input): string {
  const all: string[] = [
    figure(input.phase), plain(input.server), plain(input.entry), figure(input.caller),
    figure(input.limits.findings), figure(input.limits.outputBytes),
  ];
  for (let i = 0; i < input.segments.length; i++) {
    const s: Segment = input.segments[i];
    all.push("segment " + [figure(s.kind), figure(s.item), plain(s.pointer), plain(s.text), plain(s.provenance)].join("\x01"));
  }
  for (let i = 0; i < input.hits.length; i++) {
    const h: Hit = input.hits[i];
    all.push("hit " + [figure(h.pattern), figure(h.segment), figure(h.start), figure(h.end)].join("\x01"));
  }
  for (let i = 0; i < input.flow.length; i++) {
    const f: FlowHit = input.flow[i];
    all.push("flow " + [
      plain(f.mark), figure(f.segment), figure(f.start), figure(f.end), plain(f.originServer), plain(f.originEntry), figure(f.age),
    ].join("\x01"));
  }
  for (let i = 0; i < input.context.length; i++) {
    const c: ContextEntry = input.context[i];
    const parameters: string[] = [];
    for (let j = 0; j < c.parameters.length; j++) parameters.push(plain(c.parameters[j]));
    all.push("context " + [
      plain(c.server), plain(c.kind), plain(c.name), plain(c.title), plain(c.description), parameters.join("\x03"),
    ].join("\x01"));
  }
  return all.join("\x02");
}

function figure<T>(n: T): string {
  return (<u32>n).toString();
}

function plain(t: Text): string {
  return t.toString();
}
