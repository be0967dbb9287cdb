/* SPDX-License-Identifier: BSD-3-Clause */
/* Allocations refused, one after the other; nothing kept; many at once. */

#include "tls_test.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct tls_library *library;

/* What the TLS libraries keep for the process is made before anything is counted. */
static void warm_up(void)
{
	void *object;

	library = tls_library();
	object = library->object_new(1);
	cr_assert_not_null(object);
	library->object_free(object);
	object = library->object_new(0);
	library->object_free(object);
}

static void init(void)
{
	support_leak_init();
	warm_up();
}

TestSuite(tls_memory, .init = init, .fini = support_leak_fini, .timeout = 120);

/* One side; the object is freed by the bufferevent, or by the failing call. */
static struct bufferevent *make(struct event_base *base, evutil_socket_t fd, int is_server,
				int is_filter)
{
	enum bufferevent_ssl_state state =
		is_server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING;
	struct bufferevent *below, *bev;
	void *object;

	object = library->object_new(is_server);
	if (object == NULL)
		return NULL;
	if (!is_filter)
		return library->socket_new(base, fd, object, state, BEV_OPT_CLOSE_ON_FREE);
	below = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (below == NULL) {
		library->object_free(object);
		return NULL;
	}
	bev = library->filter_new(base, below, object, state, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		bufferevent_setfd(below, -1); /* as the socket type: nothing is closed */
		bufferevent_free(below);
	}
	return bev;
}

/* Handshake, a message, its answer, as far as it gets. Nonzero if it got to the end. */
static int talk(struct tls_side sides[2])
{
	struct event_base *base = bufferevent_get_base(sides[0].bev);
	char text[3000] = "";

	for (int i = 0; i < 2; i++) {
		bufferevent_enable(sides[i].bev, EV_READ);
		bufferevent_write(sides[i].bev, text, sizeof(text));
	}
	for (int i = 0; i < 200; i++) {
		size_t got = evbuffer_get_length(bufferevent_get_input(sides[0].bev)) +
			     evbuffer_get_length(bufferevent_get_input(sides[1].bev));

		if (got == 2 * sizeof(text))
			return 1;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	return 0;
}

/* Whatever is refused, nothing crashes, leaks or spins; and what was refused nothing works. */
static void try_with_refusal(long n, int is_filter, int *ret_refused)
{
	struct tls_side sides[2] = { { 0 }, { 0 } };
	struct event_base *base = support_base_new();
	evutil_socket_t fds[2];
	int got_through = 0;

	support_socketpair(fds);
	support_fail_once_after(n);
	for (int i = 0; i < 2; i++) {
		sides[i].bev = make(base, fds[i], i, is_filter);
		if (sides[i].bev == NULL)
			close(fds[i]);
		else
			tls_watch(&sides[i], sides[i].bev);
	}
	if (sides[0].bev != NULL && sides[1].bev != NULL)
		got_through = talk(sides);
	*ret_refused = support_has_refused();
	support_fail_once_after(-1);
	cr_assert(*ret_refused || got_through);
	for (int i = 0; i < 2; i++)
		if (sides[i].bev != NULL)
			bufferevent_free(sides[i].bev);
	event_base_free(base);
}

/* TLS-008, TLS-171, TLS-205, T11 */
Test(tls_memory, each_refused_allocation_is_survived)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		int refused = 1;

		for (long n = 0; refused; n++)
			try_with_refusal(n, is_filter, &refused);
	}
}

/* TLS-171 */
Test(tls_memory, a_context_without_memory_is_null)
{
	support_fail_all_after(0);
	cr_assert_null(bufferevent_mbedtls_dyncontext_new(NULL));
	if (library == &tls_mbedtls)
		cr_assert_null(library->object_new(0));
	support_fail_all_after(-1);
}

/* TLS-007, T18: as many blocks afterwards as before, however often. */
Test(tls_memory, handshakes_leave_nothing)
{
	struct event_base *base = support_base_new();
	long before = 0;

	for (int i = 0; i < 60; i++) {
		struct tls_side sides[2] = { { 0 }, { 0 } };
		evutil_socket_t fds[2];

		support_socketpair(fds);
		for (int j = 0; j < 2; j++)
			tls_watch(&sides[j], make(base, fds[j], j, i & 1));
		cr_assert(talk(sides));
		for (int j = 0; j < 2; j++)
			bufferevent_free(sides[j].bev);
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (i == 10)
			before = support_live_blocks();
		if (i > 10)
			/* the pool of chains may breathe */
			cr_assert_leq(support_live_blocks(), before + 4);
	}
	event_base_free(base);
}
