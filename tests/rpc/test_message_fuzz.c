/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages under random input: what is marshalled comes back, and damage never does harm. */

#include "message_test.h"

TestSuite(message_fuzz, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static ev_uint64_t state = 0x2545f4914f6cdd1dULL;

static ev_uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static ev_uint64_t draw_number(void)
{
	ev_uint64_t value = draw();

	return value >> draw() % 64;
}

static const char *draw_text(void)
{
	static char text[64];
	size_t len = draw() % (sizeof(text) - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(draw() % 255 + 1);
	text[len] = '\0';
	return text;
}

static void draw_rest(struct rest *rest)
{
	ev_uint8_t fixed[16];
	const char *text = draw_text();

	cr_assert_eq(EVTAG_ASSIGN(rest, number, (ev_uint32_t)draw_number()), 0);
	cr_assert_eq(EVTAG_ASSIGN(rest, number64, draw_number()), 0);
	cr_assert_eq(EVTAG_ASSIGN_WITH_LEN(rest, blob, (const ev_uint8_t *)text,
					   (ev_uint32_t)strlen(text)), 0);
	for (ev_uint64_t n = draw() % 20; n > 0; n--)
		cr_assert_not_null(EVTAG_ARRAY_ADD_VALUE(rest, numbers64, draw_number()));
	if (draw() % 2)
		cr_assert_eq(EVTAG_ASSIGN(rest, maybe, (ev_uint32_t)draw_number()), 0);
	if (draw() % 2)
		cr_assert_eq(EVTAG_ASSIGN(rest, text, draw_text()), 0);
	for (size_t i = 0; i < sizeof(fixed); i++)
		fixed[i] = (ev_uint8_t)draw();
	if (draw() % 2)
		cr_assert_eq(EVTAG_ASSIGN(rest, fixed, fixed), 0);
}

/* RPC-037, RPC-038, RPC-039 */
Test(message_fuzz, random_messages_survive)
{
	struct evbuffer *first = evbuffer_new(), *second = evbuffer_new();
	struct rest *rest = rest_new(), *got = rest_new();

	for (int i = 0; i < 3000; i++) {
		size_t len;

		draw_rest(rest);
		rest_marshal(first, rest);
		len = evbuffer_get_length(first);
		evbuffer_add_buffer_reference(second, first);
		cr_assert_eq(rest_unmarshal(got, second), 0);
		/* What came back marshals to the same bytes. */
		rest_marshal(second, got);
		cr_assert_eq(evbuffer_get_length(second), len);
		cr_assert_eq(memcmp(evbuffer_pullup(first, -1), evbuffer_pullup(second, -1), len),
			     0);
		evbuffer_drain(first, len);
		evbuffer_drain(second, len);
		rest_clear(rest);
		rest_clear(got);
	}
	rest_free(rest);
	rest_free(got);
	evbuffer_free(first);
	evbuffer_free(second);
}

/* RPC-040, TAG-048 */
Test(message_fuzz, damaged_messages_do_no_harm)
{
	struct msg *msg = full_msg(3), *got = msg_new();
	struct evbuffer *buf = evbuffer_new();
	unsigned char bytes[1024];
	size_t len;
	int refused = 0;

	msg_marshal(buf, msg);
	len = evbuffer_get_length(buf);
	cr_assert_leq(len, sizeof(bytes));
	for (int i = 0; i < 20000; i++) {
		size_t cut = draw() % 4 ? len : draw() % len;
		unsigned char *exact = malloc(cut + 1);
		struct evbuffer *damaged = evbuffer_new();

		evbuffer_copyout(buf, bytes, len);
		for (ev_uint64_t n = draw() % 3 + 1; n > 0; n--)
			bytes[draw() % len] = (unsigned char)draw();
		memcpy(exact, bytes, cut);
		evbuffer_add_reference(damaged, exact, cut, ignore_cleanup, NULL);
		refused += msg_unmarshal(got, damaged) == -1;
		msg_clear(got);
		evbuffer_free(damaged);
		free(exact);
	}
	cr_expect_gt(refused, 5000);
	msg_free(msg);
	msg_free(got);
	evbuffer_free(buf);
}

/* RPC-040, RPC-043 */
Test(message_fuzz, random_bytes_do_no_harm)
{
	struct tree *tree = tree_new();

	for (int i = 0; i < 60000; i++) {
		unsigned char bytes[40];
		size_t len = draw() % sizeof(bytes);
		struct evbuffer *buf;

		for (size_t at = 0; at < len; at++)
			bytes[at] = (unsigned char)(draw() % 4 ? draw() % 6 : draw());
		buf = scattered(bytes, len);
		if (tree_unmarshal(tree, buf) == 0)
			cr_assert_eq(evbuffer_get_length(buf), 0);
		tree_clear(tree);
		evbuffer_free(buf);
	}
	tree_free(tree);
}

/* R04: a million elements take memory in proportion to their bytes, and time too. */
Test(message_fuzz, a_million_elements_are_fine)
{
	struct evbuffer *buf = evbuffer_new();
	struct tree *tree = tree_new();
	static const char two[] = { TREE_CHILDREN, 0 };

	for (int i = 0; i < 1000000; i++)
		cr_assert_eq(evbuffer_add(buf, two, 2), 0);
	cr_expect_eq(tree_unmarshal(tree, buf), 0);
	cr_expect_eq(EVTAG_ARRAY_LEN(tree, children), 1000000);
	tree_free(tree);
	evbuffer_free(buf);
}
