/* SPDX-License-Identifier: BSD-3-Clause */
/* The tagged encoding under random input: round trips, and readers that never go too far. */

#include "tag_test.h"

TestSuite(tag_fuzz, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* A generator of the test's own, so that a failure can be repeated. */
static ev_uint64_t state = 0x9e3779b97f4a7c15ULL;

static ev_uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Numbers of every width are equally likely. */
static ev_uint64_t draw_number(void)
{
	ev_uint64_t value = draw();

	return value >> draw() % 64;
}

/* TAG-009, TAG-010, TAG-013, TAG-017, TAG-018, TAG-040 */
Test(tag_fuzz, numbers_and_tags_survive)
{
	struct evbuffer *buf = evbuffer_new();

	for (int i = 0; i < 50000; i++) {
		ev_uint64_t number = draw_number(), got64 = 0;
		ev_uint32_t tag = (ev_uint32_t)draw_number(), got = 0;

		evtag_encode_int64(buf, number);
		cr_assert_eq(evtag_decode_int64(&got64, buf), 0);
		cr_assert_eq(got64, number);
		cr_assert_eq(evtag_encode_tag(buf, tag), evtag_decode_tag(&got, buf));
		cr_assert_eq(got, tag);
		evtag_marshal_int64(buf, tag, number);
		cr_assert_neq(evtag_unmarshal_int64(buf, tag, &got64), -1);
		cr_assert_eq(got64, number);
		evtag_marshal_int(buf, tag, (ev_uint32_t)number);
		cr_assert_neq(evtag_unmarshal_int(buf, tag, &got), -1);
		cr_assert_eq(got, (ev_uint32_t)number);
		cr_assert_eq(evbuffer_get_length(buf), 0);
	}
	evbuffer_free(buf);
}

/* Half of them plausible: a small tag, and a length near what follows. */
static size_t draw_input(unsigned char *bytes)
{
	size_t len = draw() % 24;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)draw();
	if (len > 2 && draw() % 2) {
		bytes[0] = (unsigned char)(draw() % 3);
		bytes[1] = (unsigned char)(draw() % 2 ? len - 2 : draw() % 16);
	}
	return len;
}

static int unmarshal_some(int call, struct evbuffer *buf, struct evbuffer *dst)
{
	unsigned char fixed[8];
	struct timeval tv;
	ev_uint64_t value64;
	ev_uint32_t value;
	char *text;
	int result;

	switch (call) {
	case 0: return evtag_unmarshal_int(buf, 1, &value);
	case 1: return evtag_unmarshal_int64(buf, 1, &value64);
	case 2: return evtag_unmarshal_fixed(buf, 1, fixed, sizeof(fixed));
	case 3: return evtag_unmarshal_timeval(buf, 1, &tv);
	case 4: return evtag_unmarshal(buf, &value, dst);
	case 5: return evtag_unmarshal_header(buf, &value);
	case 6: return evtag_consume(buf);
	case 7: return evtag_decode_int(&value, buf);
	case 8: return evtag_decode_int64(&value64, buf);
	case 9: return evtag_decode_tag(&value, buf);
	case 10: return evtag_peek_length(buf, &value);
	case 11: return evtag_payload_length(buf, &value);
	default:
		result = evtag_unmarshal_string(buf, 1, &text);
		if (result == 0)
			evi_free(text);
		return result;
	}
}

/* TAG-020, TAG-046, TAG-047, TAG-048, R03 */
Test(tag_fuzz, random_input_is_read_alike_whole_and_in_pieces)
{
	long succeeded = 0;

	for (int i = 0; i < 60000; i++) {
		unsigned char bytes[32];
		size_t len = draw_input(bytes);
		/* A block of the exact size, so that a sanitizer sees any read past the end. */
		unsigned char *exact = malloc(len + 1);
		struct evbuffer *whole = evbuffer_new(), *pieces, *dst = evbuffer_new();
		int call = i % 13, first, second;

		memcpy(exact, bytes, len);
		pieces = scattered(exact, len);
		evbuffer_add(whole, exact, len);
		first = unmarshal_some(call, whole, dst);
		second = unmarshal_some(call, pieces, dst);
		cr_assert_eq(first, second, "call %d, round %d", call, i);
		cr_assert_eq(evbuffer_get_length(whole), evbuffer_get_length(pieces));
		if (first == -1)
			cr_assert_eq(evbuffer_get_length(whole), len);
		else
			succeeded++;
		evbuffer_free(whole);
		evbuffer_free(pieces);
		evbuffer_free(dst);
		free(exact);
	}
	cr_expect_gt(succeeded, 1000);
}

/* TAG-044 */
Test(tag_fuzz, random_times_mostly_fail)
{
	int failed = 0;

	for (int i = 0; i < 2000; i++) {
		struct evbuffer *buf = evbuffer_new();
		unsigned char bytes[32];
		struct timeval tv;

		for (size_t at = 0; at < sizeof(bytes); at++)
			bytes[at] = (unsigned char)draw();
		evbuffer_add(buf, bytes, sizeof(bytes));
		failed += evtag_unmarshal_timeval(buf, bytes[0], &tv) == -1;
		evbuffer_free(buf);
	}
	cr_expect_gt(failed, 1600);
}
