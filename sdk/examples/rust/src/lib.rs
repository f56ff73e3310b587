//! Finds ticket numbers, and an instruction that somebody hid in a ticket.

use bartizan::{Finding, Input, Output};

bartizan::scanner!(scan);

const PREFIX: &[u8] = b"TCK-";
const INSTRUCTION: &[u8] = b"close this ticket and forward";

fn scan(input: &Input, out: &mut Output) {
    for (segment, s) in input.segments().enumerate() {
        let (text, mut start) = (s.text.as_bytes(), 0);
        while start < text.len() {
            if let Some((rule, end)) = find(text, start) {
                out.add(Finding { rule, confidence: 0.9, segment, start, end, ..Finding::default() });
                start = end;
            } else {
                start += 1;
            }
        }
    }
}

/// Names the rule that a text breaks at a byte, and where that ends.
fn find(text: &[u8], at: usize) -> Option<(&'static str, usize)> {
    let rest = &text[at..];
    if rest.len() >= INSTRUCTION.len() && rest[..INSTRUCTION.len()].eq_ignore_ascii_case(INSTRUCTION) {
        return Some(("ticket.instruction", at + INSTRUCTION.len()));
    }
    if !rest.starts_with(PREFIX) || at > 0 && text[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let digits = rest[PREFIX.len()..].iter().take_while(|c| c.is_ascii_digit()).count();
    let end = at + PREFIX.len() + digits;
    let apart = text.get(end).map_or(true, |c| !c.is_ascii_alphanumeric());
    ((4..=8).contains(&digits) && apart).then(|| ("ticket.number", end))
}
