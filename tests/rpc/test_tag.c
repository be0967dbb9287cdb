/* SPDX-License-Identifier: BSD-3-Clause */
/* The tagged encoding: its bytes, and what each call of event2/tag.h promises. */

#include "tag_test.h"

#include <event2/tag_compat.h>

#include <limits.h>

TestSuite(tag, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const struct {
	ev_uint64_t value;
	const char *hex;
} integers[] = {
	{ 0, "00" },
	{ 1, "01" },
	{ 0xf, "0f" },
	{ 0x10, "10 10" },
	{ 0x7f, "1f 70" },
	{ 0x80, "10 80" },
	{ 0xff, "1f f0" },
	{ 0x100, "20 01" },
	{ 0xaf0, "20 fa" },
	{ 0xfff, "2f ff" },
	{ 0x1000, "30 00 10" },
	{ 300, "2c 21" },
	{ 0xbef000, "50 00 fe b0" },
	{ 0xdeadbeef, "7f ee bd ae d0" },
	{ 0xffffffff, "7f ff ff ff f0" },
	{ 0x123456789a, "9a 98 76 54 32 10" },
	{ 0xdead0a0bcafebeef, "ff ee be fa cb 0a 0d ae d0" },
	{ 0xffffffffffffffff, "ff ff ff ff ff ff ff ff f0" },
};

static const struct {
	ev_uint32_t tag;
	const char *hex;
} tags[] = {
	{ 0, "00" },
	{ 1, "01" },
	{ 0x7f, "7f" },
	{ 0x80, "80 01" },
	{ 0x166, "e6 02" },
	{ 0x3fff, "ff 7f" },
	{ 0x4000, "80 80 01" },
	{ 0xdeaf, "af bd 03" },
	{ 0x10121, "a1 82 04" },
	{ 0xdeadbeef, "ef fd b6 f5 0d" },
	{ 0xffffffff, "ff ff ff ff 0f" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* TAG-001 */
Test(tag, init_may_be_called_any_number_of_times)
{
	struct evbuffer *buf = evbuffer_new();

	evtag_init();
	evtag_marshal_int(buf, 1, 1);
	evtag_init();
	expect_bytes(buf, "01 01 01");
	evbuffer_free(buf);
}

/* TAG-002, TAG-003, TAG-004, TAG-005, TAG-006, TAG-007, TAG-008, TAG-009, TAG-010, TAG-013, R06 */
Test(tag, integers_have_these_bytes_and_come_back)
{
	struct evbuffer *buf = evbuffer_new();

	for (size_t i = 0; i < COUNT(integers); i++) {
		ev_uint64_t got64 = 77;
		ev_uint32_t got32 = 77;

		evtag_encode_int64(buf, integers[i].value);
		expect_bytes(buf, integers[i].hex);

		evtag_encode_int64(buf, integers[i].value);
		cr_expect_eq(evtag_decode_int64(&got64, buf), 0);
		cr_expect_eq(got64, integers[i].value);
		cr_expect_eq(evbuffer_get_length(buf), 0);
		if (integers[i].value > EV_UINT32_MAX)
			continue;
		evtag_encode_int(buf, (ev_uint32_t)integers[i].value);
		expect_bytes(buf, integers[i].hex);

		evtag_encode_int64(buf, integers[i].value);
		cr_expect_eq(evtag_decode_int(&got32, buf), 0);
		cr_expect_eq(got32, integers[i].value);
		evtag_encode_int(buf, (ev_uint32_t)integers[i].value);
		cr_expect_eq(evtag_decode_int64(&got64, buf), 0);
		cr_expect_eq(got64, integers[i].value);
	}
	evbuffer_free(buf);
}

/* TAG-008, TAG-011 */
Test(tag, an_integer_cut_anywhere_is_refused_and_stays)
{
	for (size_t i = 0; i < COUNT(integers); i++) {
		unsigned char bytes[16];
		size_t len = bytes_of(integers[i].hex, bytes);

		for (size_t cut = 0; cut < len; cut++) {
			struct evbuffer *buf = scattered(bytes, cut);
			ev_uint64_t value = 77;

			cr_expect_eq(evtag_decode_int64(&value, buf), -1);
			cr_expect_eq(evbuffer_get_length(buf), cut);
			evbuffer_free(buf);
		}
	}
}

/* TAG-010, TAG-011, TAG-012, R06 */
Test(tag, too_wide_integers_are_refused_and_loose_ones_are_not)
{
	struct evbuffer *wide = buffer_of("80 00 00 00 00 00");
	struct evbuffer *loose = buffer_of("10 05 20 00 7f ff ff ff ff");
	ev_uint32_t value = 77;

	cr_expect_eq(evtag_decode_int(&value, wide), -1);
	cr_expect_eq(evbuffer_get_length(wide), 6);
	cr_expect_eq(value, 77);
	evbuffer_free(wide);

	cr_expect_eq(evtag_decode_int(&value, loose), 0);
	cr_expect_eq(value, 0);
	value = 77;
	cr_expect_eq(evtag_decode_int(&value, loose), 0);
	cr_expect_eq(value, 0);
	cr_expect_eq(evtag_decode_int(&value, loose), 0);
	cr_expect_eq(value, 0xffffffff);
	evbuffer_free(loose);
}

/* TAG-014 */
Test(tag, old_names_are_the_same_functions)
{
	struct evbuffer *buf = evbuffer_new();

	encode_int(buf, 300);
	encode_int64(buf, 0x123456789aULL);
	expect_bytes(buf, "2c 21 9a 98 76 54 32 10");
	evbuffer_free(buf);
}

/* TAG-015, TAG-016, TAG-017, TAG-018, TAG-020, TAG-032 */
Test(tag, tags_have_these_bytes_and_come_back)
{
	struct evbuffer *buf = evbuffer_new();

	for (size_t i = 0; i < COUNT(tags); i++) {
		unsigned char bytes[8];
		int len = (int)bytes_of(tags[i].hex, bytes);
		struct evbuffer *pieces = scattered(bytes, (size_t)len);
		ev_uint32_t got = 77;

		cr_expect_eq(evtag_encode_tag(NULL, tags[i].tag), len);
		cr_expect_eq(evtag_encode_tag(buf, tags[i].tag), len);
		expect_bytes(buf, tags[i].hex);

		cr_expect_eq(evtag_peek(pieces, &got), len);
		cr_expect_eq(got, tags[i].tag);
		cr_expect_eq(evtag_peek(pieces, NULL), len);
		cr_expect_eq(evbuffer_get_length(pieces), (size_t)len);
		got = 77;
		cr_expect_eq(evtag_decode_tag(&got, pieces), len);
		cr_expect_eq(got, tags[i].tag);
		cr_expect_eq(evbuffer_get_length(pieces), 0);
		evbuffer_free(pieces);
	}
	evbuffer_free(buf);
}

/* TAG-018, TAG-019, TAG-020, R01 */
Test(tag, bad_tags_are_refused_and_stay)
{
	static const char *const bad[] = {
		"", "80", "ff ff ff ff", "80 80 80 80 80 00", "ff ff ff ff 10", "ff ff ff ff ff",
		"80 80 80 80 80 80 80 80 80 80 80",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		unsigned char bytes[16];
		size_t len = bytes_of(bad[i], bytes);
		struct evbuffer *pieces = scattered(bytes, len);
		ev_uint32_t tag = 77;

		cr_expect_eq(evtag_decode_tag(&tag, pieces), -1, "%s", bad[i]);
		cr_expect_eq(evtag_peek(pieces, &tag), -1, "%s", bad[i]);
		cr_expect_eq(tag, 77);
		cr_expect_eq(evbuffer_get_length(pieces), len);
		evbuffer_free(pieces);
	}
}

/* TAG-019 */
Test(tag, redundant_zero_groups_are_accepted_up_to_five_bytes)
{
	struct evbuffer *buf = buffer_of("80 00 81 80 80 80 00");
	ev_uint32_t tag = 77;

	cr_expect_eq(evtag_decode_tag(&tag, buf), 2);
	cr_expect_eq(tag, 0);
	cr_expect_eq(evtag_decode_tag(&tag, buf), 5);
	cr_expect_eq(tag, 1);
	evbuffer_free(buf);
}

/* TAG-021, TAG-022, TAG-023, TAG-025, TAG-026, TAG-027 */
Test(tag, elements_have_these_bytes)
{
	struct timeval tv = { 1, 500000 }, zero = { 0, 0 };
	struct evbuffer *buf = evbuffer_new();

	evtag_marshal(buf, 3, "\1\2", 2);
	expect_bytes(buf, "03 02 01 02");
	evtag_marshal(buf, 3, NULL, 0);
	expect_bytes(buf, "03 00");
	evtag_marshal_string(buf, 40, "Hello world");
	expect_bytes(buf, "28 0b 48 65 6c 6c 6f 20 77 6f 72 6c 64");
	evtag_marshal_string(buf, 1, "");
	expect_bytes(buf, "01 00");
	evtag_marshal_int(buf, 30, 0);
	expect_bytes(buf, "1e 01 00");
	evtag_marshal_int(buf, 1, 300);
	expect_bytes(buf, "01 02 2c 21");
	evtag_marshal_int64(buf, 5, 0xdead0a0bcafebeefULL);
	expect_bytes(buf, "05 09 ff ee be fa cb 0a 0d ae d0");
	evtag_marshal_timeval(buf, 7, &tv);
	expect_bytes(buf, "07 04 01 40 21 a7");
	evtag_marshal_timeval(buf, 0, &zero);
	expect_bytes(buf, "00 02 00 00");
	evbuffer_free(buf);
}

/* TAG-024 */
Test(tag, a_length_of_200_takes_two_bytes)
{
	struct evbuffer *buf = evbuffer_new();
	unsigned char zeros[200] = { 0 };

	evtag_marshal(buf, 1, zeros, sizeof(zeros));
	cr_assert_eq(evbuffer_get_length(buf), 203);
	cr_expect_eq(memcmp(evbuffer_pullup(buf, 3), "\x01\x18\xc0", 3), 0);
	evbuffer_free(buf);
}

/* TAG-027, TAG-028, TAG-044 */
Test(tag, times_keep_32_unsigned_bits)
{
	struct timeval tv = { -1, 3 }, got;
	struct evbuffer *buf = evbuffer_new();

	evtag_marshal_timeval(buf, 7, &tv);
	cr_assert_eq(evtag_unmarshal_timeval(buf, 7, &got), 0);
	cr_expect_eq((ev_uint32_t)got.tv_sec, 0xffffffff);
	cr_expect_eq(got.tv_usec, 3);
	evbuffer_free(buf);
}

/* TAG-029 */
Test(tag, marshalling_a_buffer_empties_it)
{
	struct evbuffer *buf = evbuffer_new(), *data = buffer_of("aa bb cc");

	evtag_marshal_buffer(buf, 9, data);
	cr_expect_eq(evbuffer_get_length(data), 0);
	evtag_marshal_buffer(buf, 10, data);
	expect_bytes(buf, "09 03 aa bb cc 0a 00");
	evbuffer_free(data);
	evbuffer_free(buf);
}

/* A buffer that says it is longer than 4 GiB and has no memory: one block, referred to often. */
static struct evbuffer *huge_buffer(void)
{
	struct evbuffer *buf;
	static unsigned char block[1 << 20];

	if (sizeof(size_t) < 8)
		cr_skip_test("no buffer can be that long here");
	buf = evbuffer_new();
	for (int i = 0; i < 4097; i++)
		cr_assert_eq(evbuffer_add_reference(buf, block, sizeof(block), ignore_cleanup,
						    NULL), 0);
	return buf;
}

/* TAG-030 */
Test(tag, more_than_32_bits_of_payload_are_refused_not_cut)
{
	struct evbuffer *huge = huge_buffer(), *buf = evbuffer_new();
	size_t len = evbuffer_get_length(huge);

	support_capture_log();
	evtag_marshal_buffer(buf, 9, huge);
	cr_expect_eq(evbuffer_get_length(buf), 0);
	cr_expect_eq(evbuffer_get_length(huge), len);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	evbuffer_free(huge);
	evbuffer_free(buf);
}

/* Marshal one of every kind; each must be there whole or not at all. */
static void marshal_kind(struct evbuffer *buf, int kind, struct evbuffer *data)
{
	static const unsigned char block[5000];
	struct timeval tv = { 5, 6 };

	switch (kind) {
	case 0: evtag_marshal(buf, 1, block, sizeof(block)); break;
	case 1: evtag_marshal_int(buf, 1, 0xffffffff); break;
	case 2: evtag_marshal_int64(buf, 1, 1ULL << 60); break;
	case 3: evtag_marshal_string(buf, 1, "some text"); break;
	case 4: evtag_marshal_timeval(buf, 1, &tv); break;
	default: evtag_marshal_buffer(buf, 1, data); break;
	}
}

/* TAG-031 */
Test(tag, a_refused_allocation_leaves_no_torn_element)
{
	support_capture_log();
	for (int kind = 0; kind < 6; kind++)
		for (long n = 0, refused = 1; refused; n++) {
			struct evbuffer *buf = evbuffer_new(), *data = buffer_of("01 02 03");

			cr_assert_lt(n, 20);
			support_fail_once_after(n);
			marshal_kind(buf, kind, data);
			refused = support_has_refused();
			support_fail_once_after(-1);
			if (evbuffer_get_length(buf) > 0)
				cr_expect_eq(evtag_consume(buf), 0);
			else
				cr_expect(refused);
			cr_expect_eq(evbuffer_get_length(buf), 0, "kind %d", kind);
			evbuffer_free(data);
			evbuffer_free(buf);
		}
}

/* TAG-033, TAG-034, TAG-038 */
Test(tag, lengths_are_told_without_removing_and_before_the_payload_is_there)
{
	struct evbuffer *buf = buffer_of("1e 01 00 28 0b 48");
	ev_uint32_t len = 77;

	cr_expect_eq(evtag_peek_length(buf, &len), 0);
	cr_expect_eq(len, 3);
	cr_expect_eq(evtag_payload_length(buf, &len), 0);
	cr_expect_eq(len, 1);
	cr_expect_eq(evbuffer_get_length(buf), 6);
	cr_expect_eq(evtag_consume(buf), 0);
	cr_expect_eq(evtag_peek_length(buf, &len), 0);
	cr_expect_eq(len, 13);
	cr_expect_eq(evtag_payload_length(buf, &len), 0);
	cr_expect_eq(len, 11);
	cr_expect_eq(evtag_consume(buf), -1);
	evbuffer_drain(buf, 2);
	cr_expect_eq(evtag_peek_length(buf, &len), -1);
	cr_expect_eq(evtag_payload_length(buf, &len), -1);
	evbuffer_free(buf);
}

/* TAG-035, TAG-037, R02 */
Test(tag, lengths_near_the_end_of_32_bits_do_not_wrap)
{
	struct evbuffer *top = buffer_of("01 7f ff ff ff f0 00"),
			*just = buffer_of("01 79 ff ff ff f0");
	struct evbuffer *over = buffer_of("01 70 00 00 00 80 00"); /* INT_MAX + 1 */
	ev_uint32_t len = 77;

	cr_expect_eq(evtag_peek_length(top, &len), -1);
	cr_expect_eq(evtag_unmarshal_header(top, NULL), -1);
	cr_expect_eq(evtag_consume(top), -1);
	cr_expect_eq(evtag_peek_length(just, &len), 0);
	cr_expect_eq(len, 0xffffffff);
	cr_expect_eq(evtag_unmarshal_header(over, NULL), -1);
	evbuffer_free(top);
	evbuffer_free(just);
	evbuffer_free(over);
}

/* TAG-037, R02 */
Test(tag, a_payload_above_int_max_is_refused_even_if_it_is_there)
{
	struct evbuffer *buf = huge_buffer();
	unsigned char head[] = { 0x01, 0x70, 0x00, 0x00, 0x00, 0x80 };
	ev_uint32_t tag;
	char *text = NULL;

	evbuffer_prepend(buf, head, sizeof(head));
	cr_expect_eq(evtag_unmarshal_header(buf, &tag), -1);
	cr_expect_eq(evtag_unmarshal_string(buf, 1, &text), -1);
	cr_expect_eq(evtag_consume(buf), -1);
	cr_expect_null(text);
	evbuffer_free(buf);
}

/* TAG-036 */
Test(tag, unmarshal_header_removes_the_head_only)
{
	struct evbuffer *buf = buffer_of("03 02 01 02 04 02 01");
	ev_uint32_t tag = 77;

	cr_expect_eq(evtag_unmarshal_header(buf, &tag), 2);
	cr_expect_eq(tag, 3);
	cr_expect_eq(evbuffer_get_length(buf), 5);
	evbuffer_drain(buf, 2);
	cr_expect_eq(evtag_unmarshal_header(buf, NULL), -1); /* a byte is missing */
	evbuffer_free(buf);
}

/* TAG-038, TAG-039, TAG-047 */
Test(tag, unmarshal_moves_one_payload)
{
	struct evbuffer *buf = buffer_of("80 01 02 0a 0b 03 00 05 01 00"), *dst = buffer_of("ee");
	ev_uint32_t tag = 77;

	cr_expect_eq(evtag_unmarshal(buf, &tag, dst), 2);
	cr_expect_eq(tag, 0x80);
	expect_bytes(dst, "ee 0a 0b");
	cr_expect_eq(evtag_unmarshal(buf, &tag, dst), 0);
	cr_expect_eq(tag, 3);
	cr_expect_eq(evbuffer_get_length(dst), 0);
	cr_expect_eq(evtag_consume(buf), 0);
	cr_expect_eq(evtag_unmarshal(buf, &tag, dst), -1);
	evbuffer_free(buf);
	evbuffer_free(dst);
}

/* TAG-040, TAG-041, TAG-047 */
Test(tag, unmarshal_int_returns_the_encoded_size_and_skips_surplus)
{
	struct evbuffer *buf =
		buffer_of("01 02 2c 21 01 03 0a ff ff 05 09 ff ee be fa cb 0a 0d ae d0 aa");
	ev_uint32_t value = 0;
	ev_uint64_t value64 = 0;

	cr_expect_eq(evtag_unmarshal_int(buf, 2, &value), -1);
	evbuffer_free(buf);
	buf = buffer_of("01 02 2c 21 01 03 0a ff ff 05 09 ff ee be fa cb 0a 0d ae d0 aa");
	cr_expect_eq(evtag_unmarshal_int(buf, 1, &value), 2);
	cr_expect_eq(value, 300);
	cr_expect_eq(evtag_unmarshal_int(buf, 1, &value), 1);
	cr_expect_eq(value, 10);
	cr_expect_eq(evtag_unmarshal_int64(buf, 5, &value64), 9);
	cr_expect_eq(value64, 0xdead0a0bcafebeefULL);
	expect_bytes(buf, "aa");
	evbuffer_free(buf);
}

/* TAG-041, TAG-040 */
Test(tag, an_integer_must_end_inside_its_payload)
{
	static const char *const bad[] = { "01 00 00", "01 01 2c 21", "01 02 7f ff ff ff f0",
					   "01 06 80 00 00 00 00 00" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct evbuffer *buf = buffer_of(bad[i]);
		ev_uint32_t value;

		cr_expect_eq(evtag_unmarshal_int(buf, 1, &value), -1, "%s", bad[i]);
		evbuffer_free(buf);
	}
}

/* TAG-042 */
Test(tag, unmarshal_fixed_wants_tag_and_size)
{
	struct evbuffer *buf;
	unsigned char data[4] = { 9, 9, 9, 9 };

	for (size_t size = 0; size < 4; size++) {
		buf = buffer_of("03 02 01 02");
		cr_expect_eq(evtag_unmarshal_fixed(buf, 3, data, size), size == 2 ? 0 : -1);
		evbuffer_free(buf);
	}
	cr_expect_arr_eq(data, "\1\2\11\11", 4);
	buf = buffer_of("03 02 01 02");
	cr_expect_eq(evtag_unmarshal_fixed(buf, 4, data, 2), -1);
	evbuffer_free(buf);
	buf = buffer_of("03 00");
	cr_expect_eq(evtag_unmarshal_fixed(buf, 3, data, 0), 0);
	evbuffer_free(buf);
}

/* TAG-043 */
Test(tag, strings_are_terminated_and_keep_embedded_nuls)
{
	struct evbuffer *buf = buffer_of("28 03 61 00 62 01 00");
	char *text = NULL;

	cr_expect_eq(evtag_unmarshal_string(buf, 40, &text), 0);
	cr_expect_arr_eq(text, "a\0b", 4);
	evi_free(text);
	cr_expect_eq(evtag_unmarshal_string(buf, 1, &text), 0);
	cr_expect_str_eq(text, "");
	evi_free(text);
	cr_expect_eq(evtag_unmarshal_string(buf, 1, &text), -1);
	evbuffer_free(buf);
}

/* TAG-044, TAG-045, TAG-046 */
Test(tag, times_must_lie_inside_the_payload)
{
	static const char *const bad[] = {
		"07 00", "07 01 01", "07 ff 01 40 21 a7", "07 03 01 40 21 a7", "08 04 01 40 21 a7",
		"07 09 80 00 00 00 00 40 21 a7",
	};
	struct evbuffer *buf;
	struct timeval tv;

	for (size_t i = 0; i < COUNT(bad); i++) {
		buf = buffer_of(bad[i]);
		cr_expect_eq(evtag_unmarshal_timeval(buf, 7, &tv), -1, "%s", bad[i]);
		evbuffer_free(buf);
	}
	buf = buffer_of("07 06 01 40 21 a7 ee ee 55");
	cr_expect_eq(evtag_unmarshal_timeval(buf, 7, &tv), 0);
	cr_expect_eq(tv.tv_sec, 1);
	cr_expect_eq(tv.tv_usec, 500000);
	expect_bytes(buf, "55");
	evbuffer_free(buf);
}
