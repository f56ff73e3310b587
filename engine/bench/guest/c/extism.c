// The scanner of examine.h with the ABI of Extism.
#include <stdint.h>

#include "examine.h"
#include "extism.h"

__attribute__((export_name("scan"))) int32_t scan(void) {
	uint64_t len = receive();
	if (len == UINT64_MAX) return 1;
	uint32_t size = examine(input.bytes, (uint32_t)len);
	if (!size) return 1;
	answer(&out, size);
	return 0;
}
