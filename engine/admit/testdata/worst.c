// Work that takes as long as it can for its fuel, for BenchmarkWorst.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name))) u32 name(u32 rounds)
#define WORDS (3u << 20)

static u32 ring[WORDS];
static u8 fresh[32 << 20];

// One cycle through all words, in an order no prefetcher follows.
EXPORT(prepare) {
	for (u32 i = 0; i < WORDS; i++) ring[i] = i;
	u64 s = 88172645463325252ull;
	for (u32 i = WORDS - 1; i > 0; i--) {
		s ^= s << 13, s ^= s >> 7, s ^= s << 17;
		u32 j = s % i, t = ring[i];
		ring[i] = ring[j], ring[j] = t;
	}
	return rounds;
}

EXPORT(misses) {
	u32 at = 0;
	while (rounds--) at = ring[at];
	return at;
}

EXPORT(pages) { // writes each page for the first time, once
	u32 i = 0;
	while (rounds--) { fresh[i] = 1; i += 4096; }
	return fresh[4096];
}

EXPORT(divisions) {
	u64 x = 0xfedcba9876543210ull, y = rounds | 1;
	while (rounds--) { x = ~0ull - x % y; y = y + (x & 1); }
	return x;
}

EXPORT(roots) {
	double x = rounds + 0.5;
	while (rounds--) x = __builtin_sqrt(x) + 1e300;
	return (u32)(u64)(x / 1e300);
}

static u32 f0(u32 x) { return x + 1; }
static u32 f1(u32 x) { return x ^ 5; }
static u32 f2(u32 x) { return x * 3; }
static u32 f3(u32 x) { return x - 7; }
static u32 (*volatile table[4])(u32) = {f0, f1, f2, f3};

EXPORT(indirect) {
	u32 x = 1, r = 12345;
	while (rounds--) { r ^= r << 13, r ^= r >> 17, r ^= r << 5; x = table[r & 3](x); }
	return x;
}

EXPORT(branches) {
	u32 x = 1, r = 12345;
	while (rounds--) {
		r ^= r << 13, r ^= r >> 17, r ^= r << 5;
		if (r & 1) x = ring[x & 7] + x; 
		if (r & 2) ring[x & 7] = x; 
		if (r & 4) x = ring[x & 15] - x;
	}
	return x;
}
