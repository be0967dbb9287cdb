/* SPDX-License-Identifier: BSD-3-Clause */
/* What event_rpcgen's code does: members, completeness, marshalling and its reverse. */

#include "message_test.h"

TestSuite(message, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* RPC-016, RPC-018, RPC-019, RPC-020, RPC-021, RPC-022 */
Test(message, generated_names_have_the_promised_shape)
{
	struct kill *(*make)(void *) = kill_new_with_arg;
	struct kill *kill = make("ignored");
	struct kill_access_ *base = kill->base;
	int (*assign)(struct kill *, const char *) = base->weapon_assign;
	ev_uint32_t *(*add)(struct kill *, const ev_uint32_t) = base->how_often_add;

	cr_expect_eq((void *)&kill->base, (void *)kill);
	cr_expect_eq(KILL_WEAPON, 0x10121);
	cr_expect_eq(KILL_MAX_TAGS, KILL_HOW_OFTEN + 1);
	cr_expect_eq(sizeof(((struct run *)0)->fixed_bytes_data), FIXED_LEN);
	cr_expect_eq(assign(kill, "x"), 0);
	cr_expect_str_eq(kill->weapon_data, "x");
	cr_expect_eq(kill->weapon_set, 1);
	cr_expect_eq(*add(kill, 5), 5);
	cr_expect_eq(kill->how_often_length, 1);
	cr_expect_geq(kill->how_often_num_allocated, 1);
	cr_expect_eq(REST_BLOB, 0xffffffff);
	cr_expect_eq(REST_NUMBERS64, 2147483647);
	kill_free(kill);
}

/* RPC-028, RPC-026, RPC-031, RPC-033 */
Test(message, a_new_message_has_nothing_set)
{
	struct run *run = run_new();
	struct rest *rest = rest_new();
	ev_uint8_t *bytes;
	ev_uint64_t number64;
	ev_uint32_t len, number;
	char *text;

	cr_expect_not(EVTAG_HAS(run, how));
	cr_expect_not(EVTAG_HAS(run, notes));
	cr_expect_null(run->how_data);
	cr_expect_eq(EVTAG_GET(run, how, &text), -1);
	cr_expect_eq(EVTAG_GET_WITH_LEN(run, some_bytes, &bytes, &len), -1);
	cr_expect_eq(EVTAG_GET(run, fixed_bytes, &bytes), -1);
	cr_expect_eq(EVTAG_GET(run, large_number, &number64), -1);
	cr_expect_eq(EVTAG_GET(rest, number, &number), -1);
	cr_expect_eq(EVTAG_ARRAY_LEN(run, notes), 0);
	cr_expect_eq(EVTAG_ARRAY_GET(run, notes, 0, &text), -1);
	rest_free(rest);
	run_free(run);
}

/* RPC-023, RPC-024, RPC-029, RPC-031 */
Test(message, members_are_copied_in_and_read_back)
{
	struct run *run = run_new();
	char text[] = "before", *got;
	ev_uint8_t fixed[FIXED_LEN] = "fixed", *bytes;
	ev_uint64_t number;
	ev_uint32_t len;

	cr_assert_eq(EVTAG_ASSIGN(run, how, text), 0);
	cr_assert_eq(EVTAG_ASSIGN_WITH_LEN(run, some_bytes, (ev_uint8_t *)text, 3), 0);
	cr_assert_eq(EVTAG_ASSIGN(run, fixed_bytes, fixed), 0);
	cr_assert_eq(EVTAG_ASSIGN(run, large_number, 1ULL << 60), 0);
	memset(text, 'x', 6);
	memset(fixed, 'x', sizeof(fixed));
	cr_assert_eq(EVTAG_GET(run, how, &got), 0);
	cr_expect_str_eq(got, "before");
	cr_assert_eq(EVTAG_GET_WITH_LEN(run, some_bytes, &bytes, &len), 0);
	cr_expect_eq(len, 3);
	cr_expect_arr_eq(bytes, "bef", 3);
	cr_assert_eq(EVTAG_GET(run, fixed_bytes, &bytes), 0);
	cr_expect_str_eq((char *)bytes, "fixed");
	cr_assert_eq(EVTAG_GET(run, large_number, &number), 0);
	cr_expect_eq(number, 1ULL << 60);

	/* Onto itself, and an empty value. */
	cr_assert_eq(EVTAG_ASSIGN(run, how, run->how_data), 0);
	cr_expect_str_eq(run->how_data, "before");
	cr_assert_eq(EVTAG_ASSIGN_WITH_LEN(run, some_bytes, NULL, 0), 0);
	cr_assert_eq(EVTAG_GET_WITH_LEN(run, some_bytes, &bytes, &len), 0);
	cr_expect_eq(len, 0);
	/* A refused value leaves the old one. */
	cr_expect_eq(EVTAG_ASSIGN(run, how, NULL), -1);
	cr_expect_str_eq(run->how_data, "before");
	run_free(run);
}

/* RPC-025, RPC-033, RPC-034 */
Test(message, arrays_keep_their_order_and_their_bounds)
{
	struct run *run = run_new();
	struct msg *msg = msg_new();
	struct run *found;
	ev_uint32_t number;
	char *text, **added;

	for (ev_uint32_t i = 0; i < 100; i++) {
		ev_uint32_t *at = EVTAG_ARRAY_ADD_VALUE(run, other_numbers, i * i);

		cr_assert_not_null(at);
		cr_expect_eq(*at, i * i);
	}
	cr_expect_eq(EVTAG_ARRAY_LEN(run, other_numbers), 100);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(EVTAG_ARRAY_GET(run, other_numbers, i, &number), 0);
		cr_expect_eq(number, (ev_uint32_t)(i * i));
	}
	cr_expect_eq(EVTAG_ARRAY_GET(run, other_numbers, 100, &number), -1);
	cr_expect_eq(EVTAG_ARRAY_GET(run, other_numbers, -1, &number), -1);
	cr_expect_eq(run->base->other_numbers_assign(run, 100, 1), -1);
	cr_expect_eq(run->base->other_numbers_assign(run, -1, 1), -1);
	cr_expect_eq(run->base->other_numbers_assign(run, 99, 1), 0);
	cr_expect_eq(run->other_numbers_data[99], 1);

	cr_expect_null(EVTAG_ARRAY_ADD_VALUE(run, notes, NULL));
	cr_expect_not(EVTAG_HAS(run, notes));
	added = EVTAG_ARRAY_ADD_VALUE(run, notes, "one");
	cr_assert_not_null(added);
	cr_expect_str_eq(*added, "one");
	cr_expect_eq(run->base->notes_assign(run, 0, "two"), 0);
	cr_expect_eq(run->base->notes_assign(run, 0, NULL), -1);
	cr_expect_eq(run->base->notes_assign(run, 1, "three"), -1);
	cr_expect_eq(EVTAG_ARRAY_GET(run, notes, 0, &text), 0);
	cr_expect_str_eq(text, "two");

	found = EVTAG_ARRAY_ADD(msg, run);
	cr_assert_not_null(found);
	cr_expect_not(EVTAG_HAS(found, how));
	cr_expect_eq(msg->base->run_assign(msg, 0, run), -1); /* incomplete */
	fill_run(run, 1);
	cr_expect_eq(msg->base->run_assign(msg, 0, run), 0);
	cr_expect_eq(msg->base->run_assign(msg, 1, run), -1);
	run_free(run);
	cr_expect_eq(EVTAG_ARRAY_GET(msg, run, 0, &found), 0);
	cr_expect_str_eq(found->how_data, "very fast but with some data in it");
	cr_expect_eq(found->notes_length, 2);
	msg_free(msg);
}

