/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, owning and freeing TLS bufferevents, and their handshakes. */

#include "tls_test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_pair pair;

/* TLS-030, TLS-031, TLS-036 */
Test(tls_life, both_sides_are_told_once, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		tls_pair_connect(&pair);
		bufferevent_write(pair.client.bev, "ping", 4);
		tls_pair_receive(&pair, &pair.server, 4);
		cr_assert_eq(pair.client.connected, 1);
		cr_assert_eq(pair.server.connected, 1);
		tls_pair_fini(&pair);
	}
}

/* TLS-001, TLS-003, TLS-008, TLS-009, T10 */
Test(tls_life, bad_arguments_give_null_and_close_nothing, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();
	evutil_socket_t fds[2];
	void *object = library->object_new(0);

	support_socketpair(fds);
	cr_assert_null(library->socket_new(base, fds[0], object, BUFFEREVENT_SSL_CONNECTING,
					   BEV_OPT_UNLOCK_CALLBACKS));
	cr_assert_null(library->filter_new(base, NULL, object, BUFFEREVENT_SSL_CONNECTING, 0));
	cr_assert_null(library->socket_new(base, fds[0], NULL, BUFFEREVENT_SSL_CONNECTING, 0));
	cr_assert_null(library->socket_new(base, fds[0], object, BUFFEREVENT_SSL_CONNECTING,
					   BEV_OPT_UNLOCK_CALLBACKS | BEV_OPT_CLOSE_ON_FREE));
	cr_assert_eq(send(fds[0], "x", 1, 0), 1);
	close(fds[0]);
	close(fds[1]);
	event_base_free(base);
}

/* TLS-007, TLS-013, TLS-016, T10 */
Test(tls_life, without_close_on_free_all_stays_the_callers, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		void *object;

		tls_pair_init(&pair, is_filter, 0);
		tls_pair_connect(&pair);
		object = tls_library()->object_of(pair.client.bev);
		cr_assert_eq(bufferevent_getfd(pair.client.bev), pair.fds[0]);
		cr_assert_eq(bufferevent_get_underlying(pair.client.bev), pair.client.below);
		bufferevent_free(pair.client.bev);
		pair.client.bev = NULL;
		tls_library()->object_free(object);
		object = tls_library()->object_of(pair.server.bev);
		bufferevent_free(pair.server.bev);
		pair.server.bev = NULL;
		tls_library()->object_free(object);
		if (is_filter) {
			cr_assert_eq(bufferevent_get_enabled(pair.client.below),
				     EV_READ | EV_WRITE);
			bufferevent_free(pair.client.below);
			bufferevent_free(pair.server.below);
		}
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		tls_pair_fini(&pair);
		cr_assert_eq(send(pair.fds[0], "x", 1, MSG_NOSIGNAL), 1);
		close(pair.fds[0]);
		close(pair.fds[1]);
	}
}

static void free_all(struct bufferevent *bev, short what, void *arg)
{
	void *object = tls_library()->object_of(bev);
	int *is_done = arg;

	(void)what;
	bufferevent_free(bev);
	tls_library()->object_free(object);
	*is_done = 1;
}

/* TLS-007, TLS-036, T17 */
Test(tls_life, the_object_may_go_right_after_the_bufferevent, .timeout = 120)
{
	int is_done = 0;

	tls_pair_init(&pair, 0, 0);
	bufferevent_setcb(pair.client.bev, NULL, NULL, free_all, &is_done);
	support_run_until(pair.base, &is_done, TLS_TEST_WAIT_MS);
	event_base_loop(pair.base, EVLOOP_NONBLOCK);
	cr_assert_eq(is_done, 1);
}

/* TLS-015, TLS-119, TLS-125, TLS-126, TLS-160 */
Test(tls_life, other_bufferevents_are_told_apart, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	cr_assert_null(library->object_of(bev));
	cr_assert_eq(library->error_of(bev), 0);
	cr_assert_eq(library->get_dirty(bev), -1);
	library->set_dirty(bev, 1);
	cr_assert_eq(library->renegotiate(bev), -1);
	cr_assert_eq(bufferevent_ssl_get_flags(bev), EV_UINT64_MAX);
	cr_assert_eq(bufferevent_ssl_set_flags(bev, BUFFEREVENT_SSL_BATCH_WRITE), EV_UINT64_MAX);
	bufferevent_free(bev);
	event_base_free(base);
}

/* TLS-125, TLS-127, TLS-128, TLS-129, TLS-180 */
Test(tls_life, flags_answer_what_was_before, .timeout = 120)
{
	struct bufferevent *bev;

	tls_pair_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	bev = pair.client.bev;
	cr_assert_eq(bufferevent_ssl_get_flags(bev), 0);
	cr_assert_eq(tls_library()->get_dirty(bev), 0);
	tls_library()->set_dirty(bev, 5);
	cr_assert_eq(tls_library()->get_dirty(bev), 1);
	cr_assert_eq(bufferevent_ssl_set_flags(bev, BUFFEREVENT_SSL_BATCH_WRITE | 64),
		     BUFFEREVENT_SSL_DIRTY_SHUTDOWN);
	cr_assert_eq(bufferevent_ssl_set_flags(bev, 64), EV_UINT64_MAX);
	cr_assert_eq(bufferevent_ssl_clear_flags(bev, BUFFEREVENT_SSL_DIRTY_SHUTDOWN), 3);
	cr_assert_eq(bufferevent_ssl_get_flags(bev), BUFFEREVENT_SSL_BATCH_WRITE);
	tls_pair_fini(&pair);
}

