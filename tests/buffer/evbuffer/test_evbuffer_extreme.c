/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes at the end of their type, a million small pieces, files that change, threads at frozen
 * buffers.
 */

#include "evbuffer_test.h"

#include <event2/event.h>
#include <event2/thread.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(evbuffer_extreme, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

#define HALF (SIZE_MAX / 2 - 10)

/* BUF-360, B02 */
Test(evbuffer_extreme, references_whose_sum_would_wrap_are_refused)
{
	struct evbuffer *buf = buffer_of("x"), *other = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference(buf, "y", SIZE_MAX, NULL, NULL), -1);
	cr_assert_eq(evbuffer_add_reference(buf, "y", HALF, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add_reference(buf, "y", HALF, NULL, NULL), 0);
	cr_assert_eq(evbuffer_get_length(buf), 2 * HALF + 1);
	cr_assert_eq(evbuffer_add_reference(buf, "y", 21, NULL, NULL), -1);

	cr_assert_eq(evbuffer_add_reference(other, "z", HALF, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add_buffer(buf, other), -1);
	cr_assert_eq(evbuffer_prepend_buffer(buf, other), -1);
	cr_assert_eq(evbuffer_add_buffer_reference(buf, other), -1);
	cr_assert_eq(evbuffer_get_length(buf), 2 * HALF + 1);
	cr_assert_eq(evbuffer_get_length(other), HALF);
	evbuffer_free(buf);
	evbuffer_free(other);
}

/* BUF-070, BUF-023, B03 */
Test(evbuffer_extreme, sharing_with_a_buffer_that_has_only_an_empty_piece)
{
	struct evbuffer *from = buffer_of("shared"), *to = evbuffer_new(), *none = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference(to, "", 0, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add_reference(none, "", 0, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(to, none), 0);
	cr_assert_eq(evbuffer_get_length(to), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(to, from), 0);
	cr_assert_eq(evbuffer_drain(from, 6), 0);
	cr_assert_eq(evbuffer_add(from, "other bytes", 11), 0);
	evbuffer_free(from);
	expect_text(to, "shared");
	cr_assert_eq(evbuffer_add(to, "!", 1), 0);
	expect_text(to, "shared!");
	evbuffer_free(to);
	evbuffer_free(none);
}

/* A file's descriptor for the library, another for the test. */
static int file_of(const char *text, int *own)
{
	FILE *stream = tmpfile();
	int fd;

	cr_assert_not_null(stream);
	cr_assert_eq(fputs(text, stream) >= 0, 1);
	cr_assert_eq(fflush(stream), 0);
	fd = dup(fileno(stream));
	*own = dup(fd);
	fclose(stream);
	cr_assert_geq(*own, 0);
	return fd;
}

/* BUF-133, B06: on a mapping the last of these looks would be a SIGBUS. */
Test(evbuffer_extreme, a_file_cut_short_while_it_is_queued_kills_nobody)
{
	int own, fd = file_of("0123456789", &own);
	struct evbuffer *buf = evbuffer_new();
	char out[10];

	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 10), 0);
	cr_assert_eq(ftruncate(own, 0), 0);
	(void)evbuffer_copyout(buf, out, sizeof(out));
	(void)evbuffer_pullup(buf, -1);
	cr_assert_eq(evbuffer_get_length(buf), 10);
	cr_assert_eq(evbuffer_drain(buf, 10), 0);
	evbuffer_free(buf);
	close(own);
}

/* BUF-111, B06 */
Test(evbuffer_extreme, a_file_that_grows_has_the_bytes_it_had)
{
	int own, fd = file_of("0123456789", &own);
	struct evbuffer *buf = evbuffer_new();

	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, -1), 0);
	cr_assert_eq(pwrite(own, "more", 4, 10), 4);
	expect_text(buf, "0123456789");
	evbuffer_free(buf);
	close(own);
}

/* What the library holds, in bytes that it asked for. */
static size_t held;

