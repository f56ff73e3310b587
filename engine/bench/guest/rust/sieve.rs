// Counts the primes below LIMIT, plus one for each input byte.
#![no_std]
include!("abi.rs");

const LIMIT: usize = 1 << 19;
static mut COMPOSITE: [bool; LIMIT] = [false; LIMIT];

fn kernel(input: &[u8]) -> u64 {
    let composite = unsafe { &mut COMPOSITE };
    for c in composite.iter_mut() {
        *c = false;
    }
    let mut primes = input.len() as u64;
    for i in 2..LIMIT {
        if composite[i] {
            continue;
        }
        primes += 1;
        if let Some(square) = i.checked_mul(i) {
            let mut j = square;
            while j < LIMIT {
                composite[j] = true;
                j += i;
            }
        }
    }
    primes
}
