//! The module `bartizan`, for a scanner's own build.zig, and `zig build test`.

const std = @import("std");

pub fn build(b: *std.Build) void {
    _ = b.addModule("bartizan", .{ .root_source_file = b.path("src/bartizan.zig") });
    const tests = b.addTest(.{ .root_module = b.createModule(.{
        .root_source_file = b.path("src/tests.zig"),
        .target = b.graph.host,
    }) });
    b.step("test", "Run the tests").dependOn(&b.addRunArtifact(tests).step);
}
