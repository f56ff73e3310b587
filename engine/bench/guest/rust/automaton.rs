// Walks the input through a dense automaton over ../phrases, ASCII letters of
// either case alike: the tables of ../c/phrases.h.
#![no_std]
include!("abi.rs");

const PHRASES: &str = include_str!("../phrases/phrases.txt");
const STATES: usize = 1536;
const CLASSES: usize = 64;

static mut CLASS: [u8; 256] = [0; 256];
static mut NEXT: [[u16; CLASSES]; STATES] = [[0; CLASSES]; STATES];
static mut ENDS: [u8; STATES] = [0; STATES];
static mut FAIL: [u16; STATES] = [0; STATES];
static mut QUEUE: [u16; STATES] = [0; STATES];
static mut BUILT: bool = false;

fn build() {
    let (class, next, ends, fail, queue) = unsafe { (&mut CLASS, &mut NEXT, &mut ENDS, &mut FAIL, &mut QUEUE) };
    let mut classes = 1;
    let mut states = 1;
    for c in PHRASES.bytes().filter(|c| *c != b'\n') {
        if class[c.to_ascii_lowercase() as usize] == 0 {
            class[c.to_ascii_lowercase() as usize] = classes as u8;
            classes += 1;
        }
    }
    for c in b'A'..=b'Z' {
        class[c as usize] = class[c.to_ascii_lowercase() as usize];
    }
    for (p, phrase) in PHRASES.lines().enumerate() {
        let mut at = 0usize;
        for c in phrase.bytes() {
            let to = &mut next[at][class[c as usize] as usize];
            if *to == 0 {
                *to = states;
                states += 1;
            }
            at = *to as usize;
        }
        ends[at] = p as u8 + 1;
    }
    let (mut head, mut tail) = (0, 0);
    for c in 0..classes {
        if next[0][c] != 0 {
            queue[tail] = next[0][c];
            tail += 1;
        }
    }
    while head < tail {
        let at = queue[head] as usize;
        head += 1;
        if ends[at] == 0 {
            ends[at] = ends[fail[at] as usize];
        }
        for c in 0..classes {
            let to = next[at][c];
            let other = next[fail[at] as usize][c];
            if to != 0 {
                fail[to as usize] = other;
                queue[tail] = to;
                tail += 1;
            } else {
                next[at][c] = other;
            }
        }
    }
    unsafe { BUILT = true }
}

fn kernel(input: &[u8]) -> u64 {
    if unsafe { !BUILT } {
        build();
    }
    let (class, next, ends) = unsafe { (&CLASS, &NEXT, &ENDS) };
    let mut mix = 0u64;
    let mut at = 0usize;
    for (i, c) in input.iter().enumerate() {
        at = next[at][class[*c as usize] as usize] as usize;
        if ends[at] != 0 {
            mix = mix.wrapping_mul(31).wrapping_add(ends[at] as u64 * (i as u64 + 1));
        }
    }
    mix
}