/* RPC-029, RPC-030, RPC-032 */
Test(message, sub_messages_are_created_by_get_and_copied_by_assign)
{
	struct needs *needs = needs_new();
	struct kill *kill = NULL, *other = kill_new();
	struct nothing *nothing;

	cr_assert_eq(EVTAG_GET(needs, kill, &kill), 0);
	cr_assert_not_null(kill);
	cr_expect(EVTAG_HAS(needs, kill));
	cr_expect_eq(needs_complete(needs), -1);
	fill_kill(kill, 1);
	cr_expect_eq(needs_complete(needs), 0);
	cr_expect_eq(EVTAG_ASSIGN(needs, kill, other), -1);
	cr_expect_eq(EVTAG_ASSIGN(needs, kill, NULL), -1);
	cr_expect_str_eq(needs->kill_data->weapon_data, "feather");
	fill_kill(other, 5);
	cr_expect_eq(EVTAG_ASSIGN(needs, kill, other), 0);
	kill_free(other);
	cr_expect_eq(needs->kill_data->how_often_length, 5);
	cr_expect_eq(EVTAG_ASSIGN(needs, kill, needs->kill_data), 0);
	cr_expect_eq(needs->kill_data->how_often_length, 5);
	cr_expect_eq(EVTAG_GET(needs, nothing, &nothing), 0);
	cr_expect_eq(needs_complete(needs), 0);
	needs_free(needs);
}