/* TLS-040, TLS-115, TLS-116, TLS-177, T03 */
Test(tls_life, garbage_ends_the_handshake_with_one_error, .timeout = 120)
{
	/* Other protocols, nothing at all, an alert, a record of the greatest length. */
	static const struct {
		const char *bytes;
		size_t len;
	} garbage[] = {
		{ "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 },
		{ "\377\377\377\377\377\377\377\377", 8 },
		{ "\025\003\003\000\002\002\050", 7 },
		{ "\026\003\003\377\377\002\000\000", 8 },
	};

	for (size_t i = 0; i < 2 * sizeof(garbage) / sizeof(garbage[0]); i++) {
		tls_pair_init(&pair, i & 1, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_free(pair.server.bev);
		pair.server.bev = NULL;
		support_socketpair(pair.fds);
		bufferevent_setfd(pair.client.bev, pair.fds[0]);
		cr_assert_gt(send(pair.fds[1], garbage[i / 2].bytes, garbage[i / 2].len, 0), 0);
		support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.connected, 0);
		cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		cr_assert_neq(pair.client.code, 0);
		close(pair.fds[1]);
		tls_pair_fini(&pair);
	}
}

/* TLS-135, TLS-137, TLS-138, T04 */
Test(tls_life, a_silent_peer_times_out_once, .timeout = 120)
{
	struct timeval soon = { 0, 20000 };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_disable(pair.server.bev, EV_READ | EV_WRITE);
		bufferevent_set_timeouts(pair.client.bev, &soon, NULL);
		support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_TIMEOUT);
		cr_assert_eq(bufferevent_get_enabled(pair.client.bev) & EV_READ, 0);
		bufferevent_enable(pair.server.bev, EV_READ | EV_WRITE);
		bufferevent_set_timeouts(pair.client.bev, NULL, NULL);
		bufferevent_enable(pair.client.bev, EV_READ);
		tls_pair_connect(&pair);
		tls_pair_fini(&pair);
	}
}

/* TLS-155, TLS-156, TLS-157, TLS-159 */
Test(tls_life, a_new_descriptor_means_a_new_handshake, .timeout = 120)
{
	tls_pair_init(&pair, 0, 0);
	tls_pair_connect(&pair);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(bufferevent_setfd(pair.client.bev, -1), 0);
		cr_assert_eq(bufferevent_setfd(pair.server.bev, -1), 0);
		cr_assert_eq(bufferevent_getfd(pair.client.bev), -1);
		close(pair.fds[0]);
		close(pair.fds[1]);
		support_socketpair(pair.fds);
		pair.client.connected = pair.server.connected = 0;
		cr_assert_eq(bufferevent_setfd(pair.client.bev, pair.fds[0]), 0);
		cr_assert_eq(bufferevent_setfd(pair.server.bev, pair.fds[1]), 0);
		tls_pair_connect(&pair);
		bufferevent_write(pair.client.bev, "ping", 4);
		tls_pair_receive(&pair, &pair.server, 4 * (size_t)(i + 1));
	}
	cr_assert_eq(pair.client.events, 0);
	cr_assert_eq(pair.server.events, 0);
}

/* Frees the bufferevent and its object from inside, and takes the object into a new one. */
static void take_over(struct bufferevent *bev, short what, void *arg)
{
	const struct tls_library *library = tls_library();
	void *object = library->object_of(bev);

	(void)arg;
	cr_assert(what & BEV_EVENT_CONNECTED);
	bufferevent_free(bev);
	bev = library->socket_new(pair.base, pair.fds[0], object, BUFFEREVENT_SSL_OPEN,
				  BEV_OPT_CLOSE_ON_FREE);
	tls_watch(&pair.client, bev);
	bufferevent_enable(bev, EV_READ);
	pair.client.connected++;
}

/* TLS-004, TLS-006, TLS-036 */
Test(tls_life, a_new_bufferevent_takes_an_open_object_over, .timeout = 120)
{
	tls_pair_init(&pair, 0, 0);
	bufferevent_setcb(pair.client.bev, NULL, NULL, take_over, NULL);
	tls_pair_connect(&pair);
	bufferevent_write(pair.client.bev, "ping", 4);
	tls_pair_receive(&pair, &pair.server, 4);
	bufferevent_write(pair.server.bev, "pong!", 5);
	tls_pair_receive(&pair, &pair.client, 5);
	cr_assert_eq(pair.client.connected, 1);
}
