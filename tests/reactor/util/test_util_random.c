/* SPDX-License-Identifier: BSD-3-Clause */
/* Secure random numbers. */

#include "support.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(util_random, .timeout = 60);

/* UTIL-087 */
Test(util_random, exactly_the_bytes_asked_for_are_filled_at_any_alignment)
{
	for (size_t start = 0; start < 8; start++)
		for (size_t len = 0; len < 40; len++) {
			unsigned char buf[64], ever[64] = { 0 };

			for (int round = 0; round < 8; round++) {
				memset(buf, 0, sizeof(buf));
				evutil_secure_rng_get_bytes(buf + start, len);
				for (size_t i = 0; i < sizeof(buf); i++)
					ever[i] |= buf[i];
			}
			for (size_t i = 0; i < sizeof(buf); i++)
				cr_expect_eq(ever[i] != 0, i >= start && i < start + len);
		}
	evutil_secure_rng_get_bytes(NULL, 0);
}

/* UTIL-087, UTIL-093 */
Test(util_random, every_bit_is_about_as_often_set_as_not)
{
	int ones[32 * 8] = { 0 };

	for (int round = 0; round < 1000; round++) {
		unsigned char buf[32];

		evutil_secure_rng_get_bytes(buf, sizeof(buf));
		for (size_t bit = 0; bit < sizeof(buf) * 8; bit++)
			ones[bit] += buf[bit / 8] >> bit % 8 & 1;
	}
	for (size_t bit = 0; bit < sizeof(ones) / sizeof(ones[0]); bit++) {
		cr_expect_gt(ones[bit], 350); /* nine standard deviations */
		cr_expect_lt(ones[bit], 650);
	}
}

/* UTIL-088, UTIL-089, UTIL-090, UTIL-135 */
Test(util_random, init_may_be_repeated_and_additions_do_no_harm)
{
	char device[] = "/dev/zero", extra[] = "extra";
	unsigned char buf[16], zeros[16] = { 0 };

	cr_expect_eq(evutil_secure_rng_init(), 0);
	cr_expect_eq(evutil_secure_rng_init(), 0);
	evutil_secure_rng_add_bytes(extra, sizeof(extra));
	evutil_secure_rng_add_bytes(NULL, 0);
	cr_expect_eq(evutil_secure_rng_set_urandom_device_file(device), -1);
	evutil_secure_rng_get_bytes(buf, sizeof(buf));
	cr_expect_neq(memcmp(buf, zeros, sizeof(buf)), 0);
}

/* UTIL-091; U04 */
Test(util_random, parent_and_child_differ_after_a_fork)
{
	unsigned char ours[32], theirs[32];
	int pipes[2], status;
	pid_t child;

	evutil_secure_rng_get_bytes(ours, sizeof(ours));
	cr_assert_eq(pipe(pipes), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		evutil_secure_rng_get_bytes(theirs, sizeof(theirs));
		_exit(write(pipes[1], theirs, sizeof(theirs)) != sizeof(theirs));
	}
	evutil_secure_rng_get_bytes(ours, sizeof(ours));
	cr_assert_eq(read(pipes[0], theirs, sizeof(theirs)), sizeof(theirs));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_expect_neq(memcmp(ours, theirs, sizeof(ours)), 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void *fill(void *arg)
{
	for (int i = 0; i < 200; i++)
		evutil_secure_rng_get_bytes(arg, 64);
	return NULL;
}

/* UTIL-091 */
Test(util_random, threads_need_no_set_up)
{
	static unsigned char bufs[4][64];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, fill, bufs[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int a = 0; a < 4; a++)
		for (int b = 0; b < a; b++)
			cr_expect_neq(memcmp(bufs[a], bufs[b], 64), 0);
}
