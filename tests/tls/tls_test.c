/* SPDX-License-Identifier: BSD-3-Clause */
/* A client and a server over a socket pair, with what they see counted. */

#include "tls_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct tls_library *tls_library(void)
{
	const char *name = getenv("TLS_TEST_LIBRARY");

	return name != NULL && strcmp(name, "mbedtls") == 0 ? &tls_mbedtls : &tls_openssl;
}

int tls_is_13(void)
{
	const char *version = getenv("TLS_TEST_VERSION");

	return tls_library() == &tls_openssl && (version == NULL || strcmp(version, "1.2") != 0);
}

/* What runs at the end of a round does not end EVLOOP_ONCE by itself. */
static void let_look(struct bufferevent *bev)
{
	event_base_loopbreak(bufferevent_get_base(bev));
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct tls_side *side = arg;

	side->reads++;
	let_look(bev);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct tls_side *side = arg;

	side->writes++;
	let_look(bev);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct tls_side *side = arg;

	let_look(bev);
	if (what & BEV_EVENT_CONNECTED) {
		side->connected++;
		return;
	}
	side->err = EVUTIL_SOCKET_ERROR();
	side->code = tls_library()->error_of(bev);
	if (side->events++ == 0)
		side->first_event = what;
	side->last_event = what;
	side->is_ended = 1;
}

void tls_watch(struct tls_side *side, struct bufferevent *bev)
{
	cr_assert_not_null(bev);
	side->bev = bev;
	bufferevent_setcb(bev, on_read, on_write, on_event, side);
}

static void make_side(struct tls_pair *pair, struct tls_side *side, const struct tls_setup *setup,
		      int is_filter, int options)
{
	int is_server = setup->is_server;
	const struct tls_library *library = tls_library();
	enum bufferevent_ssl_state state =
		is_server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING;
	void *object = library->object_with(setup);
	struct bufferevent *bev;

	cr_assert_not_null(object);
	if (is_filter) {
		side->below = bufferevent_socket_new(pair->base, pair->fds[is_server],
						     options & BEV_OPT_CLOSE_ON_FREE);
		bev = library->filter_new(pair->base, side->below, object, state, options);
	} else {
		bev = library->socket_new(pair->base, pair->fds[is_server], object, state, options);
	}
	tls_watch(side, bev);
	bufferevent_enable(bev, EV_READ);
}

void tls_pair_init_with(struct tls_pair *pair, int is_filter, int options,
			const struct tls_setup *client, const struct tls_setup *server)
{
	static const struct tls_setup plain_client, plain_server = { .is_server = 1 };

	memset(pair, 0, sizeof(*pair));
	pair->base = support_base_new();
	pair->wire[0] = pair->wire[1] = -1;
	support_socketpair(pair->fds);
	make_side(pair, &pair->client, client != NULL ? client : &plain_client, is_filter, options);
	make_side(pair, &pair->server, server != NULL ? server : &plain_server, is_filter, options);
}

void tls_pair_init(struct tls_pair *pair, int is_filter, int options)
{
	tls_pair_init_with(pair, is_filter, options, NULL, NULL);
}

/* --- The wire --------------------------------------------------------------------------------- */

void tls_wire_init(struct tls_pair *pair, int is_filter, int options)
{
	static const struct tls_setup client, server = { .is_server = 1 };
	evutil_socket_t ends[2][2];

	memset(pair, 0, sizeof(*pair));
	pair->base = support_base_new();
	for (int i = 0; i < 2; i++) {
		support_socketpair(ends[i]);
		pair->fds[i] = ends[i][0];
		pair->wire[i] = ends[i][1];
	}
	make_side(pair, &pair->client, &client, is_filter, options);
	make_side(pair, &pair->server, &server, is_filter, options);
}

size_t tls_wire_move(struct tls_pair *pair, int from, size_t max)
{
	char data[16384];
	ssize_t n;

	n = recv(pair->wire[from], data, max < sizeof(data) ? max : sizeof(data), 0);
	if (n <= 0)
		return 0;
	cr_assert_eq(send(pair->wire[!from], data, (size_t)n, MSG_NOSIGNAL), n);
	return (size_t)n;
}

size_t tls_wire_count_records(struct tls_pair *pair, int from)
{
	static unsigned char data[1 << 18];
	size_t len = 0, count = 0, at = 0;
	ssize_t n;

	for (int i = 0; i < 5; i++) {
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
		while ((n = recv(pair->wire[from], data + len, sizeof(data) - len, 0)) > 0)
			len += (size_t)n;
	}
	for (; at + 5 <= len; at += 5 + (size_t)(data[at + 3] << 8 | data[at + 4]))
		count += data[at] == 23; /* application data: RFC 8446 section 5.1 */
	cr_assert_eq(at, len);
	return count;
}

void tls_pair_settle(struct tls_pair *pair)
{
	int quiet = 0;

	while (quiet < 5) {
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
		quiet++;
		for (int i = 0; pair->wire[0] >= 0 && i < 2; i++)
			while (tls_wire_move(pair, i, SIZE_MAX) > 0)
				quiet = 0;
	}
}

void tls_wire_connect(struct tls_pair *pair)
{
	double end = support_now_ms() + TLS_TEST_WAIT_MS;

	while (!pair->client.connected || !pair->server.connected) {
		cr_assert_lt(support_now_ms(), end);
		tls_pair_settle(pair);
	}
}

/* --- Running ---------------------------------------------------------------------------------- */

void tls_pair_connect(struct tls_pair *pair)
{
	support_run_until(pair->base, &pair->client.connected, TLS_TEST_WAIT_MS);
	support_run_until(pair->base, &pair->server.connected, TLS_TEST_WAIT_MS);
}

void tls_pair_receive(struct tls_pair *pair, struct tls_side *side, size_t len)
{
	double end = support_now_ms() + TLS_TEST_WAIT_MS;

	while (evbuffer_get_length(bufferevent_get_input(side->bev)) < len) {
		cr_assert_lt(support_now_ms(), end);
		cr_assert_eq(event_base_loop(pair->base, EVLOOP_ONCE), 0);
	}
}

void tls_pair_fini(struct tls_pair *pair)
{
	if (pair->client.bev != NULL)
		bufferevent_free(pair->client.bev);
	if (pair->server.bev != NULL)
		bufferevent_free(pair->server.bev);
	for (int i = 0; i < 2; i++)
		if (pair->wire[i] >= 0)
			close(pair->wire[i]);
	event_base_free(pair->base);
}

void tls_write_pattern(struct bufferevent *bev, size_t len)
{
	unsigned char *data = malloc(len);

	cr_assert_not_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (unsigned char)(i * 7 % 251);
	cr_assert_eq(bufferevent_write(bev, data, len), 0);
	free(data);
}

void tls_check_pattern(struct bufferevent *bev, size_t len)
{
	const unsigned char *data = evbuffer_pullup(bufferevent_get_input(bev), -1);

	cr_assert_eq(evbuffer_get_length(bufferevent_get_input(bev)), len);
	for (size_t i = 0; i < len; i++) {
		if (data[i] != i * 7 % 251)
			cr_assert_fail("byte %zu differs", i);
	}
}
