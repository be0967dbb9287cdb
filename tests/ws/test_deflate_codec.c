/* SPDX-License-Identifier: BSD-3-Clause */
/* permessage-deflate alone: parameters, and messages in and out. */

#include <ws/deflate.h>
#include <ws/deflate_params.h>

#include <event2/component/reactor.h>
#include <support.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

TestSuite(ws_deflate_codec, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define NAME "permessage-deflate"

/* WS-081, W15 */
Test(ws_deflate_codec, parameters)
{
	static const char *const good[] = {
		NAME,
		"Permessage-Deflate",
		NAME ";server_no_context_takeover",
		NAME " ; client_no_context_takeover ; server_no_context_takeover",
		NAME "; client_max_window_bits",
		NAME "; client_max_window_bits=8",
		NAME "; client_max_window_bits=\"15\"",
		NAME "; server_max_window_bits = 10"
	};
	static const char *const bad[] = {
		"",
		"permessage",
		NAME "x",
		NAME ";",
		NAME "; unknown",
		NAME "; server_no_context_takeover; server_no_context_takeover",
		NAME "; client_max_window_bits; client_max_window_bits=9",
		NAME "; server_no_context_takeover=1",
		NAME "; client_no_context_takeover=",
		NAME "; server_max_window_bits",
		NAME "; server_max_window_bits=7",
		NAME "; server_max_window_bits=16",
		NAME "; server_max_window_bits=08",
		NAME "; server_max_window_bits=+9",
		NAME "; server_max_window_bits=",
		NAME "; client_max_window_bits=",
		NAME "; client_max_window_bits=0",
		NAME "; client_max_window_bits=100",
		NAME "; client_max_window_bits=1a",
		NAME "; client_max_window_bits=\"9",
		NAME "; =9"
	};
	struct evi_ws_deflate_params p;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(evi_ws_deflate_parse(good[i], strlen(good[i]), &p), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!evi_ws_deflate_parse(bad[i], strlen(bad[i]), &p), "%s", bad[i]);
	cr_assert(evi_ws_deflate_parse(
		NAME "; client_max_window_bits=12; server_no_context_takeover",
		strlen(NAME "; client_max_window_bits=12; server_no_context_takeover"), &p));
	cr_expect_eq(p.value[EVI_WS_CLIENT_BITS], 12);
	cr_expect_eq(p.value[EVI_WS_SERVER_FORGETS], 0);
	cr_expect_eq(p.value[EVI_WS_CLIENT_FORGETS], -1);
	cr_expect_eq(p.value[EVI_WS_SERVER_BITS], -1);
}

/* WS-081: the first offer that can be taken, and what is answered. */
Test(ws_deflate_codec, offers)
{
	static const char *const table[][2] = {
		{ NAME, NAME },
		{ NAME "; client_max_window_bits", NAME },
		{ NAME "; server_max_window_bits=10", NAME "; server_max_window_bits=10" },
		{ NAME "; server_max_window_bits=8", NAME "; server_max_window_bits=8" },
		{ NAME "; client_no_context_takeover; server_no_context_takeover",
		  NAME "; server_no_context_takeover; client_no_context_takeover" },
		{ "x-other, " NAME "; nonsense, " NAME "; server_max_window_bits=9",
		  NAME "; server_max_window_bits=9" },
		{ "x-other", NULL },
		{ NAME "; server_max_window_bits=7", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char answer[160] = "";
		struct evi_ws_deflate *d =
			evi_ws_deflate_accept(table[i][0], answer, sizeof(answer));

		cr_expect_eq(d != NULL, table[i][1] != NULL, "%s", table[i][0]);
		if (d != NULL)
			cr_expect_str_eq(answer, table[i][1]);
		evi_ws_deflate_free(d);
	}
}

/* WS-081: a client takes only what it may. */
Test(ws_deflate_codec, answers)
{
	static const char *const good[] = { NAME, NAME "; client_max_window_bits=15",
		NAME "; client_max_window_bits=8; server_max_window_bits=8",
		NAME "; server_no_context_takeover; client_no_context_takeover" };
	static const char *const bad[] = { "",
					   "x-other",
					   NAME ", " NAME,
					   NAME "; client_max_window_bits",
					   NAME "; unknown",
					   NAME "; server_max_window_bits=16" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct evi_ws_deflate *d = evi_ws_deflate_take(good[i]);

		cr_expect_not_null(d, "%s", good[i]);
		evi_ws_deflate_free(d);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_null(evi_ws_deflate_take(bad[i]), "%s", bad[i]);
}

static void expect_unpacked(struct evi_ws_deflate *d, const uint8_t *data, size_t len,
			    const char *want)
{
	uint8_t *plain;
	size_t plain_len;

	cr_assert_eq(evi_ws_deflate_unpack(d, data, len, 1000, &plain, &plain_len), 0);
	cr_expect_eq(plain_len, strlen(want));
	cr_expect_arr_eq(plain, want, strlen(want));
	evi_free(plain);
}

/*
 * The examples of RFC 7692 section 7.2.3, in one session; what a final block ended is still known
 * behind it.
 */
Test(ws_deflate_codec, examples)
{
	struct evi_ws_deflate *d = evi_ws_deflate_take(NAME);

	expect_unpacked(d, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
	expect_unpacked(d, BYTES("\xf2\x00\x11\x00\x00"), "Hello");
	expect_unpacked(d, BYTES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello");
	expect_unpacked(d, BYTES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello");
	expect_unpacked(d, BYTES("\xf2\x00\x11\x00\x00"), "Hello");
	expect_unpacked(d, BYTES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello");
	expect_unpacked(d, BYTES("\x00"), "");
	evi_ws_deflate_free(d);
}

/* W15: A reference to what the sender promised to forget. */
Test(ws_deflate_codec, no_context)
{
	struct evi_ws_deflate *d = evi_ws_deflate_take(NAME "; server_no_context_takeover");
	uint8_t *plain;
	size_t len;

	expect_unpacked(d, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
	cr_expect_eq(evi_ws_deflate_unpack(d, BYTES("\xf2\x00\x11\x00\x00"), 1000, &plain, &len),
		     -EINVAL);
	evi_ws_deflate_free(d);
}

Test(ws_deflate_codec, broken)
{
	static const struct {
		const char *bytes;
		size_t len;
	} table[] = { { "\xff\xff\xff", 3 }, { "\x06", 1 }, { "\x00\x05\x00\x00\x00Hello", 10 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct evi_ws_deflate *d = evi_ws_deflate_take(NAME);
		uint8_t *plain;
		size_t len;

		cr_expect_lt(evi_ws_deflate_unpack(d, (const uint8_t *)table[i].bytes, table[i].len,
						   1000, &plain, &len),
			     0, "%zu", i);
		evi_ws_deflate_free(d);
	}
}

/* Many ends of streams in a message: each costs more than it should, so it is refused. */
Test(ws_deflate_codec, many_ends)
{
	struct evi_ws_deflate *d = evi_ws_deflate_take(NAME);
	static uint8_t data[20000];
	uint8_t *plain;
	size_t len;

	for (size_t i = 0; i < sizeof(data); i += 2)
		data[i] = 0x03;
	cr_expect_eq(evi_ws_deflate_unpack(d, data, sizeof(data), 1000, &plain, &len), -EINVAL);
	evi_ws_deflate_free(d);
}

static struct evi_ws_deflate *writer_of(const char *offer)
{
	char answer[160];
	struct evi_ws_deflate *d = evi_ws_deflate_accept(offer, answer, sizeof(answer));

	cr_assert_not_null(d);
	return d;
}

static size_t round_trip(struct evi_ws_deflate *writer, struct evi_ws_deflate *reader,
			 const uint8_t *data, size_t len)
{
	uint8_t *packed, *plain;
	size_t packed_len, plain_len;

	cr_assert_eq(evi_ws_deflate_pack(writer, data, len, &packed, &packed_len), 0);
	cr_assert_eq(
		evi_ws_deflate_unpack(reader, packed, packed_len, SIZE_MAX, &plain, &plain_len), 0);
	cr_assert_eq(plain_len, len);
	cr_assert_arr_eq(plain, data, len);
	evi_free(packed);
	evi_free(plain);
	return packed_len;
}

static void fill(uint8_t *data, size_t len, unsigned spread)
{
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525u + 1013904223u;
		data[i] = (uint8_t)((state >> 24) % spread);
	}
}

/* WS-081: each window size, with and without context; compressible or not. */
Test(ws_deflate_codec, round_trips)
{
	static uint8_t data[150000];
	static const unsigned spreads[] = { 1, 3, 256 };

	for (int bits = 9; bits <= 15; bits++) {
		for (int forgets = 0; forgets < 2; forgets++) {
			char offer[128];
			struct evi_ws_deflate *writer, *reader;

			snprintf(offer, sizeof(offer), NAME "; server_max_window_bits=%d%s", bits,
				 forgets ? "; server_no_context_takeover" : "");
			writer = writer_of(offer);
			reader = evi_ws_deflate_take(offer);
			cr_assert_not_null(reader);
			for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++) {
				fill(data, sizeof(data), spreads[i]);
				for (size_t len = 1; len <= sizeof(data); len = len * 7 + 3)
					(void)round_trip(writer, reader, data, len);
			}
			evi_ws_deflate_free(writer);
			evi_ws_deflate_free(reader);
		}
	}
}

/* Context makes a repeated message short; without it, it is as long each time. */
Test(ws_deflate_codec, context)
{
	static uint8_t data[1000];
	size_t first, again;

	fill(data, sizeof(data), 256);
	for (int forgets = 0; forgets < 2; forgets++) {
		const char *offer = forgets ? NAME "; server_no_context_takeover" : NAME;
		struct evi_ws_deflate *writer = writer_of(offer),
				      *reader = evi_ws_deflate_take(offer);

		first = round_trip(writer, reader, data, sizeof(data));
		again = round_trip(writer, reader, data, sizeof(data));
		cr_expect_geq(first, 900);
		if (forgets)
			cr_expect_eq(again, first);
		else
			cr_expect_leq(again, 50);
		evi_ws_deflate_free(writer);
		evi_ws_deflate_free(reader);
	}
}

/* zlib cannot keep to 8 bits: then nothing is compressed. */
Test(ws_deflate_codec, smallest_window)
{
	struct evi_ws_deflate *d = writer_of(NAME "; server_max_window_bits=8");
	uint8_t *packed;
	size_t len;

	cr_expect_eq(evi_ws_deflate_pack(d, "Hello", 5, &packed, &len), -ENOTSUP);
	expect_unpacked(d, BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
	evi_ws_deflate_free(d);
}

/*
 * WS-082, W15: the limit is exact, and memory stays near it, however much the bytes would become.
 */
Test(ws_deflate_codec, bomb)
{
	static uint8_t data[20u << 20];
	struct evi_ws_deflate *writer = writer_of(NAME), *reader = evi_ws_deflate_take(NAME);
	uint8_t *packed, *plain;
	size_t packed_len, len;

	cr_assert_eq(evi_ws_deflate_pack(writer, data, sizeof(data), &packed, &packed_len), 0);
	cr_expect_leq(packed_len, sizeof(data) / 500);
	cr_expect_eq(evi_ws_deflate_unpack(reader, packed, packed_len, 1000, &plain, &len),
		     -EMSGSIZE);
	evi_ws_deflate_free(reader);
	reader = evi_ws_deflate_take(NAME);
	cr_expect_eq(
		evi_ws_deflate_unpack(reader, packed, packed_len, sizeof(data) - 1, &plain, &len),
		-EMSGSIZE);
	evi_ws_deflate_free(reader);
	reader = evi_ws_deflate_take(NAME);
	cr_assert_eq(evi_ws_deflate_unpack(reader, packed, packed_len, sizeof(data), &plain, &len),
		     0);
	cr_expect_eq(len, sizeof(data));
	evi_free(plain);
	evi_free(packed);
	evi_ws_deflate_free(reader);
	evi_ws_deflate_free(writer);
}

/* A session that has agreed on it and is idle holds next to nothing. */
Test(ws_deflate_codec, idle)
{
	long before = support_live_blocks();
	struct evi_ws_deflate *d = writer_of(NAME);

	cr_expect_eq(support_live_blocks() - before, 1);
	evi_ws_deflate_free(d);
}

/*
 * Each allocation refused in turn: an error, no leak, and the next message is as if nothing had
 * been.
 */
Test(ws_deflate_codec, no_memory)
{
	static uint8_t data[5000];
	int failures = 0;

	for (long n = 0; n < 40; n++) {
		struct evi_ws_deflate *writer = writer_of(NAME),
				      *reader = evi_ws_deflate_take(NAME);
		uint8_t *packed = NULL, *plain = NULL;
		size_t packed_len, len;
		int err;

		fill(data, sizeof(data), 3);
		support_fail_once_after(n);
		err = evi_ws_deflate_pack(writer, data, sizeof(data), &packed, &packed_len);
		if (err == 0)
			err = evi_ws_deflate_unpack(reader, packed, packed_len, SIZE_MAX, &plain,
						    &len);
		support_fail_once_after(-1);
		failures += err != 0;
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		evi_free(packed);
		evi_free(plain);
		evi_ws_deflate_free(writer);
		evi_ws_deflate_free(reader);
	}
	cr_expect_geq(failures, 5);
}
