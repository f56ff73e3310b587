// The part of the flat encoding (sdk/abi/ABI.md) that the scanner of these
// benchmarks reads and writes: little-endian numbers of 32 bits at fixed
// offsets, as the processor of Wasm has them.
#ifndef FLAT_H
#define FLAT_H

#include <stdint.h>

struct table { uint32_t at, count, record; };
struct string { uint32_t at, len; };

struct input {
	uint32_t magic, header, size, phase;
	struct string server, entry;
	uint32_t max_findings, max_output;
	struct table segments, hits, flow, context;
};

struct segment {
	uint32_t kind, item;
	struct string pointer, text, provenance;
};

struct hit { uint32_t pattern, segment, start, end; };

struct answer {
	uint32_t magic, header, status;
	struct table findings, unexamined;
	uint32_t zero;
};

struct finding {
	struct string rule;
	double confidence;
	uint32_t segment, start, end, severity;
	struct string message, replacement, mark;
};

#define INPUT_MAGIC 0x495a5442
#define ANSWER_MAGIC 0x4f5a5442
#define COMPLETE 1

_Static_assert(sizeof(struct input) == 88 && sizeof(struct segment) == 32, "input");
_Static_assert(sizeof(struct answer) == 40 && sizeof(struct finding) == 56, "answer");

#endif
