// Multiplies two N x N matrices of doubles filled from the input.
#![no_std]
include!("abi.rs");

const N: usize = 96;
type Matrix = [[f64; N]; N];
static mut A: Matrix = [[0.0; N]; N];
static mut B: Matrix = [[0.0; N]; N];
static mut C: Matrix = [[0.0; N]; N];

fn kernel(input: &[u8]) -> u64 {
    let (a, b, c) = unsafe { (&mut A, &mut B, &mut C) };
    for i in 0..N {
        for j in 0..N {
            a[i][j] = input[i * N + j] as f64;
            b[i][j] = input[N * N + i * N + j] as f64;
        }
    }
    for i in 0..N {
        for j in 0..N {
            let mut sum = 0.0;
            for k in 0..N {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
    let mut trace = 0.0;
    for i in 0..N {
        for j in 0..N {
            trace += c[i][j] * (i + 1) as f64;
        }
    }
    trace as u64
}
