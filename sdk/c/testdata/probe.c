/* Says what the header makes of inputs, for the test that holds all SDKs to the
 * one in Go (sdk/examples/probe_test.go): frames of a length and that many
 * bytes on standard input; for each a frame with everything in it and one with
 * the answer on standard output, both empty for a fault. */
#include "../bartizan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char *bytes;
    size_t len, room;
} dump;

static void put(const void *bytes, size_t len) {
    if (dump.len + len > dump.room) {
        dump.room = 2 * (dump.len + len);
        dump.bytes = realloc(dump.bytes, dump.room);
        if (!dump.bytes) abort();
    }
    if (len) memcpy(dump.bytes + dump.len, bytes, len);
    dump.len += len;
}
static void number(size_t n) {
    uint32_t v = (uint32_t)n;
    put(&v, 4);
}
static void text(btz_str s) {
    number(s.len);
    put(s.bytes, s.len);
}

static void all(const btz_input *in) {
    number(in->phase), number(in->caller), text(in->server), text(in->entry);
    number(in->limit_findings), number(in->limit_bytes);
    number(in->segments);
    for (size_t i = 0; i < in->segments; i++) {
        btz_segment_view s = btz_segment(in, i);
        number(s.kind), number(s.item), text(s.pointer), text(s.text), text(s.provenance);
    }
    number(in->hits);
    for (size_t i = 0; i < in->hits; i++) {
        btz_hit_view h = btz_hit(in, i);
        number(h.pattern), number(h.segment), number(h.start), number(h.end);
    }
    number(in->flow);
    for (size_t i = 0; i < in->flow; i++) {
        btz_flow_view f = btz_flow(in, i);
        number(f.segment), number(f.start), number(f.end), number(f.age), text(f.mark), text(f.server), text(f.entry);
    }
    number(in->context);
    for (size_t i = 0; i < in->context; i++) {
        btz_context_view c = btz_context(in, i);
        text(c.server), text(c.kind), text(c.name), text(c.title), text(c.description);
        number(c.parameters);
        for (size_t n = 0; n < c.parameters; n++) text(btz_parameter(in, c, n));
    }
    /* What is not there is empty. */
    if (btz_segment(in, in->segments).text.len || btz_hit(in, in->hits).end || btz_flow(in, in->flow).mark.len ||
        btz_context(in, in->context).name.len)
        abort();
}

/* word is a copy with a terminator, exactly as long: one byte further is a fault. */
static char *word(btz_str s) {
    char *w = malloc(s.len + 1);
    if (!w) abort();
    if (s.len) memcpy(w, s.bytes, s.len);
    w[s.len] = 0;
    return w;
}

/* Skips and finds what the input asks for by its kinds. */
static void scan(const btz_input *in, btz_output *out) {
    for (size_t i = 0; i < in->segments; i++) {
        btz_segment_view s = btz_segment(in, i);
        if (s.kind % 3 == 1) btz_skip(out, i, s.item, s.text.len);
    }
    char *rule = word(in->server), *mark = word(in->entry);
    for (size_t i = 0; i < in->segments; i++) {
        btz_segment_view s = btz_segment(in, i);
        if (s.kind % 3 != 0) continue;
        char *message = word(s.text), *replacement = s.item % 2 ? word(s.provenance) : NULL;
        btz_add(out, (btz_finding){.rule = rule, .severity = (btz_severity)(s.item % 6), .confidence = (double)s.item / 4,
                                   .segment = i, .start = s.item, .end = s.text.len,
                                   .message = message, .replacement = replacement, .mark = mark});
        free(message), free(replacement);
    }
    free(rule), free(mark);
}

BARTIZAN_SCANNER(NULL, scan)

static void frame(const void *bytes, size_t len) {
    uint32_t v = (uint32_t)len;
    fwrite(&v, 4, 1, stdout);
    if (len) fwrite(bytes, 1, len, stdout);
}

int main(void) {
    static btz_input in;
    btz_output *out = malloc(sizeof *out);
    uint32_t len;
    while (out && fread(&len, 4, 1, stdin) == 1) {
        char *bytes = malloc(len ? len : 1); /* of its own: one byte outside of it is a fault */
        if (!bytes || fread(bytes, 1, len, stdin) != len) return 1;
        dump.len = 0;
        if (btz_open(&in, bytes, len)) all(&in);
        frame(dump.bytes, dump.len);
        frame(out->answer, btz_exec(scan, bytes, len, &in, out));
        free(bytes);
    }
    free(dump.bytes), free(out);
    return 0;
}
