//! The answer that a scanner gives.

const std = @import("std");
const Limits = @import("input.zig").Limits;

/// How bad a finding is; `rule` is as bad as the manifest says of the rule.
pub const Severity = enum(u8) { rule, info, low, medium, high, critical };

/// One thing found in one segment. Its texts are copied.
pub const Finding = struct {
    /// An id of the manifest.
    rule: []const u8,
    severity: Severity = .rule,
    /// 0 to 1.
    confidence: f64,
    segment: usize,
    /// Byte range in the segment's text.
    start: usize,
    end: usize,
    /// For the reviewer; empty takes the rule's description.
    message: []const u8 = "",
    /// Text that makes the segment harmless in place of the range.
    replacement: ?[]const u8 = null,
    /// Remember the range as this: "secret", "personal", "instruction" ...
    mark: []const u8 = "",
};

const most_findings = 256;
const most_ranges = 1024;
const most_bytes = 64 << 10;
const header_size = 40;
const finding_size = 56;
const range_size = 16;

const Text = struct { from: u32 = 0, len: u32 = 0 };
const Range = struct { segment: u32, start: u32, end: u32 };
const Found = struct {
    rule: Text,
    message: Text,
    replacement: ?Text,
    mark: Text,
    severity: Severity,
    confidence: f64,
    at: Range,
};

/// The answer: examined and nothing found, unless something is added. It keeps
/// the limits of the input, and says where it could not.
pub const Output = struct {
    limits: Limits = undefined,
    findings: usize = 0,
    ranges: usize = 0,
    texts: usize = 0,
    size: usize = header_size,
    full: bool = false,
    found: [most_findings]Found = undefined,
    unexamined: [most_ranges]Range = undefined,
    text: [most_bytes]u8 = undefined,
    answer: [most_bytes]u8 = undefined,

    pub fn begin(out: *Output, limits: Limits) void {
        out.limits = .{ .findings = most(limits.findings, most_findings), .bytes = most(limits.bytes, most_bytes) };
        out.findings = 0;
        out.ranges = 0;
        out.texts = 0;
        out.size = header_size;
        out.full = false;
    }

    fn fits(out: *const Output, more: u64) bool {
        return out.size + more <= out.limits.bytes;
    }

    /// Says that a range was not examined, which makes the answer partial. Of
    /// more than fit the first say it for all.
    pub fn skip(out: *Output, segment: usize, start: usize, end: usize) void {
        if (out.ranges == most_ranges or !out.fits(range_size)) return;
        out.unexamined[out.ranges] = .{ .segment = fit(segment), .start = fit(start), .end = fit(end) };
        out.ranges += 1;
        out.size += range_size;
    }

    /// Reports a finding. The first that the host's limits leave no room for
    /// makes the answer partial, and it and all later ones are left out.
    pub fn add(out: *Output, f: Finding) void {
        if (out.full) return;
        // Scanners that find much find much of one kind: its id is written once.
        const before: Text = if (out.findings > 0) out.found[out.findings - 1].rule else .{};
        const same = out.findings > 0 and std.mem.eql(u8, f.rule, out.text[before.from..][0..before.len]);
        const replacement = f.replacement orelse "";
        var length: u64 = if (same) 0 else f.rule.len;
        for ([_][]const u8{ f.message, replacement, f.mark }) |t| length += t.len;
        // A range more, to say that it was too much.
        if (out.findings == out.limits.findings or !out.fits(length + finding_size + range_size)) {
            out.full = true;
            return out.skip(f.segment, f.start, f.end);
        }
        const rule = if (same) before else out.keep(f.rule);
        const message = out.keep(f.message);
        const replaced = if (f.replacement) |text| out.keep(text) else null;
        out.found[out.findings] = .{
            .rule = rule,
            .message = message,
            .replacement = replaced,
            .mark = out.keep(f.mark),
            .severity = f.severity,
            .confidence = f.confidence,
            .at = .{ .segment = fit(f.segment), .start = fit(f.start), .end = fit(f.end) },
        };
        out.findings += 1;
        out.size += @intCast(length + finding_size);
    }

    fn keep(out: *Output, text: []const u8) Text {
        const kept = Text{ .from = @intCast(out.texts), .len = @intCast(text.len) };
        @memcpy(out.text[out.texts..][0..text.len], text);
        out.texts += text.len;
        return kept;
    }

    /// Writes the answer in the flat encoding.
    pub fn encode(out: *Output) []const u8 {
        const ranges = header_size + finding_size * out.findings;
        const texts = ranges + range_size * out.ranges;
        @memset(out.answer[0..texts], 0);
        @memcpy(out.answer[0..4], "BTZO");
        out.put(4, header_size);
        out.put(8, if (out.ranges > 0) 2 else 1);
        if (out.findings > 0) out.put3(12, .{ header_size, out.findings, finding_size });
        if (out.ranges > 0) out.put3(24, .{ ranges, out.ranges, range_size });
        for (out.found[0..out.findings], 0..) |f, i| {
            const at = header_size + finding_size * i;
            out.refer(at, f.rule, texts);
            std.mem.writeInt(u64, out.answer[at + 8 ..][0..8], @bitCast(f.confidence), .little);
            out.put3(at + 16, .{ f.at.segment, f.at.start, f.at.end });
            out.answer[at + 28] = @intFromEnum(f.severity);
            out.refer(at + 32, f.message, texts);
            if (f.replacement) |text| {
                out.answer[at + 29] = 1;
                out.refer(at + 40, text, texts);
            }
            out.refer(at + 48, f.mark, texts);
        }
        for (out.unexamined[0..out.ranges], 0..) |r, i| out.put3(ranges + range_size * i, .{ r.segment, r.start, r.end });
        @memcpy(out.answer[texts..][0..out.texts], out.text[0..out.texts]);
        return out.answer[0 .. texts + out.texts];
    }

    fn put(out: *Output, at: usize, n: usize) void {
        std.mem.writeInt(u32, out.answer[at..][0..4], @intCast(n), .little);
    }

    fn put3(out: *Output, at: usize, numbers: [3]usize) void {
        for (numbers, 0..) |n, i| out.put(at + 4 * i, n);
    }

    fn refer(out: *Output, at: usize, text: Text, base: usize) void {
        out.put(at, base + text.from);
        out.put(at + 4, text.len);
    }
};

fn most(n: u32, all: u32) u32 {
    return if (n == 0) all else @min(n, all);
}

fn fit(n: usize) u32 {
    return @intCast(@min(n, std.math.maxInt(u32)));
}