/* RPC-035 */
Test(message, clear_makes_a_message_new_again)
{
	struct msg *msg = full_msg(3);

	cr_expect_eq(msg_complete(msg), 0);
	msg_clear(msg);
	cr_expect_not(EVTAG_HAS(msg, from_name));
	cr_expect_not(EVTAG_HAS(msg, attack));
	cr_expect_not(EVTAG_HAS(msg, run));
	cr_expect_eq(EVTAG_ARRAY_LEN(msg, run), 0);
	cr_expect_eq(msg_complete(msg), -1);
	cr_expect_eq(EVTAG_ASSIGN(msg, from_name, "again"), 0);
	cr_expect_eq(EVTAG_ASSIGN(msg, to_name, "again"), 0);
	cr_expect_eq(msg_complete(msg), 0);
	msg_free(msg);
	msg_free(NULL);
}

/* RPC-036 */
Test(message, complete_looks_at_required_members_and_into_sub_messages)
{
	struct msg *msg = full_msg(2);
	struct run *run;

	cr_expect_eq(msg_complete(msg), 0);
	cr_assert_eq(EVTAG_ARRAY_GET(msg, run, 1, &run), 0);
	run_clear(run);
	cr_expect_eq(msg_complete(msg), -1);
	fill_run(run, 1);
	cr_expect_eq(msg_complete(msg), 0);
	kill_clear(msg->attack_data);
	cr_expect_eq(msg_complete(msg), -1);
	msg_free(msg);
}

/* RPC-037, RPC-038, RPC-044 */
Test(message, marshalled_bytes_follow_the_declaration)
{
	struct evbuffer *buf = evbuffer_new();
	struct kill *kill = kill_new();
	struct needs *needs = needs_new();

	fill_kill(kill, 3);
	kill_marshal(buf, kill);
	expect_bytes(buf, "a1 82 04 07 66 65 61 74 68 65 72 02 06 74 69 63 6b 6c 65"
			  "03 01 00 03 01 01 03 01 02");
	evtag_marshal_kill(buf, 9, kill);
	expect_bytes(buf, "09 1c 10 a1 82 04 07 66 65 61 74 68 65 72 02 06 74 69 63 6b 6c 65"
			  "03 01 00 03 01 01 03 01 02");
	needs_marshal(buf, needs);
	cr_expect_eq(evbuffer_get_length(buf), 0);
	needs_free(needs);
	kill_free(kill);
	evbuffer_free(buf);
}

