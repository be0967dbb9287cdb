/* SPDX-License-Identifier: BSD-3-Clause */
/* Types, limits and the small macros of event2/util.h. */

#include "support.h"

TestSuite(util_types, .timeout = 60);

/* UTIL-001 */
Test(util_types, integers_have_the_width_of_their_name)
{
	cr_expect_eq(sizeof(ev_int8_t), 1);
	cr_expect_eq(sizeof(ev_uint8_t), 1);
	cr_expect_eq(sizeof(ev_int16_t), 2);
	cr_expect_eq(sizeof(ev_uint16_t), 2);
	cr_expect_eq(sizeof(ev_int32_t), 4);
	cr_expect_eq(sizeof(ev_uint32_t), 4);
	cr_expect_eq(sizeof(ev_int64_t), 8);
	cr_expect_eq(sizeof(ev_uint64_t), 8);
	cr_expect_eq(sizeof(ev_ssize_t), sizeof(size_t));
	cr_expect_eq(sizeof(ev_intptr_t), sizeof(void *));
	cr_expect_eq(sizeof(ev_uintptr_t), sizeof(void *));
	cr_expect_lt((ev_int8_t)-1, 0);
	cr_expect_gt((ev_uint8_t)-1, 0);
	cr_expect_lt((ev_ssize_t)-1, 0);
	cr_expect_lt((ev_intptr_t)-1, 0);
	cr_expect_gt((ev_uintptr_t)-1, 0);
	cr_expect_gt((ev_uint64_t)-1, 0);
	cr_expect_lt((ev_int64_t)-1, 0);
}

/* UTIL-001 */
Test(util_types, pointers_survive_the_integers_that_hold_them)
{
	int here;
	void *all_ones = (void *)~(ev_uintptr_t)0;

	cr_expect_eq((void *)(ev_intptr_t)&here, (void *)&here);
	cr_expect_eq((void *)(ev_uintptr_t)&here, (void *)&here);
	cr_expect_eq((void *)(ev_intptr_t)all_ones, all_ones);
}

/* UTIL-002 */
Test(util_types, limits_are_the_last_values)
{
	ev_uint8_t u8 = EV_UINT8_MAX;
	ev_uint16_t u16 = EV_UINT16_MAX;
	ev_uint32_t u32 = EV_UINT32_MAX;
	ev_uint64_t u64 = EV_UINT64_MAX;
	size_t size = EV_SIZE_MAX;

	cr_expect_eq(++u8, 0);
	cr_expect_eq(++u16, 0);
	cr_expect_eq(++u32, 0);
	cr_expect_eq(++u64, 0);
	cr_expect_eq(++size, 0);
	cr_expect_eq(EV_INT8_MAX, (ev_int8_t)(EV_UINT8_MAX / 2));
	cr_expect_eq(EV_INT16_MAX, (ev_int16_t)(EV_UINT16_MAX / 2));
	cr_expect_eq(EV_INT32_MAX, (ev_int32_t)(EV_UINT32_MAX / 2));
	cr_expect_eq(EV_INT64_MAX, (ev_int64_t)(EV_UINT64_MAX / 2));
	cr_expect_eq(EV_SSIZE_MAX, (ev_ssize_t)(EV_SIZE_MAX / 2));
	cr_expect_eq(EV_INT8_MIN, -EV_INT8_MAX - 1);
	cr_expect_eq(EV_INT16_MIN, -EV_INT16_MAX - 1);
	cr_expect_eq(EV_INT32_MIN, -EV_INT32_MAX - 1);
	cr_expect_eq(EV_INT64_MIN, -EV_INT64_MAX - 1);
	cr_expect_eq(EV_SSIZE_MIN, -EV_SSIZE_MAX - 1);
}

/* UTIL-003, UTIL-004 */
Test(util_types, offsets_and_sockets)
{
	cr_expect_eq(sizeof(ev_off_t), 8);
	cr_expect_lt((ev_off_t)-1, 0);
	cr_expect_eq(sizeof(evutil_socket_t), sizeof(int));
	cr_expect_eq(EVUTIL_INVALID_SOCKET, -1);
}

struct mixed {
	char a;
	double b;
	char c[3];
};

/* UTIL-005 */
Test(util_types, offsetof_is_that_of_the_language)
{
	cr_expect_eq(evutil_offsetof(struct mixed, a), offsetof(struct mixed, a));
	cr_expect_eq(evutil_offsetof(struct mixed, b), offsetof(struct mixed, b));
	cr_expect_eq(evutil_offsetof(struct mixed, c), offsetof(struct mixed, c));
}

static void expect_tv(struct timeval tv, long sec, long usec)
{
	cr_expect_eq(tv.tv_sec, sec);
	cr_expect_eq(tv.tv_usec, usec);
}

/* UTIL-006 */
Test(util_types, times_are_added_and_subtracted_exactly)
{
	struct timeval a = { 1, 500000 }, b = { 2, 700000 }, out;

	evutil_timeradd(&a, &b, &out);
	expect_tv(out, 4, 200000);
	evutil_timersub(&a, &b, &out);
	expect_tv(out, -2, 800000);
	evutil_timersub(&b, &a, &out);
	expect_tv(out, 1, 200000);
	evutil_timersub(&a, &a, &out);
	expect_tv(out, 0, 0);
	out = a;
	evutil_timeradd(&out, &b, &out);
	expect_tv(out, 4, 200000);
	out = b;
	evutil_timersub(&a, &out, &out);
	expect_tv(out, -2, 800000);
}

/* UTIL-007, UTIL-008 */
Test(util_types, times_are_compared_and_cleared)
{
	struct timeval a = { 1, 500000 }, b = { 1, 500001 }, c = { 2, 0 };

	cr_expect(evutil_timercmp(&a, &b, <));
	cr_expect(evutil_timercmp(&a, &b, <=));
	cr_expect(evutil_timercmp(&a, &b, !=));
	cr_expect_not(evutil_timercmp(&a, &b, ==));
	cr_expect_not(evutil_timercmp(&a, &b, >=));
	cr_expect_not(evutil_timercmp(&a, &b, >));
	cr_expect(evutil_timercmp(&c, &b, >));
	cr_expect(evutil_timercmp(&c, &b, >=));
	cr_expect(evutil_timercmp(&a, &a, ==));
	cr_expect(evutil_timercmp(&a, &a, <=));
	cr_expect(evutil_timercmp(&a, &a, >=));
	cr_expect_not(evutil_timercmp(&a, &a, !=));
	cr_expect(evutil_timerisset(&a));
	a = (struct timeval){ 0, 1 };
	cr_expect(evutil_timerisset(&a));
	evutil_timerclear(&a);
	cr_expect_not(evutil_timerisset(&a));
	expect_tv(a, 0, 0);
}
