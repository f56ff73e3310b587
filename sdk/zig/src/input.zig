//! The message that a scanner is given. Every offset in it is checked once, by
//! `Input.parse`; what is read later was checked then.

const std = @import("std");

pub const Phase = enum(u8) { listing = 1, request, result, prompt, resource };
pub const Caller = enum(u8) { unknown, user, agent, service };

/// What a text is (sdk/abi/ABI.md, "Input").
pub const Kind = enum(u32) {
    other, name, title, description, instructions, parameter, schema_title, schema_description, schema_value, annotation,
    meta, uri, argument, argument_name, text, structured, @"error", mime, server_info,
};

/// Bounds of the answer, which `Output` keeps; 0 is unknown.
pub const Limits = struct { findings: u32, bytes: u32 };

/// One message, or one window of a long one.
pub const Input = struct {
    phase: Phase,
    caller: Caller,
    server: []const u8,
    /// Tool, prompt or resource; empty for a whole listing.
    entry: []const u8,
    limits: Limits,
    /// Every text of the message.
    segments: Table(Segment),
    /// Where the manifest's patterns match.
    hits: Table(Hit),
    /// What earlier messages left behind in this one.
    flow: Table(Flow),
    /// Entries of other servers that the same model sees.
    context: Table(Context),

    /// Reads an input in the flat encoding; null if it is none.
    pub fn parse(bytes: []const u8) ?Input {
        const view = View{ .bytes = bytes };
        if (bytes.len < 88 or !std.mem.startsWith(u8, bytes, "BTZI")) return null;
        const header = view.number(4);
        if (header < 88 or header > bytes.len or view.number(8) != bytes.len) return null;
        if (bytes[12] < 1 or bytes[12] > 5) return null;
        return .{
            .phase = @enumFromInt(bytes[12]),
            .caller = if (bytes[13] <= 3) @enumFromInt(bytes[13]) else .unknown, // of a later version
            .server = view.slice(16, 1) orelse return null,
            .entry = view.slice(24, 1) orelse return null,
            .limits = .{ .findings = view.number(32), .bytes = view.number(36) },
            .segments = Table(Segment).parse(view, 40) orelse return null,
            .hits = Table(Hit).parse(view, 52) orelse return null,
            .flow = Table(Flow).parse(view, 64) orelse return null,
            .context = Table(Context).parse(view, 76) orelse return null,
        };
    }
};

/// One text of the message.
pub const Segment = struct {
    kind: Kind,
    /// Which entry of a listing it belongs to.
    item: u32,
    /// JSON Pointer of the text in the message.
    pointer: []const u8,
    text: []const u8,
    /// Empty as sent, else how the host decoded it, such as "base64".
    provenance: []const u8,

    const size = 32;
    const strings = [_]usize{ 8, 16, 24 };

    fn read(v: View, at: usize) Segment {
        const kind = v.number(at);
        return .{
            .kind = if (kind <= @intFromEnum(Kind.server_info)) @enumFromInt(kind) else .other,
            .item = v.number(at + 4),
            .pointer = v.text(at + 8),
            .text = v.text(at + 16),
            .provenance = v.text(at + 24),
        };
    }
};

/// A match of one of the manifest's patterns: a range of bytes in a segment.
pub const Hit = struct {
    pattern: u32,
    segment: u32,
    start: u32,
    end: u32,

    const size = 16;
    const strings = [_]usize{};

    fn read(v: View, at: usize) Hit {
        return .{ .pattern = v.number(at), .segment = v.number(at + 4), .start = v.number(at + 8), .end = v.number(at + 12) };
    }
};

/// A marked range of an earlier message that occurs in this one.
pub const Flow = struct {
    segment: u32,
    start: u32,
    end: u32,
    /// Seconds since it was marked.
    age: u32,
    mark: []const u8,
    /// Server and entry that it came from.
    server: []const u8,
    entry: []const u8,

    const size = 40;
    const strings = [_]usize{ 16, 24, 32 };

    fn read(v: View, at: usize) Flow {
        return .{
            .segment = v.number(at), .start = v.number(at + 4), .end = v.number(at + 8), .age = v.number(at + 12),
            .mark = v.text(at + 16), .server = v.text(at + 24), .entry = v.text(at + 32),
        };
    }
};

/// An entry of another server.
pub const Context = struct {
    server: []const u8,
    kind: []const u8,
    name: []const u8,
    title: []const u8,
    description: []const u8,
    parameters: Table(Name),

    const size = 48;
    const strings = [_]usize{ 0, 8, 16, 24, 32 };

    fn read(v: View, at: usize) Context {
        return .{
            .server = v.text(at), .kind = v.text(at + 8), .name = v.text(at + 16),
            .title = v.text(at + 24), .description = v.text(at + 32), .parameters = names(v, at),
        };
    }

    fn names(v: View, at: usize) Table(Name) {
        return .{ .view = v, .at = v.number(at + 40), .len = v.number(at + 44), .stride = Name.size };
    }
};

/// The name of a parameter.
pub const Name = struct {
    text: []const u8,

    const size = 8;
    const strings = [_]usize{0};

    fn read(v: View, at: usize) Name {
        return .{ .text = v.text(at) };
    }
};

/// Records of one type.
pub fn Table(comptime Record: type) type {
    return struct {
        view: View,
        at: usize,
        len: usize,
        stride: usize,

        const Self = @This();

        /// One of `len` records.
        pub fn get(t: Self, i: usize) Record {
            if (i >= t.len) @panic("no such record"); // also where safety is off
            return Record.read(t.view, t.at + i * t.stride);
        }

        fn parse(v: View, at: usize) ?Self {
            const t = Self{ .view = v, .at = v.number(at), .len = v.number(at + 4), .stride = v.number(at + 8) };
            if (t.len == 0) return t;
            if (t.stride < Record.size) return null;
            return if (t.valid()) t else null;
        }

        fn valid(t: Self) bool {
            // Less than 2^64: two numbers of 32 bits, and a third.
            if (@as(u64, t.at) + @as(u64, t.len) * t.stride > t.view.bytes.len) return false;
            for (0..t.len) |i| {
                const at = t.at + i * t.stride;
                inline for (Record.strings) |field| {
                    if (t.view.slice(at + field, 1) == null) return false;
                }
                if (Record == Context) {
                    const names = Context.names(t.view, at);
                    if (names.len > 0 and !names.valid()) return false;
                }
            }
            return true;
        }
    };
}

/// The bytes of an input.
const View = struct {
    bytes: []const u8,

    fn number(v: View, at: usize) u32 {
        return std.mem.readInt(u32, v.bytes[at..][0..4], .little);
    }

    /// What the offset and the count at a place refer to, null if it ends outside.
    fn slice(v: View, at: usize, size: u64) ?[]const u8 {
        const from: u64 = v.number(at);
        const count: u64 = v.number(at + 4);
        if (count == 0) return "";
        if (from + count * size > v.bytes.len) return null;
        return v.bytes[@intCast(from)..@intCast(from + count * size)];
    }

    fn text(v: View, at: usize) []const u8 {
        return v.slice(at, 1) orelse "";
    }
};
