/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MESSAGE_TEST_H_INCLUDED
#define MESSAGE_TEST_H_INCLUDED

/* Messages of regress.rpc that several tests need. */

#include "tag_test.h"

#include "regress.gen.h"

#include <event2/rpc.h>

static inline void fill_kill(struct kill *kill, int times)
{
	cr_assert_eq(EVTAG_ASSIGN(kill, weapon, "feather"), 0);
	cr_assert_eq(EVTAG_ASSIGN(kill, action, "tickle"), 0);
	for (int i = 0; i < times; i++)
		cr_assert_not_null(EVTAG_ARRAY_ADD_VALUE(kill, how_often, (ev_uint32_t)i));
}

static inline void fill_run(struct run *run, int index)
{
	ev_uint8_t fixed[FIXED_LEN];

	memset(fixed, index & 0xff, sizeof(fixed));
	cr_assert_eq(EVTAG_ASSIGN(run, how, "very fast but with some data in it"), 0);
	cr_assert_eq(EVTAG_ASSIGN(run, fixed_bytes, fixed), 0);
	cr_assert_eq(EVTAG_ASSIGN_WITH_LEN(run, some_bytes, (const ev_uint8_t *)"a\0b", 3), 0);
	cr_assert_eq(EVTAG_ASSIGN(run, large_number, 0xdead0a0bcafebeefULL), 0);
	cr_assert_not_null(EVTAG_ARRAY_ADD_VALUE(run, notes, "this is my note"));
	cr_assert_not_null(EVTAG_ARRAY_ADD_VALUE(run, other_numbers, 0xdead0a0b));
}

/* A message with everything in it. */
static inline struct msg *full_msg(int runs)
{
	struct msg *msg = msg_new();
	struct kill *attack = NULL;

	cr_assert_not_null(msg);
	cr_assert_eq(EVTAG_ASSIGN(msg, from_name, "niels"), 0);
	cr_assert_eq(EVTAG_ASSIGN(msg, to_name, "phoenix"), 0);
	cr_assert_eq(EVTAG_GET(msg, attack, &attack), 0);
	fill_kill(attack, 3);
	for (int i = 0; i < runs; i++) {
		struct run *run = EVTAG_ARRAY_ADD(msg, run);

		cr_assert_not_null(run);
		fill_run(run, i);
	}
	return msg;
}

#endif