static void expect_same(struct msg *msg, int runs)
{
	struct kill *attack;
	struct run *run;
	ev_uint8_t *bytes;
	ev_uint64_t number64;
	ev_uint32_t number, len;
	char *text;

	cr_assert_eq(EVTAG_GET(msg, from_name, &text), 0);
	cr_expect_str_eq(text, "niels");
	cr_assert_eq(EVTAG_GET(msg, attack, &attack), 0);
	cr_expect_eq(EVTAG_ARRAY_LEN(attack, how_often), 3);
	cr_assert_eq(EVTAG_ARRAY_GET(attack, how_often, 2, &number), 0);
	cr_expect_eq(number, 2);
	cr_assert_eq(EVTAG_ARRAY_LEN(msg, run), runs);
	for (int i = 0; i < runs; i++) {
		cr_assert_eq(EVTAG_ARRAY_GET(msg, run, i, &run), 0);
		cr_assert_eq(EVTAG_GET(run, fixed_bytes, &bytes), 0);
		cr_expect_eq(bytes[0], (i & 0xff));
		cr_assert_eq(EVTAG_GET_WITH_LEN(run, some_bytes, &bytes, &len), 0);
		cr_expect_eq(len, 3);
		cr_expect_arr_eq(bytes, "a\0b", 3);
		cr_assert_eq(EVTAG_GET(run, large_number, &number64), 0);
		cr_expect_eq(number64, 0xdead0a0bcafebeefULL);
		cr_assert_eq(EVTAG_ARRAY_GET(run, notes, 0, &text), 0);
		cr_expect_str_eq(text, "this is my note");
	}
}

/* RPC-015, RPC-039, RPC-042 */
Test(message, large_messages_come_back)
{
	struct evbuffer *buf = evbuffer_new();
	struct msg *msg = full_msg(1000), *got = msg_new();

	msg_marshal(buf, msg);
	cr_assert_eq(msg_unmarshal(got, buf), 0);
	cr_expect_eq(evbuffer_get_length(buf), 0);
	expect_same(got, 1000);
	msg_clear(got);

	evtag_marshal_msg(buf, 0xdeaf, msg);
	evbuffer_add(buf, "rest", 4);
	cr_expect_eq(evtag_unmarshal_msg(buf, 0xdeaf, got), 0);
	expect_same(got, 1000);
	cr_expect_eq(evbuffer_get_length(buf), 4);
	msg_free(got);
	msg_free(msg);
	evbuffer_free(buf);
}

/* RPC-042 */
Test(message, a_wrong_outer_tag_is_refused)
{
	struct evbuffer *buf = evbuffer_new();
	struct msg *msg = full_msg(1), *got = msg_new();

	evtag_marshal_msg(buf, 5, msg);
	cr_expect_eq(evtag_unmarshal_msg(buf, 6, got), -1);
	msg_free(got);
	msg_free(msg);
	evbuffer_free(buf);
}

/* RPC-039 */
Test(message, members_may_come_in_any_order)
{
	struct evbuffer *buf = evbuffer_new();
	struct kill *kill = kill_new();

	evtag_marshal_int(buf, KILL_HOW_OFTEN, 7);
	evtag_marshal_string(buf, KILL_ACTION, "a");
	evtag_marshal_int(buf, KILL_HOW_OFTEN, 8);
	evtag_marshal_string(buf, KILL_WEAPON, "w");
	cr_expect_eq(kill_unmarshal(kill, buf), 0);
	cr_expect_eq(kill->how_often_length, 2);
	cr_expect_eq(kill->how_often_data[1], 8);
	kill_free(kill);
	evbuffer_free(buf);
}

/* RPC-037, RPC-038, RPC-010 */
Test(message, every_kind_of_member_survives)
{
	struct evbuffer *buf = evbuffer_new();
	struct rest *rest = rest_new(), *got = rest_new();

	cr_assert_eq(EVTAG_ASSIGN(rest, number, 0xffffffff), 0);
	cr_assert_eq(EVTAG_ASSIGN(rest, number64, ~0ULL), 0);
	cr_assert_eq(EVTAG_ASSIGN_WITH_LEN(rest, blob, (const ev_uint8_t *)"", 0), 0);
	cr_assert_not_null(EVTAG_ARRAY_ADD_VALUE(rest, numbers64, ~0ULL));
	rest_marshal(buf, rest);
	cr_assert_eq(rest_unmarshal(got, buf), 0);
	cr_expect_eq(got->number_data, 0xffffffff);
	cr_expect_eq(got->number64_data, ~0ULL);
	cr_expect_eq(got->blob_length, 0);
	cr_expect_eq(got->numbers64_data[0], ~0ULL);
	cr_expect_not(EVTAG_HAS(got, maybe));
	rest_free(rest);
	rest_free(got);
	evbuffer_free(buf);
}

