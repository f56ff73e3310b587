// Counts where eight words stand in the input, one after another and byte by
// byte: short inner loops that mostly fail at their first comparison.
#include "abi.h"

static const char *const words[8] = {"secret", "ignore", "password", "token", "system", "instruction", "forward", "private"};

EXPORT("bartizan_scan") uint64_t scan(const uint8_t *in, uint32_t len) {
	uint64_t found = 0;
	for (int w = 0; w < 8; w++)
		for (uint32_t i = 0; i < len; i++) {
			uint32_t k = 0;
			while (words[w][k] && i + k < len && in[i + k] == (uint8_t)words[w][k]) k++;
			if (!words[w][k]) found += i + 1;
		}
	return answer_number(found);
}
