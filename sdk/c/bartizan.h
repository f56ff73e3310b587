/*
 * bartizan.h: a Bartizan scanner in C (sdk/abi/ABI.md), in one header.
 *
 *     #include "bartizan.h"
 *
 *     static void scan(const btz_input *in, btz_output *out) {
 *         for (size_t i = 0; i < in->segments; i++) {
 *             size_t at = btz_find(btz_segment(in, i).text, 0, "BEGIN RSA PRIVATE KEY");
 *             if (at != BTZ_NONE)
 *                 btz_add(out, (btz_finding){.rule = "keys.rsa", .confidence = 1, .segment = i, .start = at, .end = at + 21});
 *         }
 *     }
 *
 *     BARTIZAN_SCANNER(NULL, scan)
 *
 * Wants C11 and neither a libc nor a heap. Texts are views of the host's input:
 * every function here stays inside of them, whatever index it is given, and
 * answers 0, BTZ_NONE or an empty text for what is not there. An input that is
 * no input is a fault before scan sees it. The header is included by one file
 * of a scanner.
 */
#ifndef BARTIZAN_H
#define BARTIZAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BTZ_NONE ((size_t)-1)

/* A text: UTF-8, without a terminator. */
typedef struct {
    const char *bytes;
    size_t len;
} btz_str;

typedef enum { BTZ_LISTING = 1, BTZ_REQUEST, BTZ_RESULT, BTZ_PROMPT, BTZ_RESOURCE } btz_phase;
typedef enum { BTZ_UNKNOWN, BTZ_USER, BTZ_AGENT, BTZ_SERVICE } btz_caller;

/* What a text is. */
typedef enum {
    BTZ_OTHER, BTZ_NAME, BTZ_TITLE, BTZ_DESCRIPTION, BTZ_INSTRUCTIONS, BTZ_PARAMETER, BTZ_SCHEMA_TITLE,
    BTZ_SCHEMA_DESCRIPTION, BTZ_SCHEMA_VALUE, BTZ_ANNOTATION, BTZ_META, BTZ_URI, BTZ_ARGUMENT, BTZ_ARGUMENT_NAME,
    BTZ_TEXT, BTZ_STRUCTURED, BTZ_ERROR, BTZ_MIME, BTZ_SERVER_INFO
} btz_kind;

/* BTZ_RULE takes the severity that the manifest gives the rule. */
typedef enum { BTZ_RULE, BTZ_INFO, BTZ_LOW, BTZ_MEDIUM, BTZ_HIGH, BTZ_CRITICAL } btz_severity;

typedef struct {
    uint32_t at, count, stride;
} btz_table;

/* One message, or one window of a long one. */
typedef struct {
    btz_phase phase;
    btz_caller caller;
    btz_str server, entry;                      /* entry: tool, prompt or resource; empty for a listing */
    size_t segments, hits, flow, context;       /* how many there are */
    size_t limit_findings, limit_bytes;         /* of the answer; 0 is unknown */
    btz_str buffer_;                            /* of the SDK */
    btz_table segments_, hits_, flow_, context_;
} btz_input;

/* One text of the message. */
typedef struct {
    btz_kind kind;
    size_t item;        /* which entry of a listing it belongs to */
    btz_str pointer;    /* JSON Pointer of the text in the message */
    btz_str text;
    btz_str provenance; /* empty as sent, else how the host decoded it, such as "base64" */
} btz_segment_view;

/* A match of one of the manifest's patterns. */
typedef struct {
    size_t pattern, segment, start, end;
} btz_hit_view;

/* A marked range of an earlier message that occurs in this one. */
typedef struct {
    btz_str mark, server, entry; /* server and entry are where it came from */
    size_t segment, start, end, age;
} btz_flow_view;

/* An entry of another server. */
typedef struct {
    btz_str server, kind, name, title, description;
    size_t parameters;
    uint32_t parameters_;
} btz_context_view;

/* One thing found in one segment. What is left out is 0: no message takes the
 * rule's description, no replacement asks for no redaction. Texts are copied. */
typedef struct {
    const char *rule;        /* an id of the manifest */
    btz_severity severity;
    double confidence;       /* 0 to 1 */
    size_t segment, start, end; /* byte range in the segment's text */
    const char *message;
    const char *replacement; /* "" removes the range, NULL leaves it */
    const char *mark;        /* remember the range as this: "secret", "personal", "instruction" ... */
} btz_finding;

