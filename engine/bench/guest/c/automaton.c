// Walks the input through the automaton of phrases.h, a table load a byte: what
// a scanner mostly does. The answer mixes phrases and places.
#include "abi.h"
#include "phrases.h"

EXPORT("bartizan_scan") uint64_t scan(const uint8_t *in, uint32_t len) {
	if (!states && !build()) return 0;
	uint64_t mix = 0;
	uint32_t at = 0;
	for (uint32_t i = 0; i < len; i++) {
		at = next[at][class_of[in[i]]];
		if (ends[at]) mix = mix * 31 + (uint64_t)ends[at] * (i + 1);
	}
	return answer_number(mix);
}
