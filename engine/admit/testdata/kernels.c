// Compute-bound work of the kinds that scanners do, for BenchmarkMetering.
// Every kernel takes a number of rounds and returns a checksum.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name))) u32 name(u32 rounds)
#define SIZE 65536

static u8 text[SIZE];
static u32 numbers[4096];
static double a[48][48], b[48][48], c[48][48];
static unsigned short delta[256][32];
static u8 class_of[256];

static u32 seed = 1;
static u32 next(void) { seed ^= seed << 13; seed ^= seed >> 17; seed ^= seed << 5; return seed; }

EXPORT(sieve) {
	u32 count = 0;
	while (rounds--) {
		for (u32 i = 0; i < SIZE; i++) text[i] = 1;
		for (u32 i = 2; i * i < SIZE; i++)
			if (text[i]) for (u32 j = i * i; j < SIZE; j += i) text[j] = 0;
		for (u32 i = 2; i < SIZE; i++) count += text[i];
	}
	return count;
}

EXPORT(matrix) {
	for (int i = 0; i < 48; i++) for (int j = 0; j < 48; j++) a[i][j] = i + j, b[i][j] = i - j;
	double sum = 0;
	while (rounds--) {
		for (int i = 0; i < 48; i++) for (int j = 0; j < 48; j++) {
			double s = 0;
			for (int k = 0; k < 48; k++) s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
		sum += c[7][9];
	}
	return (u32)(long long)sum;
}

static u32 rotate(u32 x, int n) { return x << n | x >> (32 - n); }

EXPORT(mix) {
	u32 s[8] = {1, 2, 3, 4, 5, 6, 7, 8}, w[64];
	while (rounds--) {
		for (int i = 0; i < 16; i++) w[i] = s[i & 7] + i;
		for (int i = 16; i < 64; i++)
			w[i] = w[i - 16] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18)) + w[i - 7] + (rotate(w[i - 2], 17) ^ w[i - 2] >> 10);
		for (int i = 0; i < 64; i++) {
			u32 t = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + w[i];
			u32 v = (rotate(s[0], 2) ^ rotate(s[0], 13)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
			for (int j = 7; j > 0; j--) s[j] = s[j - 1];
			s[4] += t;
			s[0] = t + v;
		}
	}
	return s[0];
}

EXPORT(automaton) {
	for (int i = 0; i < 256; i++) { class_of[i] = i & 31; for (int j = 0; j < 32; j++) delta[i][j] = next() & 255; }
	for (u32 i = 0; i < SIZE; i++) text[i] = next();
	u32 hits = 0, state = 0;
	while (rounds--)
		for (u32 i = 0; i < SIZE; i++) {
			state = delta[state][class_of[text[i]]];
			if (state == 17) hits++;
		}
	return hits;
}

static void sort(u32 *v, int lo, int hi) {
	while (lo < hi) {
		u32 p = v[(lo + hi) / 2];
		int i = lo, j = hi;
		while (i <= j) {
			while (v[i] < p) i++;
			while (v[j] > p) j--;
			if (i <= j) { u32 t = v[i]; v[i++] = v[j]; v[j--] = t; }
		}
		if (j - lo < hi - i) { sort(v, lo, j); lo = i; } else { sort(v, i, hi); hi = j; }
	}
}

EXPORT(quicksort) {
	u32 sum = 0;
	while (rounds--) {
		for (int i = 0; i < 4096; i++) numbers[i] = next();
		sort(numbers, 0, 4095);
		sum += numbers[100];
	}
	return sum;
}

EXPORT(search) {
	static const char needle[] = "ignore previous";
	for (u32 i = 0; i < SIZE; i++) text[i] = "ignore the rest of it, "[i % 23];
	u32 found = 0;
	while (rounds--)
		for (u32 i = 0; i + sizeof needle < SIZE; i++) {
			u32 j = 0;
			while (needle[j] && text[i + j] == (u8)needle[j]) j++;
			if (!needle[j]) found++;
		}
	return found + text[5];
}

EXPORT(crc) {
	u32 c = ~0u;
	while (rounds--)
		for (u32 i = 0; i < SIZE; i++) {
			c ^= text[i];
			for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		}
	return c;
}

static __attribute__((noinline)) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

EXPORT(calls) {
	u32 sum = 0;
	while (rounds--) sum += fib(18);
	return sum;
}

EXPORT(copies) {
	while (rounds--)
		for (u32 i = 0; i + 64 < SIZE / 2; i += 48) __builtin_memcpy(text + i, text + SIZE / 2 + i, 40 + (i & 15));
	return text[99];
}

// Lower-cases, decodes UTF-8 and counts words: branches that depend on data.
EXPORT(words) {
	u32 count = 0;
	while (rounds--) {
		int in = 0;
		for (u32 i = 0; i < SIZE; i++) {
			u32 r = text[i];
			if (r >= 'A' && r <= 'Z') r += 32;
			else if (r >= 0xc0 && r < 0xe0 && i + 1 < SIZE) r = (r & 31) << 6 | (text[++i] & 63);
			else if (r >= 0xe0 && i + 2 < SIZE) { r = (r & 15) << 12 | (text[i + 1] & 63) << 6 | (text[i + 2] & 63); i += 2; }
			int letter = (r >= 'a' && r <= 'z') || r > 0xbf;
			if (letter && !in) count++;
			in = letter;
		}
	}
	return count;
}
