//! The answer that a scanner gives.

use crate::Limits;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Severity {
    Info = 1,
    Low = 2,
    Medium = 3,
    High = 4,
    Critical = 5,
}

/// One thing found in one segment. Its texts are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Finding<'a> {
    /// An id of the manifest.
    pub rule: &'a str,
    /// `None` takes the rule's.
    pub severity: Option<Severity>,
    /// 0 to 1.
    pub confidence: f64,
    /// Place among the input's segments.
    pub segment: usize,
    /// First byte in the segment's text.
    pub start: usize,
    /// First byte behind.
    pub end: usize,
    /// For the reviewer; empty takes the rule's description.
    pub message: &'a str,
    /// Text that makes the segment harmless in place of the range.
    pub replacement: Option<&'a str>,
    /// Remember the range as this: "secret", "personal", "instruction" ...
    pub mark: &'a str,
}

const FINDINGS: usize = 256;
const RANGES: usize = 1024;
const BYTES: usize = 64 << 10;
const HEADER: usize = 40;
const RECORD: usize = 56;
const RANGE: usize = 16;

/// The answer: examined and nothing found, unless something is added. It keeps
/// the limits of the input, and says where it could not.
pub struct Output {
    limits: Limits,
    findings: usize,
    ranges: usize,
    texts: usize,
    size: usize,
    full: bool,
    found: [[u8; RECORD]; FINDINGS], // references to texts are relative to texts
    unexamined: [[u8; RANGE]; RANGES],
    text: [u8; BYTES],
    answer: [u8; BYTES],
}

impl Output {
    /// An empty answer. It is large: 150 KB without a heap.
    pub const fn new() -> Output {
        Output {
            limits: Limits { findings: 0, bytes: 0 },
            findings: 0,
            ranges: 0,
            texts: 0,
            size: 0,
            full: false,
            found: [[0; RECORD]; FINDINGS],
            unexamined: [[0; RANGE]; RANGES],
            text: [0; BYTES],
            answer: [0; BYTES],
        }
    }

    pub(crate) fn begin(&mut self, limits: Limits) {
        let most = |n: u32, all: usize| if n == 0 { all as u32 } else { n.min(all as u32) };
        self.limits = Limits { findings: most(limits.findings, FINDINGS), bytes: most(limits.bytes, BYTES) };
        self.findings = 0;
        self.ranges = 0;
        self.texts = 0;
        self.size = HEADER;
        self.full = false;
    }

    fn fits(&self, more: usize) -> bool {
        self.size.saturating_add(more) <= self.limits.bytes as usize
    }

    /// Says that a range was not examined, which makes the answer partial. Of
    /// more than fit the first say it for all.
    pub fn skip(&mut self, segment: usize, start: usize, end: usize) {
        if self.ranges == RANGES || !self.fits(RANGE) {
            return;
        }
        let record = &mut self.unexamined[self.ranges];
        *record = [0; RANGE];
        put(record, 0, fit(segment));
        put(record, 4, fit(start));
        put(record, 8, fit(end));
        self.ranges += 1;
        self.size += RANGE;
    }

    /// Reports a finding. The first that the host's limits leave no room for
    /// makes the answer partial, and it and all later ones are left out: then
    /// `false` is returned, and the scanner may as well stop.
    pub fn add(&mut self, f: Finding) -> bool {
        if self.full {
            return false;
        }
        // Scanners that find much find much of one kind: its id is written once.
        let before = self.findings.checked_sub(1).map(|i| get(&self.found[i], 0));
        let same = before.filter(|&(from, len)| &self.text[from..from + len] == f.rule.as_bytes());
        let replacement = f.replacement.unwrap_or("");
        let texts = [if same.is_some() { "" } else { f.rule }, f.message, replacement, f.mark];
        let length = texts.iter().fold(0usize, |n, t| n.saturating_add(t.len()));
        // A range more, to say that it was too much.
        if self.findings == self.limits.findings as usize || !self.fits(length.saturating_add(RECORD + RANGE)) {
            self.full = true;
            self.skip(f.segment, f.start, f.end);
            return false;
        }
        let rule = same.unwrap_or((self.texts, f.rule.len()));
        let mut record = [0; RECORD];
        refer(&mut record, 0, rule);
        record[8..16].copy_from_slice(&f.confidence.to_le_bytes());
        put(&mut record, 16, fit(f.segment));
        put(&mut record, 20, fit(f.start));
        put(&mut record, 24, fit(f.end));
        record[28] = f.severity.map_or(0, |s| s as u8);
        record[29] = f.replacement.is_some().into();
        for (text, field) in texts.iter().zip([0, 32, 40, 48]) {
            if field != 0 {
                refer(&mut record, field, (self.texts, text.len()));
            }
            self.text[self.texts..self.texts + text.len()].copy_from_slice(text.as_bytes());
            self.texts += text.len();
        }
        self.found[self.findings] = record;
        self.findings += 1;
        self.size += length + RECORD;
        true
    }

    /// Writes the answer in the flat encoding.
    pub(crate) fn encode(&mut self) -> &[u8] {
        let ranges = HEADER + RECORD * self.findings;
        let base = ranges + RANGE * self.ranges;
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(b"BTZO");
        put(&mut header, 4, HEADER as u32);
        put(&mut header, 8, if self.ranges == 0 { 1 } else { 2 });
        for (field, at, count, size) in [(12, HEADER, self.findings, RECORD), (24, ranges, self.ranges, RANGE)] {
            if count > 0 {
                put(&mut header, field, at as u32);
                put(&mut header, field + 4, count as u32);
                put(&mut header, field + 8, size as u32);
            }
        }
        self.answer[..HEADER].copy_from_slice(&header);
        for (i, found) in self.found[..self.findings].iter().enumerate() {
            let mut record = *found;
            for field in [0, 32, 40, 48] {
                let (from, len) = get(&record, field);
                // Without a replacement nothing is referred to.
                if field != 40 || record[29] == 1 {
                    refer(&mut record, field, (base + from, len));
                } else {
                    refer(&mut record, field, (0, 0));
                }
            }
            self.answer[HEADER + RECORD * i..][..RECORD].copy_from_slice(&record);
        }
        for (i, record) in self.unexamined[..self.ranges].iter().enumerate() {
            self.answer[ranges + RANGE * i..][..RANGE].copy_from_slice(record);
        }
        self.answer[base..base + self.texts].copy_from_slice(&self.text[..self.texts]);
        &self.answer[..base + self.texts]
    }
}

impl Default for Output {
    fn default() -> Output {
        Output::new()
    }
}

fn fit(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn put(to: &mut [u8], at: usize, v: u32) {
    to[at..at + 4].copy_from_slice(&v.to_le_bytes());
}

fn refer(to: &mut [u8], at: usize, (from, len): (usize, usize)) {
    put(to, at, fit(from));
    put(to, at + 4, fit(len));
}

fn get(record: &[u8], at: usize) -> (usize, usize) {
    let number = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize;
    (number(at), number(at + 4))
}
