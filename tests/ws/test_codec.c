/* SPDX-License-Identifier: BSD-3-Clause */
/* Frame heads, masking, UTF-8 and the accept value, alone. */

#include <ws/frame.h>
#include <ws/handshake.h>
#include <ws/utf8.h>

#include <support.h>

#include <string.h>

TestSuite(ws_codec, .timeout = 60);

/* WS-023 */
Test(ws_codec, accept_value)
{
	char accept[EVI_WS_ACCEPT_SIZE];

	evi_ws_accept_of("dGhlIHNhbXBsZSBub25jZQ==", accept);
	cr_expect_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	evi_ws_accept_of("x3JJHMbDL1EzLkh9GBhXDw==", accept);
	cr_expect_str_eq(accept, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

/* WS-031, WS-036, WS-068: what is written is read back, in the shortest form. */
Test(ws_codec, lengths)
{
	static const struct { uint64_t len; size_t size; } table[] = { { 0, 2 }, { 125, 2 },
		{ 126, 4 }, { 65535, 4 }, { 65536, 10 }, { INT64_MAX, 10 } };
	uint8_t out[EVI_WS_HEAD_MAX];
	struct evi_ws_head head;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cr_assert_eq(evi_ws_head_write(out, 0x82, table[i].len, NULL), table[i].size);
		for (size_t part = 0; part < table[i].size; part++)
			cr_expect_eq(evi_ws_head_read(out, part, &head), 0);
		cr_assert_eq(evi_ws_head_read(out, table[i].size, &head), (int)table[i].size);
		cr_expect_eq(head.len, table[i].len);
		cr_expect_eq(head.opcode, EVI_WS_BINARY);
		cr_expect(head.is_final && !head.is_masked && !head.reserved);
	}
	cr_expect_eq(evi_ws_head_read((const uint8_t *)"\x82\x7e\x00\x7d", 4, &head), -1);
	cr_expect_eq(evi_ws_head_read((const uint8_t *)"\x82\x7f\0\0\0\0\0\0\xff\xff", 10, &head),
		     -1);
	cr_expect_eq(evi_ws_head_read((const uint8_t *)"\x82\x7f\x80\0\0\0\0\0\0\0", 10, &head),
		     -1);
}

/* WS-031: every alignment and offset gives what the definition gives. */
Test(ws_codec, masking)
{
	static const uint8_t mask[4] = { 0x12, 0xfe, 0x00, 0x81 };
	uint8_t from[80], to[80];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7);
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; len + start < sizeof(from); len++) {
			evi_ws_mask(to + start, from + start, len, mask, start + len);
			for (size_t i = 0; i < len; i++)
				cr_assert_eq(to[start + i],
					from[start + i] ^ mask[(start + len + i) & 3]);
		}
}

static int is_valid(const char *text, size_t step)
{
	struct evi_utf8 state = { 0 };
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += step)
		if (!evi_utf8_check(&state, (const uint8_t *)text + i,
				    len - i < step ? len - i : step))
			return 0;
	return evi_utf8_is_whole(&state);
}

/* WS-046, WS-088: whole, and cut at every byte. */
Test(ws_codec, utf8)
{
	static const char *const good[] = { "",
					    "a",
					    "\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "0123456789abcdef\xc3\xa9 0123456789abcdef" };
	static const char *const bad[] = { "\x80",
					   "\xbf",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xc2",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xed\xbf\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "\xe1\x80",
					   "\xc3(",
					   "0123456789abcdef\xc3 0123456789abcdef" };

	for (size_t step = 1; step < 40; ++step) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
			cr_expect(is_valid(good[i], step), "good %zu by %zu", i, step);
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			cr_expect(!is_valid(bad[i], step), "bad %zu by %zu", i, step);
	}
}

/* WS-054, WS-089 */
Test(ws_codec, close_codes)
{
	static const unsigned bad[] = {
		0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000
	};
	static const unsigned good[] = {
		1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!evi_ws_is_close_code(bad[i]), "%u", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(evi_ws_is_close_code(good[i]), "%u", good[i]);
}
