// Counts the primes below LIMIT, plus one for each input byte: stores in tight
// loops with growing strides.
#include "abi.h"

#define LIMIT (1 << 19)
static uint8_t composite[LIMIT];

EXPORT("bartizan_scan") uint64_t scan(const uint8_t *in, uint32_t len) {
	(void)in;
	for (uint32_t i = 0; i < LIMIT; i++) composite[i] = 0;
	uint64_t primes = len;
	for (uint32_t i = 2; i < LIMIT; i++) {
		if (composite[i]) continue;
		primes++;
		for (uint64_t j = (uint64_t)i * i; j < LIMIT; j += i) composite[j] = 1;
	}
	return answer_number(primes);
}
