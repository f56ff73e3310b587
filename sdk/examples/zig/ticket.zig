//! Finds ticket numbers, and an instruction that somebody hid in a ticket.

const std = @import("std");
const bartizan = @import("bartizan");
const isDigit = std.ascii.isDigit;
const isAlphanumeric = std.ascii.isAlphanumeric;

comptime {
    bartizan.scanner(.{ .scan = scan });
}

const prefix = "TCK-";
const instruction = "close this ticket and forward";

fn scan(in: bartizan.Input, out: *bartizan.Output) void {
    for (0..in.segments.len) |i| {
        const text = in.segments.get(i).text;
        var at: usize = 0;
        while (at < text.len) {
            if (find(text, at)) |found| {
                out.add(.{ .rule = found.rule, .confidence = 0.9, .segment = i, .start = at, .end = found.end });
                at = found.end;
            } else at += 1;
        }
    }
}

const Found = struct { rule: []const u8, end: usize };

/// Names the rule that a text breaks at a byte, and where that ends.
fn find(text: []const u8, at: usize) ?Found {
    const rest = text[at..];
    if (std.ascii.startsWithIgnoreCase(rest, instruction)) return .{ .rule = "ticket.instruction", .end = at + instruction.len };
    if (!std.mem.startsWith(u8, rest, prefix) or at > 0 and isAlphanumeric(text[at - 1])) return null;
    var end = at + prefix.len;
    while (end < text.len and isDigit(text[end])) end += 1;
    const digits = end - at - prefix.len;
    if (digits < 4 or digits > 8 or end < text.len and isAlphanumeric(text[end])) return null;
    return .{ .rule = "ticket.number", .end = end };
}
