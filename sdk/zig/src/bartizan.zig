//! What a Bartizan scanner written in Zig is built on (sdk/abi/ABI.md).
//!
//!     const std = @import("std");
//!     const bartizan = @import("bartizan");
//!
//!     comptime {
//!         bartizan.scanner(.{ .scan = scan });
//!     }
//!
//!     fn scan(in: bartizan.Input, out: *bartizan.Output) void {
//!         for (0..in.segments.len) |i| {
//!             const at = std.mem.indexOf(u8, in.segments.get(i).text, "BEGIN RSA PRIVATE KEY") orelse continue;
//!             out.add(.{ .rule = "keys.rsa", .confidence = 1, .segment = i, .start = at, .end = at + 21 });
//!         }
//!     }
//!
//! Neither an allocator nor a libc is needed, and all of it works natively:
//! `exec` is a whole call for `zig test`. Texts are views of the host's input.
//! One that is no input is a fault before `scan` sees it, and a panic is one as
//! well.

const builtin = @import("builtin");
const input = @import("input.zig");
const answer = @import("answer.zig");

pub const Input = input.Input;
pub const Segment = input.Segment;
pub const Hit = input.Hit;
pub const Flow = input.Flow;
pub const Context = input.Context;
pub const Phase = input.Phase;
pub const Caller = input.Caller;
pub const Kind = input.Kind;
pub const Output = answer.Output;
pub const Finding = answer.Finding;
pub const Severity = answer.Severity;

pub const Scan = fn (Input, *Output) void;

/// A scanner's functions. `init` takes the operator's configuration, empty if
/// there is none, once before any message, and says whether it will do: what it
/// keeps is there in every call.
pub const Options = struct {
    scan: Scan,
    init: fn (config: []const u8) bool = accept,
};

fn accept(_: []const u8) bool {
    return true;
}

/// A whole call: reads an encoded input, has it scanned, and returns the encoded
/// answer, which is in `out`. Null is a fault.
pub fn exec(comptime scan: Scan, bytes: []const u8, out: *Output) ?[]const u8 {
    const in = Input.parse(bytes) orelse return null;
    out.begin(in.limits);
    scan(in, out);
    return out.encode();
}

pub const Level = enum(u32) { debug, info, warning, err };

/// Writes a line for `bartizan scanner run`. Elsewhere it does nothing.
pub fn log(level: Level, line: []const u8) void {
    if (comptime builtin.cpu.arch.isWasm()) @import("guest.zig").hostLog(@intFromEnum(level), line.ptr, line.len);
}

/// Makes the module's exports.
pub fn scanner(comptime options: Options) void {
    if (comptime builtin.cpu.arch.isWasm()) @import("guest.zig").exports(options);
}
