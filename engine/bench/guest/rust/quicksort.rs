// Sorts the input, read as 32-bit numbers, by quicksort.
#![no_std]
include!("abi.rs");

static mut V: [u32; ARENA / 4] = [0; ARENA / 4];

fn sort(mut v: &mut [u32]) {
    while v.len() > 1 {
        let pivot = v[(v.len() - 1) / 2];
        let (mut i, mut j) = (0isize, v.len() as isize - 1);
        while i <= j {
            while v[i as usize] < pivot {
                i += 1;
            }
            while v[j as usize] > pivot {
                j -= 1;
            }
            if i <= j {
                v.swap(i as usize, j as usize);
                i += 1;
                j -= 1;
            }
        }
        let (low, rest) = v.split_at_mut((j + 1) as usize);
        let high = &mut rest[(i - j - 1) as usize..];
        if low.len() < high.len() {
            sort(low);
            v = high;
        } else {
            sort(high);
            v = low;
        }
    }
}

fn kernel(input: &[u8]) -> u64 {
    let v = unsafe { &mut V[..input.len() / 4] };
    for (n, b) in v.iter_mut().zip(input.chunks_exact(4)) {
        *n = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    }
    sort(v);
    v.iter().fold(0u64, |mix, n| mix.wrapping_mul(31).wrapping_add(*n as u64))
}