/* RPC-039, RPC-040 */
Test(message, bad_streams_are_refused_without_a_leak)
{
	static const char *const bad[] = {
		"02 01 61", /* a required member is missing */
		"a1 82 04 01 61 02 01 61 04 01 00", /* an unknown tag */
		"a1 82 04 01 61 02 01 61 02 01 61", /* a second occurrence */
		"a1 82 04 01 61 02 05 61", /* cut */
		"a1 82 04 01 61 02 01 61 03 01 10", /* a bad integer */
		"a1 82 04 01 61 02 01 61 03", /* half an element */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct evbuffer *buf = buffer_of(bad[i]);
		struct kill *kill = kill_new();

		cr_expect_eq(kill_unmarshal(kill, buf), -1, "%s", bad[i]);
		kill_free(kill);
		evbuffer_free(buf);
	}
}

/* RPC-040 */
Test(message, bad_sub_messages_and_sizes_are_refused)
{
	static const char *const bad[] = {
		"01 01 61 02 01 61 03 03 02 01 61", /* the attack is incomplete */
		"01 01 61 02 01 61 03 02 02 01 61", /* its member is longer than itself */
		"01 01 61 02 01 61 04 06 01 01 61 03 01 00", /* 1 fixed byte instead of 24 */
		"01 01 61 02 01 61 03 00", /* an empty attack */
		/* two */
		"03 08 a1 82 04 01 61 02 01 61 03 08 a1 82 04 01 61 02 01 61 01 01 61 02 01 61",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct evbuffer *buf = buffer_of(bad[i]);
		struct msg *msg = msg_new();

		cr_expect_eq(msg_unmarshal(msg, buf), -1, "%s", bad[i]);
		msg_free(msg);
		evbuffer_free(buf);
	}
}

/* RPC-041, RPC-008 */
Test(message, an_empty_stream_will_do_if_nothing_is_required)
{
	struct evbuffer *buf = evbuffer_new();
	struct nothing *nothing = nothing_new();
	struct tree *tree = tree_new();
	struct kill *kill = kill_new();

	cr_expect_eq(nothing_unmarshal(nothing, buf), 0);
	cr_expect_eq(nothing_complete(nothing), 0);
	cr_expect_eq(tree_unmarshal(tree, buf), 0);
	cr_expect_eq(kill_unmarshal(kill, buf), -1);
	evbuffer_add(buf, "\1\0", 2);
	cr_expect_eq(nothing_unmarshal(nothing, buf), -1);
	nothing_free(nothing);
	tree_free(tree);
	kill_free(kill);
	evbuffer_free(buf);
}

/* An element of `depth` trees, each inside the one before; `tag` 2 or 3. */
static struct evbuffer *nested(int depth, ev_uint32_t tag)
{
	struct evbuffer *buf = evbuffer_new();

	for (int i = 0; i < depth; i++) {
		struct evbuffer *outer = evbuffer_new();

		evtag_marshal_buffer(outer, tag, buf);
		evbuffer_free(buf);
		buf = outer;
	}
	return buf;
}

/* RPC-043 */
Test(message, nesting_is_bounded)
{
	for (ev_uint32_t tag = TREE_NEXT; tag <= TREE_CHILDREN; tag++) {
		struct evbuffer *shallow = nested(100, tag), *deep = nested(10000, tag);
		struct tree *tree = tree_new();

		cr_expect_eq(tree_unmarshal(tree, shallow), 0);
		tree_clear(tree);
		cr_expect_eq(tree_unmarshal(tree, deep), -1);
		tree_free(tree);
		evbuffer_free(shallow);
		evbuffer_free(deep);
	}
}
