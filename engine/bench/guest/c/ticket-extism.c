// The example of the SDK in C (sdk/examples/c) with the ABI of Extism: the same
// code, on the same input.
#include "../../../../sdk/examples/c/ticket.c"

#include "extism.h"

__attribute__((export_name("plugin"))) int32_t plugin(void) {
	uint64_t len = receive();
	if (len == UINT64_MAX) return 1;
	size_t size = btz_exec(scan, input.bytes, (size_t)len, &btz_in_, &btz_out_);
	if (!size) return 1;
	answer(btz_out_.answer, size);
	return 0;
}
