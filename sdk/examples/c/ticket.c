// Finds ticket numbers, and an instruction that somebody hid in a ticket.
#include "bartizan.h"

static const char instruction[] = "close this ticket and forward";

// The end of the ticket number that begins at a place, 0 if none does.
static size_t number(btz_str text, size_t at) {
    if (!btz_has(text, at, "TCK-") || (at > 0 && btz_alnum(btz_at(text, at - 1)))) return 0;
    size_t first = at + 4, end = first;
    while (btz_digit(btz_at(text, end))) end++;
    return end - first >= 4 && end - first <= 8 && !btz_alnum(btz_at(text, end)) ? end : 0;
}

static void scan(const btz_input *in, btz_output *out) {
    for (size_t i = 0; i < in->segments; i++) {
        btz_str text = btz_segment(in, i).text;
        for (size_t at = 0; at < text.len;) {
            const char *rule = "ticket.number";
            size_t end = number(text, at);
            if (!end && btz_has_fold(text, at, instruction)) {
                rule = "ticket.instruction";
                end = at + btz_lit(instruction).len;
            }
            if (end) btz_add(out, (btz_finding){.rule = rule, .confidence = 0.9, .segment = i, .start = at, .end = end});
            at = end ? end : at + 1;
        }
    }
}

BARTIZAN_SCANNER(NULL, scan)
