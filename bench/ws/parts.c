/* SPDX-License-Identifier: BSD-3-Clause */
/* ws_parts: masking, UTF-8 checking and compression alone; a line per case. */

#include "../bench.h"

#include <event2/component/reactor.h>
#include <ws/deflate.h>
#include <ws/frame.h>
#include <ws/utf8.h>

static uint8_t data[1 << 20], copy[1 << 20];
static volatile unsigned sink;

static void report(const char *what, size_t len, uint64_t ns, uint64_t rounds)
{
	double each = (double)ns / (double)rounds;

	printf("%-34s %8zu bytes %12.1f ns %9.2f GB/s\n", what, len, each, (double)len / each);
}

/* About a fifth of a second of processor time of each. */
#define MEASURE(what, len, statement)                                                              \
	do {                                                                                       \
		uint64_t rounds = 0, start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID), ns;         \
		do {                                                                               \
			for (int k = 0; k < 64; k++)                                               \
				statement;                                                         \
			rounds += 64;                                                              \
			ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;                     \
		} while (ns < 200000000u);                                                         \
		report(what, len, ns, rounds);                                                     \
	} while (0)

static void mask_by_bytes(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4])
{
	for (size_t i = 0; i < len; i++) {
		to[i] = from[i] ^ mask[i & 3];
		__asm__ volatile("" ::: "memory");
	}
}

static void run_masking(void)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	static const size_t lens[] = { 16, 125, 1024, 65536, 1 << 20 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		MEASURE("masking", lens[i], evi_ws_mask(copy, data, lens[i], mask, 0));
		sink += copy[0];
	}
	MEASURE("masking, aligned to nothing", (size_t)65536,
		evi_ws_mask(copy + 3, data + 1, 65536, mask, 1));
	MEASURE("masking, a byte at a time", (size_t)65536, mask_by_bytes(copy, data, 65536, mask));
	MEASURE("memcpy", (size_t)65536, (memcpy(copy, data, 65536), sink += copy[9]));
}

static void run_utf8(void)
{
	struct evi_utf8 state = { 0 };

	memset(data, 'a', sizeof(data));
	MEASURE("UTF-8, ASCII", (size_t)65536,
		sink += (unsigned)evi_utf8_check(&state, data, 65536));
	for (size_t i = 0; i + 1 < 65536; i += 2)
		memcpy(data + i, "\xc3\xa9", 2);
	MEASURE("UTF-8, two bytes each", (size_t)65536,
		sink += (unsigned)evi_utf8_check(&state, data, 65536));
}

#if defined(HAS_DEFLATE)

static void pack(struct evi_ws_deflate *writer, size_t len)
{
	uint8_t *packed;
	size_t packed_len;

	if (evi_ws_deflate_pack(writer, data, len, &packed, &packed_len) != 0)
		bench_die("deflate");
	evi_free(packed);
}

static void unpack(struct evi_ws_deflate *reader, const uint8_t *packed, size_t packed_len)
{
	uint8_t *plain;
	size_t len;

	if (evi_ws_deflate_unpack(reader, packed, packed_len, SIZE_MAX, &plain, &len) != 0)
		bench_die("inflate");
	evi_free(plain);
}

/* Words of a small vocabulary, as in JSON. */
static void fill_words(void)
{
	static const char *const words[] = {
		"{\"name\":", "\"value\"", ",\"time\":", "1234567", "},", "true", ":null",
	};
	uint32_t state = 1;

	for (size_t at = 0; at + 16 < sizeof(data);) {
		const char *word = words[bench_random(&state) % 7];

		memcpy(data + at, word, strlen(word));
		at += strlen(word);
		data[at++] = (uint8_t)('a' + bench_random(&state) % 26);
	}
}

static void run_deflate(void)
{
	static const size_t lens[] = { 128, 1024, 16384 };
	char answer[160];

	fill_words();
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct evi_ws_deflate *writer = evi_ws_deflate_accept(
			"permessage-deflate; server_no_context_takeover", answer, sizeof(answer));
		struct evi_ws_deflate *reader =
			evi_ws_deflate_take("permessage-deflate; server_no_context_takeover");
		uint8_t *packed;
		size_t packed_len;

		if (evi_ws_deflate_pack(writer, data, lens[i], &packed, &packed_len) != 0)
			bench_die("deflate");
		printf("%-34s %8zu bytes -> %zu\n", "deflate", lens[i], packed_len);
		MEASURE("deflate", lens[i], pack(writer, lens[i]));
		MEASURE("inflate", lens[i], unpack(reader, packed, packed_len));
		evi_free(packed);
		evi_ws_deflate_free(writer);
		evi_ws_deflate_free(reader);
	}
}

#else

static void run_deflate(void)
{
	printf("deflate: built without zlib\n");
}

#endif

int main(void)
{
	run_masking();
	run_utf8();
	run_deflate();
	return 0;
}
