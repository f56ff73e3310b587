// Sorts the input, read as 32-bit numbers, by quicksort: branches that no
// predictor learns, and recursion. The answer mixes numbers and places.
#include "abi.h"

static uint32_t v[ARENA / 4];

static void sort(int32_t lo, int32_t hi) {
	while (lo < hi) {
		uint32_t pivot = v[lo + (hi - lo) / 2];
		int32_t i = lo, j = hi;
		while (i <= j) {
			while (v[i] < pivot) i++;
			while (v[j] > pivot) j--;
			if (i <= j) {
				uint32_t t = v[i];
				v[i++] = v[j];
				v[j--] = t;
			}
		}
		if (j - lo < hi - i) {
			sort(lo, j);
			lo = i;
		} else {
			sort(i, hi);
			hi = j;
		}
	}
}

EXPORT("bartizan_scan") uint64_t scan(const uint8_t *in, uint32_t len) {
	uint32_t n = len / 4;
	for (uint32_t i = 0; i < n; i++)
		v[i] = (uint32_t)in[4 * i] | in[4 * i + 1] << 8 | in[4 * i + 2] << 16 | (uint32_t)in[4 * i + 3] << 24;
	sort(0, (int32_t)n - 1);
	uint64_t mix = 0;
	for (uint32_t i = 0; i < n; i++) mix = mix * 31 + v[i];
	return answer_number(mix);
}
