//! Says what the package makes of inputs, for the test that holds all SDKs to
//! the one in Go (sdk/examples/probe_test.go): frames of a length and that many
//! bytes on standard input; for each a frame with everything in it and one with
//! the answer on standard output, both empty for a fault.

const std = @import("std");
const bartizan = @import("bartizan");
const linux = std.os.linux;

var given: [64 << 20]u8 = undefined;
var dump: struct {
    bytes: [64 << 20]u8 = undefined,
    len: usize = 0,

    fn put(d: *@This(), b: []const u8) void {
        @memcpy(d.bytes[d.len..][0..b.len], b);
        d.len += b.len;
    }
    fn numbers(d: *@This(), all: anytype) void {
        inline for (all) |n| {
            var b: [4]u8 = undefined;
            std.mem.writeInt(u32, &b, @intCast(n), .little);
            d.put(&b);
        }
    }
    fn texts(d: *@This(), all: anytype) void {
        inline for (all) |s| {
            d.numbers(.{s.len});
            d.put(s);
        }
    }
} = .{};
var output: bartizan.Output = .{};

fn everything(in: bartizan.Input) void {
    dump.numbers(.{ @intFromEnum(in.phase), @intFromEnum(in.caller) });
    dump.texts(.{ in.server, in.entry });
    dump.numbers(.{ in.limits.findings, in.limits.bytes, in.segments.len });
    for (0..in.segments.len) |i| {
        const s = in.segments.get(i);
        dump.numbers(.{ @intFromEnum(s.kind), s.item });
        dump.texts(.{ s.pointer, s.text, s.provenance });
    }
    dump.numbers(.{in.hits.len});
    for (0..in.hits.len) |i| {
        const h = in.hits.get(i);
        dump.numbers(.{ h.pattern, h.segment, h.start, h.end });
    }
    dump.numbers(.{in.flow.len});
    for (0..in.flow.len) |i| {
        const f = in.flow.get(i);
        dump.numbers(.{ f.segment, f.start, f.end, f.age });
        dump.texts(.{ f.mark, f.server, f.entry });
    }
    dump.numbers(.{in.context.len});
    for (0..in.context.len) |i| {
        const c = in.context.get(i);
        dump.texts(.{ c.server, c.kind, c.name, c.title, c.description });
        dump.numbers(.{c.parameters.len});
        for (0..c.parameters.len) |n| dump.texts(.{c.parameters.get(n).text});
    }
}

/// Skips and finds what the input asks for by its kinds.
fn scan(in: bartizan.Input, out: *bartizan.Output) void {
    for (0..in.segments.len) |i| {
        const s = in.segments.get(i);
        if (@intFromEnum(s.kind) % 3 == 1) out.skip(i, s.item, s.text.len);
    }
    for (0..in.segments.len) |i| {
        const s = in.segments.get(i);
        if (@intFromEnum(s.kind) % 3 != 0) continue;
        out.add(.{
            .rule = in.server,
            .severity = @enumFromInt(s.item % 6),
            .confidence = @as(f64, @floatFromInt(s.item)) / 4,
            .segment = i,
            .start = s.item,
            .end = s.text.len,
            .message = s.text,
            .replacement = if (s.item % 2 == 1) s.provenance else null,
            .mark = in.entry,
        });
    }
}

fn write(bytes: []const u8) void {
    var rest = bytes;
    while (rest.len > 0) rest = rest[linux.write(1, rest.ptr, rest.len)..];
}

fn frame(bytes: []const u8) void {
    var len: [4]u8 = undefined;
    std.mem.writeInt(u32, &len, @intCast(bytes.len), .little);
    write(&len);
    write(bytes);
}

pub fn main() void {
    var len: usize = 0;
    while (true) {
        const n = linux.read(0, given[len..].ptr, given.len - len);
        if (n == 0) break;
        len += n;
    }
    var rest: []const u8 = given[0..len];
    while (rest.len >= 4) {
        const size = std.mem.readInt(u32, rest[0..4], .little);
        const bytes = rest[4..][0..size];
        rest = rest[4 + size ..];
        dump.len = 0;
        if (bartizan.Input.parse(bytes)) |in| everything(in);
        frame(dump.bytes[0..dump.len]);
        frame(bartizan.exec(scan, bytes, &output) orelse "");
    }
}
