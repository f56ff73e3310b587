// A scanner's logic, apart from how a host hands it its input: every phrase in
// every segment is a finding. Both ABIs of the comparison include this file, so
// that they differ in nothing else.
#ifndef EXAMINE_H
#define EXAMINE_H

#include "flat.h"
#include "phrases.h"

#define MOST 256

static struct {
	struct answer head;
	char rule[16];
	uint64_t align;
	struct finding findings[MOST];
} out = {.rule = "bench.phrase"};

static uint32_t length_of(const char *s) {
	uint32_t n = 0;
	while (s[n]) n++;
	return n;
}

static uint32_t found;

static void find(uint32_t segment, uint32_t start, uint32_t end) {
	if (found == MOST) return;
	struct finding *f = &out.findings[found++];
	f->rule = (struct string){(uint32_t)((char *)out.rule - (char *)&out), length_of(out.rule)};
	f->confidence = 1;
	f->segment = segment;
	f->start = start;
	f->end = end;
}

static void walk(uint32_t segment, const uint8_t *text, uint32_t len) {
	uint32_t at = 0;
	for (uint32_t i = 0; i < len; i++) {
		at = next[at][class_of[text[i]]];
		if (ends[at]) find(segment, i + 1 - length_of(phrases[ends[at] - 1]), i + 1);
	}
}

// examine writes the answer to out and returns its length, or 0 for an input
// that it cannot read. What the host has found already it does not search again.
static uint32_t examine(const uint8_t *in, uint32_t len) {
	const struct input *head = (const struct input *)in;
	if (len < sizeof *head || head->magic != INPUT_MAGIC || (!states && !build())) return 0;
	found = 0;
	if (head->hits.count) {
		const struct hit *h = (const struct hit *)(in + head->hits.at);
		for (uint32_t i = 0; i < head->hits.count; i++) find(h[i].segment, h[i].start, h[i].end);
	} else {
		for (uint32_t i = 0; i < head->segments.count; i++) {
			const struct segment *s = (const struct segment *)(in + head->segments.at + i * head->segments.record);
			walk(i, in + s->text.at, s->text.len);
		}
	}
	out.head = (struct answer){ANSWER_MAGIC, sizeof out.head, COMPLETE,
		{(uint32_t)((char *)out.findings - (char *)&out), found, sizeof *out.findings}, {0, 0, 0}, 0};
	return out.head.findings.at + found * sizeof *out.findings;
}

#endif
