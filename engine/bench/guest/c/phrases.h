// A dense automaton (Aho and Corasick, 1975) over ../phrases, ASCII letters of
// either case alike: one table of next states by byte class.
#ifndef PHRASES_H
#define PHRASES_H

#include <stdint.h>

static const char *const phrases[] = {
#include "phrases.inc"
};
#define PHRASES (sizeof phrases / sizeof *phrases)
#define STATES 1536
#define CLASSES 64

static uint8_t class_of[256];
static uint16_t next[STATES][CLASSES];
static uint8_t ends[STATES]; // 1 + the phrase that ends here; a shorter one inside it is not kept
static uint32_t classes, states;

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

// build reports whether the tables hold the phrases.
static int build(void) {
	static uint16_t fail[STATES], queue[STATES];
	classes = 1; // class 0: bytes in no phrase
	states = 1;
	for (uint32_t p = 0; p < PHRASES; p++)
		for (const char *s = phrases[p]; *s; s++)
			if (!class_of[lower((uint8_t)*s)]) {
				if (classes == CLASSES) return 0;
				class_of[lower((uint8_t)*s)] = (uint8_t)classes++;
			}
	for (int c = 'A'; c <= 'Z'; c++) class_of[c] = class_of[c + 32];
	for (uint32_t p = 0; p < PHRASES; p++) {
		uint32_t at = 0;
		for (const char *s = phrases[p]; *s; s++) {
			uint16_t *to = &next[at][class_of[(uint8_t)*s]];
			if (!*to) {
				if (states == STATES) return 0;
				*to = (uint16_t)states++;
			}
			at = *to;
		}
		ends[at] = (uint8_t)(p + 1);
	}
	uint32_t head = 0, tail = 0;
	for (uint32_t c = 0; c < classes; c++)
		if (next[0][c]) queue[tail++] = next[0][c];
	while (head < tail) {
		uint32_t at = queue[head++];
		if (!ends[at]) ends[at] = ends[fail[at]];
		for (uint32_t c = 0; c < classes; c++) {
			uint32_t to = next[at][c];
			if (to) {
				fail[to] = next[fail[at]][c];
				queue[tail++] = (uint16_t)to;
			} else {
				next[at][c] = next[fail[at]][c];
			}
		}
	}
	return 1;
}

#endif
