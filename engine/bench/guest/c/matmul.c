// Multiplies two N x N matrices of doubles filled from the input: floating
// point in three nested loops.
#include "abi.h"

#define N 96
static double a[N][N], b[N][N], c[N][N];

EXPORT("bartizan_scan") uint64_t scan(const uint8_t *in, uint32_t len) {
	if (len < 2 * N * N) return 0;
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < N; j++) {
			a[i][j] = in[i * N + j];
			b[i][j] = in[N * N + i * N + j];
		}
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < N; j++) {
			double sum = 0;
			for (uint32_t k = 0; k < N; k++) sum += a[i][k] * b[k][j];
			c[i][j] = sum;
		}
	double trace = 0;
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < N; j++) trace += c[i][j] * (double)(i + 1);
	return answer_number((uint64_t)trace);
}
