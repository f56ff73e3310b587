//! Whole calls on an input that is written here.

const std = @import("std");
const bartizan = @import("bartizan.zig");
const expectEqual = std.testing.expectEqual;
const expectEqualStrings = std.testing.expectEqualStrings;

/// A result of two segments, which share a text.
const message: []const u8 = &(header() ++ segment(14, 3) ++ segment(999, 0) ++ "/aTCK-1234".*);

fn number(n: u32) [4]u8 {
    return @bitCast(std.mem.nativeToLittle(u32, n));
}

fn header() [88]u8 {
    const start = "BTZI".* ++ number(88) ++ number(88 + 2 * 32 + 10) ++ [4]u8{ 3, 9, 0, 0 };
    const limits = number(2) ++ number(1 << 20);
    return start ++ nothing(16) ++ limits ++ number(88) ++ number(2) ++ number(32) ++ nothing(36);
}

fn nothing(comptime n: usize) [n]u8 {
    return @splat(0);
}

fn segment(kind: u32, item: u32) [32]u8 {
    return number(kind) ++ number(item) ++ number(152) ++ number(2) ++ number(154) ++ number(8) ++ number(7) ++ number(0);
}

test "an input" {
    const in = bartizan.Input.parse(message).?;
    try expectEqual(bartizan.Phase.result, in.phase);
    try expectEqual(bartizan.Caller.unknown, in.caller); // of a later version
    try expectEqual(2, in.segments.len);
    const first = in.segments.get(0);
    try expectEqual(bartizan.Kind.text, first.kind);
    try expectEqual(3, first.item);
    try expectEqualStrings("/a", first.pointer);
    try expectEqualStrings("TCK-1234", first.text);
    try expectEqualStrings("", first.provenance);
    try expectEqual(bartizan.Kind.other, in.segments.get(1).kind);
    for (0..message.len) |end| try expectEqual(null, bartizan.Input.parse(message[0..end]));
}

fn three(in: bartizan.Input, out: *bartizan.Output) void {
    for (0..3) |i| out.add(.{ .rule = "a.b", .confidence = 1, .segment = i, .start = 0, .end = in.segments.get(0).text.len });
}

test "an answer keeps the limits of its input" {
    var out: bartizan.Output = .{};
    const answer = bartizan.exec(three, message, &out).?;
    try expectEqual(40 + 2 * 56 + 16 + 3, answer.len); // two findings, a range, the rule's id once
    try expectEqual(2, answer[8]); // partial
    try expectEqual(2, answer[40 + 2 * 56]); // what was left out is of the third segment
    try expectEqual(null, bartizan.exec(three, message[1..], &out));
}
