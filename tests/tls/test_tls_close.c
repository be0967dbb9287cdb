/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections end, and what is reported. */

#include "tls_test.h"

#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct tls_pair pair;

static void start(int is_filter)
{
	tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
}

static void free_client(void)
{
	bufferevent_free(pair.client.bev);
	pair.client.bev = NULL;
}

/* What comes after the first event, if anything. */
static void settle(struct tls_side *side)
{
	support_run_until(pair.base, &side->is_ended, TLS_TEST_WAIT_MS);
	for (int i = 0; i < 10; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
}

/* TLS-092, TLS-094, TLS-095, TLS-101, TLS-103 */
Test(tls_close, an_end_without_goodbye_is_an_error, .timeout = 30)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		free_client();
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		tls_pair_fini(&pair);
	}
}

/* TLS-093, TLS-094, TLS-175 */
Test(tls_close, a_dirty_end_is_an_end_if_allowed, .timeout = 30)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		tls_library()->set_dirty(pair.server.bev, 1);
		/* a socket closed with unread bytes, such as session tickets, resets */
		bufferevent_write(pair.server.bev, "x", 1);
		tls_pair_receive(&pair, &pair.client, 1);
		free_client();
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
		tls_pair_fini(&pair);
	}
}

/* TLS-060, TLS-061, TLS-090, TLS-097, TLS-102, TLS-175 */
Test(tls_close, data_then_goodbye_then_end_give_one_eof, .timeout = 30)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		bufferevent_write(pair.client.bev, "last", 4);
		tls_pair_receive(&pair, &pair.server, 4);
		tls_library()->say_goodbye(tls_library()->object_of(pair.client.bev));
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
		free_client();
		for (int i = 0; i < 10; i++)
			event_base_loop(pair.base, EVLOOP_NONBLOCK);
		cr_assert_eq(pair.server.events, 1);
		tls_pair_fini(&pair);
	}
}

/* TLS-091 */
Test(tls_close, writing_goes_on_after_the_peers_goodbye, .timeout = 30)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		tls_library()->say_goodbye(tls_library()->object_of(pair.client.bev));
		settle(&pair.server);
		bufferevent_write(pair.server.bev, "still", 5);
		tls_pair_receive(&pair, &pair.client, 5);
		cr_assert_eq(pair.client.events, 0);
		tls_pair_fini(&pair);
	}
}

/* TLS-041 */
Test(tls_close, an_end_in_the_handshake_is_one_event, .timeout = 30)
{
	for (int i = 0; i < 4; i++) {
		tls_pair_init(&pair, i & 1, BEV_OPT_CLOSE_ON_FREE);
		tls_library()->set_dirty(pair.client.bev, i & 2);
		shutdown(pair.fds[1], SHUT_WR);
		bufferevent_disable(pair.server.bev, EV_READ | EV_WRITE);
		settle(&pair.client);
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.connected, 0);
		cr_assert_eq(pair.client.first_event,
			     BEV_EVENT_READING | (i & 2 ? BEV_EVENT_EOF : BEV_EVENT_ERROR));
		tls_pair_fini(&pair);
	}
}

/* TLS-098, TLS-099, TLS-079 */
Test(tls_close, nothing_waits_after_an_error, .timeout = 30)
{
	start(0);
	free_client();
	settle(&pair.server);
	cr_assert_eq(bufferevent_get_enabled(pair.server.bev), 0);
	bufferevent_write(pair.server.bev, "kept", 4);
	support_run(pair.base, 1000);
	cr_assert_eq(evbuffer_get_length(bufferevent_get_output(pair.server.bev)), 4);
	cr_assert_eq(pair.server.events, 1);
	tls_pair_fini(&pair);
}

/* TLS-042, TLS-044 */
Test(tls_close, a_refused_connection_is_one_error, .timeout = 30)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		struct event_base *base = support_base_new();
		struct tls_side side = { 0 };
		ev_uint16_t port;
		evutil_socket_t fd = support_listen(&port);
		void *object = tls_library()->object_new(0);

		evutil_closesocket(fd);
		to.sin_port = htons(port);
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (is_filter) {
			side.below = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
			tls_watch(&side, tls_library()->filter_new(base, side.below, object,
								   BUFFEREVENT_SSL_CONNECTING,
								   BEV_OPT_CLOSE_ON_FREE));
		} else {
			tls_watch(&side, tls_library()->socket_new(base, -1, object,
								   BUFFEREVENT_SSL_CONNECTING,
								   BEV_OPT_CLOSE_ON_FREE));
		}
		cr_assert_eq(bufferevent_socket_connect(side.bev, (struct sockaddr *)&to, sizeof(to)), 0);
		support_run_until(base, &side.is_ended, TLS_TEST_WAIT_MS);
		event_base_loop(base, EVLOOP_NONBLOCK);
		cr_assert_eq(side.events, 1);
		cr_assert(side.first_event & BEV_EVENT_ERROR);
		cr_assert_eq(side.err, ECONNREFUSED);
		bufferevent_free(side.bev);
		event_base_free(base);
	}
}
