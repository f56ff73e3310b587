//! The exports of the scanner ABI. The host enters from one thread and never
//! during a call. Every call begins with the memory as it was after init, so
//! nothing is freed, and room that no call touches costs nothing.
#![allow(unsafe_code, missing_docs)]

use crate::{exec, Input, Level, Output};
use core::cell::UnsafeCell;

const ROOM: usize = 256 << 10; // an input without a long listing
const PAGE: usize = 64 << 10;
const MOST: u32 = 1 << 30; // bounds one allocation; the host sends far less

struct Global<T>(UnsafeCell<T>);

// SAFETY: a scanner's module has one thread.
unsafe impl<T> Sync for Global<T> {}

#[repr(align(8))]
struct Room([u8; ROOM]);

static READY: Global<Room> = Global(UnsafeCell::new(Room([0; ROOM])));
static USED: Global<usize> = Global(UnsafeCell::new(0));
static OUTPUT: Global<Output> = Global(UnsafeCell::new(Output::new()));

/// What the host asked for and has not handed over yet: address and length.
static GIVEN: Global<(u32, u32)> = Global(UnsafeCell::new((0, 0)));

pub fn alloc(len: u32) -> u32 {
    if len > MOST {
        return 0;
    }
    let padded = (len as usize + 7) & !7;
    // SAFETY: no reference to any of these outlives a function of this module.
    unsafe {
        let used = *USED.0.get();
        let at = if padded <= ROOM - used {
            *USED.0.get() = used + padded;
            READY.0.get() as usize + used
        } else {
            match core::arch::wasm32::memory_grow(0, (padded + PAGE - 1) / PAGE) {
                usize::MAX => return 0,
                page => page * PAGE,
            }
        };
        *GIVEN.0.get() = (at as u32, len);
        at as u32
    }
}

/// The bytes that the host was given room for, once, if it points there.
fn take(at: u32, len: u32) -> Option<&'static [u8]> {
    if len == 0 {
        return Some(&[]);
    }
    // SAFETY: alloc gave this room away, to nobody else, and never takes it back.
    unsafe {
        let given = core::mem::replace(&mut *GIVEN.0.get(), (0, 0));
        (given == (at, len)).then(|| core::slice::from_raw_parts(at as *const u8, len as usize))
    }
}

pub fn init(configure: fn(&'static [u8]) -> Result<(), &'static str>, at: u32, len: u32) -> i32 {
    match take(at, len).ok_or("a configuration outside of its room").and_then(configure) {
        Ok(()) => 0,
        Err(why) => {
            log(Level::Error as u32, why);
            1
        }
    }
}

pub fn scan(scan: fn(&Input, &mut Output), at: u32, len: u32) -> u64 {
    // SAFETY: the host does not enter during a call, so this is the only reference.
    let out = unsafe { &mut *OUTPUT.0.get() };
    match take(at, len).and_then(|bytes| exec(scan, bytes, out)) {
        Some(answer) => (answer.as_ptr() as u64) << 32 | answer.len() as u64,
        None => 0,
    }
}

pub fn log(level: u32, line: &str) {
    #[link(wasm_import_module = "bartizan")]
    extern "C" {
        #[link_name = "log"]
        fn host_log(level: u32, at: *const u8, len: usize);
    }
    // SAFETY: the host reads the line before it returns.
    unsafe { host_log(level, line.as_ptr(), line.len()) }
}
