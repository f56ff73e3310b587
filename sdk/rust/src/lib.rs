//! What a Bartizan scanner written in Rust is built on (sdk/abi/ABI.md).
//!
//! ```no_run
//! use bartizan::{Finding, Input, Output};
//!
//! bartizan::scanner!(scan);
//!
//! fn scan(input: &Input, out: &mut Output) {
//!     for (segment, s) in input.segments().enumerate() {
//!         if let Some(start) = s.text.find("BEGIN RSA PRIVATE KEY") {
//!             out.add(Finding { rule: "keys.rsa", confidence: 1.0, segment, start, end: start + 21, ..Finding::default() });
//!         }
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! The crate depends on nothing, not even on `std` or an allocator, and all of
//! it works natively: [`exec`] is a whole call for `cargo test`. Texts are views
//! of the host's input. One that is no input is a fault before `scan` sees it,
//! and a panic is one as well.
#![no_std]
#![deny(unsafe_code, missing_docs)]

mod answer;
mod flat;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
mod input;

pub use answer::{Finding, Output, Severity};
pub use input::{Caller, Context, Flow, Hit, Input, Kind, Limits, Phase, Segment};

/// A whole call: reads an encoded input, has it scanned, and returns the encoded
/// answer, which is in `out`. `None` is a fault.
pub fn exec<'o>(scan: fn(&Input, &mut Output), bytes: &[u8], out: &'o mut Output) -> Option<&'o [u8]> {
    let input = Input::parse(bytes)?;
    out.begin(input.limits);
    scan(&input, out);
    Some(out.encode())
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

/// Writes a line for `bartizan scanner run`. Elsewhere it does nothing.
pub fn log(level: Level, line: &str) {
    #[cfg(target_arch = "wasm32")]
    guest::log(level as u32, line);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (level, line);
}

/// Makes the module's exports: `scanner!(scan)` or `scanner!(scan, configure)`.
///
/// `scan` is a `fn(&Input, &mut Output)`. `configure` is a
/// `fn(&'static [u8]) -> Result<(), &'static str>`: it takes the operator's
/// configuration, empty if there is none, once before any message, and what it
/// keeps in a `static` is there in every call. After an error nothing is scanned.
#[macro_export]
macro_rules! scanner {
    ($scan:path) => {
        $crate::scanner!($scan, |_| Ok(()));
    };
    ($scan:path, $configure:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            #[no_mangle]
            extern "C" fn bartizan_alloc(len: u32) -> u32 {
                $crate::guest::alloc(len)
            }
            #[no_mangle]
            extern "C" fn bartizan_init(at: u32, len: u32) -> i32 {
                $crate::guest::init($configure, at, len)
            }
            #[no_mangle]
            extern "C" fn bartizan_scan(at: u32, len: u32) -> u64 {
                $crate::guest::scan($scan, at, len)
            }
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: (fn(&$crate::Input, &mut $crate::Output), fn(&'static [u8]) -> Result<(), &'static str>) = ($scan, $configure);
    };
}
