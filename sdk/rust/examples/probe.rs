//! Says what the crate makes of inputs, for the test that holds all SDKs to the
//! one in Go (sdk/examples/probe_test.go): frames of a length and that many
//! bytes on standard input; for each a frame with everything in it and one with
//! the answer on standard output, both empty for a fault.

use bartizan::{Finding, Input, Output, Severity};
use std::io::{self, Read, Write};

struct Dump(Vec<u8>);

impl Dump {
    fn number(&mut self, n: usize) {
        self.0.extend((n as u32).to_le_bytes());
    }
    fn text(&mut self, s: &str) {
        self.number(s.len());
        self.0.extend(s.as_bytes());
    }
}

fn dump(input: &Input) -> Vec<u8> {
    let mut d = Dump(Vec::new());
    d.number(input.phase as usize);
    d.number(input.caller as usize);
    d.text(input.server);
    d.text(input.entry);
    d.number(input.limits.findings as usize);
    d.number(input.limits.bytes as usize);
    d.number(input.segments().len());
    for s in input.segments() {
        d.number(s.kind as usize);
        d.number(s.item as usize);
        [s.pointer, s.text, s.provenance].iter().for_each(|s| d.text(s));
    }
    d.number(input.hits().len());
    for h in input.hits() {
        [h.pattern, h.segment, h.start, h.end].iter().for_each(|n| d.number(*n));
    }
    d.number(input.flow().len());
    for f in input.flow() {
        [f.segment, f.start, f.end, f.age as usize].iter().for_each(|n| d.number(*n));
        [f.mark, f.server, f.entry].iter().for_each(|s| d.text(s));
    }
    d.number(input.context().len());
    for c in input.context() {
        [c.server, c.kind, c.name, c.title, c.description].iter().for_each(|s| d.text(s));
        d.number(c.parameters().count());
        c.parameters().for_each(|s| d.text(s));
    }
    d.0
}

const SEVERITIES: [Option<Severity>; 6] =
    [None, Some(Severity::Info), Some(Severity::Low), Some(Severity::Medium), Some(Severity::High), Some(Severity::Critical)];

/// Skips and finds what the input asks for by its kinds.
fn scan(input: &Input, out: &mut Output) {
    for (i, s) in input.segments().enumerate() {
        if s.kind as u32 % 3 == 1 {
            out.skip(i, s.item as usize, s.text.len());
        }
    }
    for (segment, s) in input.segments().enumerate() {
        if s.kind as u32 % 3 == 0 {
            out.add(Finding {
                rule: input.server,
                severity: SEVERITIES[s.item as usize % 6],
                confidence: f64::from(s.item) / 4.0,
                segment,
                start: s.item as usize,
                end: s.text.len(),
                message: s.text,
                replacement: if s.item % 2 == 1 { Some(s.provenance) } else { None },
                mark: input.entry,
            });
        }
    }
}

fn main() -> io::Result<()> {
    let (mut all, mut out) = (Vec::new(), Box::new(Output::new()));
    io::stdin().read_to_end(&mut all)?;
    let (mut rest, mut said) = (&all[..], io::stdout().lock());
    while rest.len() >= 4 {
        let (len, tail) = rest.split_at(4);
        let (frame, tail) = tail.split_at(u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize);
        rest = tail;
        let seen = Input::parse(frame).map_or(Vec::new(), |input| dump(&input));
        let answer = bartizan::exec(scan, frame, &mut out).unwrap_or(&[]);
        for part in [&seen[..], answer] {
            said.write_all(&(part.len() as u32).to_le_bytes())?;
            said.write_all(part)?;
        }
    }
    Ok(())
}