typedef struct btz_output btz_output;

/* Texts. */

/* btz_lit is the text of a string literal. */
static inline btz_str btz_lit(const char *s) {
    btz_str r = {s, 0};
    while (s && s[r.len]) r.len++;
    return r;
}
/* btz_at is the byte at a place, 0 where there is none. */
static inline char btz_at(btz_str s, size_t at) { return at < s.len ? s.bytes[at] : 0; }
/* btz_slice is the part of a text from start up to end. */
static inline btz_str btz_slice(btz_str s, size_t start, size_t end) {
    if (end > s.len) end = s.len;
    if (start >= end) return (btz_str){0, 0};
    return (btz_str){s.bytes + start, end - start};
}
static inline bool btz_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool btz_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool btz_alnum(char c) { return btz_digit(c) || btz_letter(c); }
static inline char btz_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c; }

/* btz_has and btz_has_fold say whether a word stands at a place; fold takes
 * letters of ASCII in either case. */
static inline bool btz_has(btz_str s, size_t at, const char *word) {
    for (; *word; word++, at++)
        if (at >= s.len || s.bytes[at] != *word) return false;
    return true;
}
static inline bool btz_has_fold(btz_str s, size_t at, const char *word) {
    for (; *word; word++, at++)
        if (at >= s.len || btz_lower(s.bytes[at]) != btz_lower(*word)) return false;
    return true;
}
/* btz_find is where a word stands first from a place on, or BTZ_NONE. */
static inline size_t btz_find(btz_str s, size_t from, const char *word) {
    for (; from < s.len; from++)
        if (btz_has(s, from, word)) return from;
    return BTZ_NONE;
}
static inline bool btz_equal(btz_str s, const char *word) { return btz_has(s, 0, word) && btz_lit(word).len == s.len; }

/* Reading an input. Every offset is checked once, by btz_open. */

