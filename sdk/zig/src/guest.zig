//! The exports of the scanner ABI. Every call begins with the memory as it was
//! after init, so nothing is freed, and room that no call touches costs nothing.

const bartizan = @import("bartizan.zig");

const ready = 256 << 10; // an input without a long listing
const page = 64 << 10;
const most = 1 << 30; // bounds one allocation; the host sends far less

var room: [ready]u8 align(8) = undefined;
var used: usize = 0;
var output: bartizan.Output = undefined; // exec begins anew

/// What the host asked for and has not handed over yet.
var given: []const u8 = "";

extern "bartizan" fn log(level: u32, ptr: [*]const u8, len: usize) void;
pub const hostLog = log;

fn alloc(len: u32) callconv(.c) ?[*]u8 {
    if (len > most) return null;
    const padded = (len + 7) & ~@as(u32, 7);
    const at: [*]u8 = if (padded <= ready - used) at: {
        used += padded;
        break :at room[used - padded ..].ptr;
    } else at: {
        const before = @wasmMemoryGrow(0, (padded + page - 1) / page);
        if (before < 0) return null;
        break :at @ptrFromInt(@as(usize, @intCast(before)) * page);
    };
    given = at[0..len];
    return at;
}

/// The bytes that the host was given room for, once, if it points there.
fn take(at: usize, len: u32) ?[]const u8 {
    const bytes = given;
    given = "";
    if (len == 0) return "";
    return if (bytes.len == len and @intFromPtr(bytes.ptr) == at) bytes else null;
}

pub fn exports(comptime options: bartizan.Options) void {
    const module = struct {
        fn init(at: usize, len: u32) callconv(.c) i32 {
            const config = take(at, len) orelse return 1;
            return if (options.init(config)) 0 else 1;
        }
        fn scan(at: usize, len: u32) callconv(.c) u64 {
            const bytes = take(at, len) orelse return 0;
            const answer = bartizan.exec(options.scan, bytes, &output) orelse return 0;
            return @as(u64, @intFromPtr(answer.ptr)) << 32 | answer.len;
        }
    };
    @export(&alloc, .{ .name = "bartizan_alloc" });
    @export(&module.init, .{ .name = "bartizan_init" });
    @export(&module.scan, .{ .name = "bartizan_scan" });
}
