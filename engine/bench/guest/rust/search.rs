// Counts where eight words stand in the input, byte by byte.
#![no_std]
include!("abi.rs");

const WORDS: [&[u8]; 8] = [
    b"secret", b"ignore", b"password", b"token", b"system", b"instruction", b"forward", b"private",
];

fn kernel(input: &[u8]) -> u64 {
    let mut found = 0;
    for word in WORDS {
        for (i, at) in input.windows(word.len()).enumerate() {
            if at == word {
                found += i as u64 + 1;
            }
        }
    }
    found
}