static inline uint32_t btz_u32_(btz_str b, uint32_t at) {
    const unsigned char *p = (const unsigned char *)b.bytes + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline btz_str btz_ref_(btz_str b, uint32_t at) {
    uint32_t len = btz_u32_(b, at + 4);
    return (btz_str){len ? b.bytes + btz_u32_(b, at) : 0, len};
}
static inline bool btz_inside_(btz_str b, uint32_t at) {
    uint64_t len = btz_u32_(b, at + 4);
    return len == 0 || btz_u32_(b, at) + len <= b.len;
}
/* btz_table_ reads a table whose records are at least least bytes long and hold
 * strings from the byte first up to the byte last, or not at all. */
static inline bool btz_table_(btz_str b, uint32_t at, uint32_t least, uint32_t first, uint32_t last, btz_table *t) {
    *t = (btz_table){btz_u32_(b, at), btz_u32_(b, at + 4), btz_u32_(b, at + 8)};
    if (t->count == 0) return true;
    /* Neither factor is over 32 bits, and their product is compared before anything is added. */
    uint64_t size = (uint64_t)t->count * t->stride;
    if (t->stride < least || size > b.len || t->at + size > b.len) return false;
    for (uint32_t i = 0; i < t->count; i++)
        for (uint32_t f = first; f < last; f += 8)
            if (!btz_inside_(b, t->at + i * t->stride + f)) return false;
    return true;
}
/* btz_open reads an input in the flat encoding, or says that it is none. */
static inline bool btz_open(btz_input *in, const void *bytes, size_t len) {
    btz_str b = {(const char *)bytes, len};
    *in = (btz_input){.buffer_ = b};
    if (len < 88 || len > UINT32_MAX || !btz_has(b, 0, "BTZI")) return false;
    uint32_t header = btz_u32_(b, 4);
    if (header < 88 || header > len || btz_u32_(b, 8) != len) return false;
    unsigned char phase = (unsigned char)b.bytes[12], caller = (unsigned char)b.bytes[13];
    if (phase < BTZ_LISTING || phase > BTZ_RESOURCE) return false;
    if (!btz_inside_(b, 16) || !btz_inside_(b, 24)) return false;
    if (!btz_table_(b, 40, 32, 8, 32, &in->segments_) || !btz_table_(b, 52, 16, 0, 0, &in->hits_) ||
        !btz_table_(b, 64, 40, 16, 40, &in->flow_) || !btz_table_(b, 76, 48, 0, 40, &in->context_))
        return false;
    for (uint32_t i = 0; i < in->context_.count; i++) {
        uint32_t at = in->context_.at + i * in->context_.stride;
        uint64_t from = btz_u32_(b, at + 40), count = btz_u32_(b, at + 44);
        if (count && from + 8 * count > len) return false;
        for (uint32_t n = 0; n < count; n++)
            if (!btz_inside_(b, (uint32_t)from + 8 * n)) return false;
    }
    in->phase = (btz_phase)phase;
    in->caller = caller <= BTZ_SERVICE ? (btz_caller)caller : BTZ_UNKNOWN; /* of a later version */
    in->server = btz_ref_(b, 16);
    in->entry = btz_ref_(b, 24);
    in->limit_findings = btz_u32_(b, 32);
    in->limit_bytes = btz_u32_(b, 36);
    in->segments = in->segments_.count;
    in->hits = in->hits_.count;
    in->flow = in->flow_.count;
    in->context = in->context_.count;
    return true;
}

static inline btz_segment_view btz_segment(const btz_input *in, size_t i) {
    if (i >= in->segments) return (btz_segment_view){0};
    uint32_t at = in->segments_.at + (uint32_t)i * in->segments_.stride, kind = btz_u32_(in->buffer_, at);
    return (btz_segment_view){kind <= BTZ_SERVER_INFO ? (btz_kind)kind : BTZ_OTHER, btz_u32_(in->buffer_, at + 4),
                              btz_ref_(in->buffer_, at + 8), btz_ref_(in->buffer_, at + 16), btz_ref_(in->buffer_, at + 24)};
}
static inline btz_hit_view btz_hit(const btz_input *in, size_t i) {
    if (i >= in->hits) return (btz_hit_view){0};
    uint32_t at = in->hits_.at + (uint32_t)i * in->hits_.stride;
    btz_str b = in->buffer_;
    return (btz_hit_view){btz_u32_(b, at), btz_u32_(b, at + 4), btz_u32_(b, at + 8), btz_u32_(b, at + 12)};
}
static inline btz_flow_view btz_flow(const btz_input *in, size_t i) {
    if (i >= in->flow) return (btz_flow_view){0};
    uint32_t at = in->flow_.at + (uint32_t)i * in->flow_.stride;
    btz_str b = in->buffer_;
    return (btz_flow_view){btz_ref_(b, at + 16), btz_ref_(b, at + 24), btz_ref_(b, at + 32),
                           btz_u32_(b, at), btz_u32_(b, at + 4), btz_u32_(b, at + 8), btz_u32_(b, at + 12)};
}
static inline btz_context_view btz_context(const btz_input *in, size_t i) {
    if (i >= in->context) return (btz_context_view){0};
    uint32_t at = in->context_.at + (uint32_t)i * in->context_.stride;
    btz_str b = in->buffer_;
    return (btz_context_view){btz_ref_(b, at), btz_ref_(b, at + 8), btz_ref_(b, at + 16), btz_ref_(b, at + 24),
                              btz_ref_(b, at + 32), btz_u32_(b, at + 44), btz_u32_(b, at + 40)};
}
/* btz_parameter is the name of one of an entry's parameters. */
static inline btz_str btz_parameter(const btz_input *in, btz_context_view entry, size_t i) {
    return i < entry.parameters ? btz_ref_(in->buffer_, entry.parameters_ + 8 * (uint32_t)i) : (btz_str){0, 0};
}

/* The answer. */

enum { BTZ_MAX_FINDINGS = 256, BTZ_MAX_RANGES = 1024, BTZ_MAX_ANSWER = 64 << 10 };

typedef struct {
    uint32_t segment, start, end;
} btz_range_;
typedef struct {
    uint32_t from, len;
} btz_text_;
typedef struct {
    btz_text_ rule, message, replacement, mark;
    double confidence;
    btz_range_ at;
    unsigned char severity, replaced;
} btz_found_;

struct btz_output {
    const btz_input *in;
    size_t findings, ranges, texts, size;
    bool full;                /* there was no room for a finding */
    btz_found_ found[BTZ_MAX_FINDINGS];
    btz_range_ range[BTZ_MAX_RANGES];
    char text[BTZ_MAX_ANSWER];
    unsigned char answer[BTZ_MAX_ANSWER];
};

static inline uint32_t btz_fit_(size_t n) { return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n; }

static inline size_t btz_most_bytes_(const btz_output *out) {
    size_t most = out->in->limit_bytes;
    return most == 0 || most > BTZ_MAX_ANSWER ? BTZ_MAX_ANSWER : most;
}

/* btz_skip says that a range was not examined, which makes the answer partial.
 * Of more than fit the first say it for all. */
static inline void btz_skip(btz_output *out, size_t segment, size_t start, size_t end) {
    if (out->ranges < BTZ_MAX_RANGES && out->size + 16 <= btz_most_bytes_(out)) {
        out->range[out->ranges++] = (btz_range_){btz_fit_(segment), btz_fit_(start), btz_fit_(end)};
        out->size += 16;
    }
}

static inline btz_text_ btz_keep_(btz_output *out, btz_str s) {
    btz_text_ t = {(uint32_t)out->texts, (uint32_t)s.len};
    for (size_t i = 0; i < s.len; i++) out->text[out->texts + i] = s.bytes[i];
    out->texts += s.len;
    return t;
}

/* btz_add reports a finding. The first that the host's limits leave no room for
 * makes the answer partial, and it and all later ones are left out: then false
 * is returned, and the scanner may as well stop. */
static inline bool btz_add(btz_output *out, btz_finding f) {
    btz_str rule = btz_lit(f.rule), message = btz_lit(f.message), replacement = btz_lit(f.replacement), mark = btz_lit(f.mark);
    size_t most = out->in->limit_findings, room = btz_most_bytes_(out);
    if (most == 0 || most > BTZ_MAX_FINDINGS) most = BTZ_MAX_FINDINGS;
    /* Scanners that find much find much of one kind: its id is written once. */
    btz_text_ before = out->findings ? out->found[out->findings - 1].rule : (btz_text_){0, 0};
    bool same = rule.len == before.len && btz_has((btz_str){out->text + before.from, before.len}, 0, rule.len ? f.rule : "");
    size_t texts = (same ? 0 : rule.len) + message.len + replacement.len + mark.len;
    bool huge = rule.len > room || message.len > room || replacement.len > room || mark.len > room;
    /* 16: a range, to say that it was too much. */
    if (out->full) return false;
    if (huge || out->findings >= most || out->size + 56 + texts + 16 > room) {
        out->full = true;
        btz_skip(out, f.segment, f.start, f.end);
        return false;
    }
    btz_found_ *to = &out->found[out->findings++];
    to->rule = same ? before : btz_keep_(out, rule);
    to->message = btz_keep_(out, message);
    to->replacement = f.replacement ? btz_keep_(out, replacement) : (btz_text_){0, 0};
    to->mark = btz_keep_(out, mark);
    to->confidence = f.confidence;
    to->at = (btz_range_){btz_fit_(f.segment), btz_fit_(f.start), btz_fit_(f.end)};
    to->severity = (unsigned char)f.severity;
    to->replaced = f.replacement != 0;
    out->size += 56 + texts;
    return true;
}

static inline void btz_put_(btz_output *out, size_t at, uint32_t v) {
    for (int i = 0; i < 4; i++) out->answer[at + (size_t)i] = (unsigned char)(v >> 8 * i);
}
static inline void btz_put_text_(btz_output *out, size_t at, btz_text_ t, size_t base) {
    btz_put_(out, at, (uint32_t)(base + t.from));
    btz_put_(out, at + 4, t.len);
}

/* btz_close writes the answer in the flat encoding, and returns its length. */
static inline size_t btz_close(btz_output *out) {
    size_t ranges = 40 + 56 * out->findings, base = ranges + 16 * out->ranges;
    for (size_t i = 0; i < 40; i++) out->answer[i] = 0;
    for (size_t i = 0; i < 4; i++) out->answer[i] = (unsigned char)"BTZO"[i];
    btz_put_(out, 4, 40);
    btz_put_(out, 8, out->ranges ? 2 : 1);
    if (out->findings) {
        btz_put_(out, 12, 40);
        btz_put_(out, 16, (uint32_t)out->findings);
        btz_put_(out, 20, 56);
    }
    if (out->ranges) {
        btz_put_(out, 24, (uint32_t)ranges);
        btz_put_(out, 28, (uint32_t)out->ranges);
        btz_put_(out, 32, 16);
    }
    for (size_t i = 0; i < out->findings; i++) {
        const btz_found_ *f = &out->found[i];
        size_t at = 40 + 56 * i;
        union { double f; uint64_t u; } bits = {f->confidence};
        btz_put_text_(out, at, f->rule, base);
        btz_put_(out, at + 8, (uint32_t)bits.u);
        btz_put_(out, at + 12, (uint32_t)(bits.u >> 32));
        btz_put_(out, at + 16, f->at.segment);
        btz_put_(out, at + 20, f->at.start);
        btz_put_(out, at + 24, f->at.end);
        btz_put_(out, at + 28, f->severity | (uint32_t)f->replaced << 8);
        btz_put_text_(out, at + 32, f->message, base);
        btz_put_text_(out, at + 40, f->replacement, f->replaced ? base : 0);
        btz_put_text_(out, at + 48, f->mark, base);
    }
    for (size_t i = 0; i < out->ranges; i++) {
        size_t at = ranges + 16 * i;
        btz_put_(out, at, out->range[i].segment);
        btz_put_(out, at + 4, out->range[i].start);
        btz_put_(out, at + 8, out->range[i].end);
        btz_put_(out, at + 12, 0);
    }
    for (size_t i = 0; i < out->texts; i++) out->answer[base + i] = (unsigned char)out->text[i];
    return base + out->texts;
}

/* btz_exec is a whole call, for tests on any machine: it reads an input and has
 * it scanned. The answer is in out->answer, its length is returned; 0 is a fault. */
static inline size_t btz_exec(void (*scan)(const btz_input *, btz_output *), const void *bytes, size_t len, btz_input *in, btz_output *out) {
    if (!btz_open(in, bytes, len)) return 0;
    out->in = in;
    out->findings = out->ranges = out->texts = 0;
    out->size = 40;
    out->full = false;
    scan(in, out);
    return btz_close(out);
}

/* btz_log writes a line for `bartizan scanner run`; level 0 is debug, then
 * info, warning and error. */
#ifdef __wasm__
__attribute__((import_module("bartizan"), import_name("log"))) void btz_host_log_(uint32_t level, const char *bytes, size_t len);
static inline void btz_log(uint32_t level, btz_str s) { btz_host_log_(level, s.bytes, s.len); }
#else
static inline void btz_log(uint32_t level, btz_str s) { (void)level, (void)s; }
#endif

/*
 * BARTIZAN_SCANNER(init, scan) makes the module's exports. init takes the
 * operator's configuration, which stays where it is, and says whether it will
 * do; it may be NULL.
 *
 * Every call begins with the memory as it was after init, so nothing is freed,
 * and room that no call touches costs nothing.
 */
#ifdef __wasm__
enum { BTZ_ROOM_ = 256 << 10 };
__attribute__((unused)) static _Alignas(8) unsigned char btz_room_[BTZ_ROOM_];
__attribute__((unused)) static size_t btz_used_;

static inline void *btz_alloc_(size_t len) {
    if (len > (size_t)1 << 30) return 0;
    size_t padded = (len + 7) & ~(size_t)7;
    if (padded <= BTZ_ROOM_ - btz_used_) {
        btz_used_ += padded;
        return btz_room_ + (btz_used_ - padded);
    }
    size_t page = __builtin_wasm_memory_grow(0, (padded + 65535) >> 16);
    return page == (size_t)-1 ? 0 : (void *)(page << 16);
}

#define BARTIZAN_SCANNER(init, scan)                                                                        \
    static btz_input btz_in_;                                                                               \
    static btz_output btz_out_;                                                                             \
    __attribute__((export_name("bartizan_alloc"))) void *btz_export_alloc_(size_t len) { return btz_alloc_(len); } \
    __attribute__((export_name("bartizan_init"))) int btz_export_init_(const char *bytes, size_t len) {     \
        bool (*configure)(btz_str) = (init);                                                                \
        return configure && !configure((btz_str){bytes, len});                                              \
    }                                                                                                       \
    __attribute__((export_name("bartizan_scan"))) uint64_t btz_export_scan_(const char *bytes, size_t len) { \
        size_t answer = btz_exec((scan), bytes, len, &btz_in_, &btz_out_);                                  \
        return answer ? (uint64_t)(uintptr_t)btz_out_.answer << 32 | answer : 0;                            \
    }
#else
#define BARTIZAN_SCANNER(init, scan) /* btz_exec runs it */
#endif

#endif