union header {
	size_t size;
	max_align_t align;
};

static void *count_malloc(size_t size)
{
	union header *h = malloc(sizeof(*h) + size);

	if (h == NULL)
		return NULL;
	h->size = size;
	held += size;
	return h + 1;
}

static void count_free(void *block)
{
	union header *h = block;

	if (h == NULL)
		return;
	held -= h[-1].size;
	free(h - 1);
}

static void *count_realloc(void *block, size_t size)
{
	union header *h = block;
	void *fresh = count_malloc(size);

	if (fresh != NULL && h != NULL) {
		memcpy(fresh, block, h[-1].size < size ? h[-1].size : size);
		count_free(block);
	}
	return fresh;
}

TestSuite(evbuffer_many, .timeout = 60);

#define MANY 1000000

/* BUF-025, B09: a walk over the pieces for each call would not end within the time limit. */
Test(evbuffer_many, small_pieces_cost_little_memory_each)
{
	struct evbuffer *buf;

	event_set_mem_functions(count_malloc, count_realloc, count_free);
	buf = evbuffer_new();
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	cr_assert_leq(held, MANY + MANY / 4, "%zu bytes for %d appends", held, MANY);
	evbuffer_drain(buf, MANY);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(evbuffer_prepend(buf, "x", 1), 0);
	cr_assert_leq(held, MANY + MANY / 4, "%zu bytes for %d prepends", held, MANY);
	evbuffer_drain(buf, MANY);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(evbuffer_add_reference(buf, "x", 1, NULL, NULL), 0);
	cr_assert_leq(held, (size_t)MANY * 128, "%zu bytes for %d references", held, MANY);
	cr_assert_eq(evbuffer_get_length(buf), MANY);
	evbuffer_free(buf);
	cr_assert_eq(held, 0);
}

struct shared {
	struct evbuffer *buf;
	struct event_base *base;
	int rounds;
};

static void *freeze_and_add(void *arg)
{
	struct shared *s = arg;
	char data[11];

	for (int i = 0; i < 5000; i++) {
		evbuffer_freeze(s->buf, 0);
		(void)evbuffer_add(s->buf, "refused by one thread, or added by another", 42);
		evbuffer_unfreeze(s->buf, 0);
		(void)evbuffer_add_printf(s->buf, "%d", i % 10);
		(void)evbuffer_drain(s->buf, 10);
		(void)evbuffer_remove(s->buf, data, sizeof(data));
		(void)evbuffer_prepend(s->buf, "p", 1);
		(void)evbuffer_copyout(s->buf, data, sizeof(data));
		(void)evbuffer_pullup(s->buf, 1);
	}
	return NULL;
}

static void on_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct shared *s = arg;

	(void)info;
	s->rounds++;
	(void)evbuffer_get_length(buf);
}

/* BUF-013, BUF-324, BUF-340, B11: lock debugging ends the process at an unlock without its lock. */
Test(evbuffer_extreme, threads_freezing_adding_and_deferring_keep_the_lock_in_order)
{
	struct shared s = { 0 };
	pthread_t threads[3];

	cr_assert_eq(evthread_use_pthreads(), 0);
	evthread_enable_lock_debugging();
	s.base = event_base_new();
	s.buf = evbuffer_new();
	cr_assert_eq(evbuffer_enable_locking(s.buf, NULL), 0);
	cr_assert_eq(evbuffer_defer_callbacks(s.buf, s.base), 0);
	evbuffer_add_cb(s.buf, on_change, &s);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, freeze_and_add, &s), 0);
	for (int i = 0; i < 100; i++)
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	event_base_loop(s.base, EVLOOP_NONBLOCK);
	cr_assert_gt(s.rounds, 0);
	cr_assert_eq(evbuffer_add(s.buf, "x", 1), 0);
	evbuffer_free(s.buf);
	event_base_loop(s.base, EVLOOP_NONBLOCK);
	event_base_free(s.base);
	libevent_global_shutdown();
}
