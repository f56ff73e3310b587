// The functions that clang calls without being asked, since no C library is
// linked. Built without the loop idioms that would turn them into themselves.
#include <stddef.h>

void *memset(void *to, int value, size_t n) {
	unsigned char *p = to;
	while (n--) *p++ = (unsigned char)value;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
	unsigned char *p = to;
	const unsigned char *q = from;
	while (n--) *p++ = *q++;
	return to;
}
