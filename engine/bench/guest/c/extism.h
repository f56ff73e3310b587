// Input and output of an Extism plugin: they lie in the host's own memory module
// and are copied eight bytes a call, as its PDK for C does it.
#ifndef EXTISM_H
#define EXTISM_H

#include <stdint.h>

#define HOST(name) __attribute__((import_module("extism:host/env"), import_name(#name)))

HOST(input_length) extern uint64_t input_length(void);
HOST(input_load_u8) extern uint32_t input_load_u8(uint64_t at);
HOST(input_load_u64) extern uint64_t input_load_u64(uint64_t at);
HOST(alloc) extern uint64_t alloc(uint64_t len);
HOST(store_u8) extern void store_u8(uint64_t at, uint32_t value);
HOST(store_u64) extern void store_u64(uint64_t at, uint64_t value);
HOST(output_set) extern void output_set(uint64_t at, uint64_t len);

#define ROOM (1 << 20)
static union {
	uint64_t words[ROOM / 8];
	uint8_t bytes[ROOM];
} input;

// receive copies the input into the plugin, and returns its length.
static inline uint64_t receive(void) {
	uint64_t len = input_length(), at = 0;
	if (len > ROOM) return UINT64_MAX;
	for (; at + 8 <= len; at += 8) input.words[at / 8] = input_load_u64(at);
	for (; at < len; at++) input.bytes[at] = (uint8_t)input_load_u8(at);
	return len;
}

// answer copies the output to the host.
static inline void answer(const void *from, uint64_t size) {
	uint64_t to = alloc(size), at = 0;
	for (; at + 8 <= size; at += 8) store_u64(to + at, *(const uint64_t *)((const uint8_t *)from + at));
	for (; at < size; at++) store_u8(to + at, ((const uint8_t *)from)[at]);
	output_set(to, size);
}

#endif
