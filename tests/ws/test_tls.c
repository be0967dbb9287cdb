/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions over TLS, both ends ours. */

#include "tls_test.h"
#include "ws_test.h"

#include <netinet/in.h>
#include <sys/socket.h>

static int opened, status_seen;
static struct evws_connection *client;
static short last_event;

static struct bufferevent *accept_tls(struct event_base *loop, void *arg)
{
	(void)arg;
	return tls_library()->socket_new(loop, -1, tls_library()->object_new(1),
					 BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void open_tls(void)
{
	(void)tls_cert_pem(TLS_CERT_GOOD); /* made once, before anything is counted */
	ws_open();
	evhttp_set_bevcb(http, accept_tls, NULL);
}

TestSuite(ws_tls, .init = open_tls, .fini = ws_close, .timeout = 60);

static struct bufferevent *connect_tls(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct bufferevent *bev =
		tls_library()->socket_new(base, -1, tls_library()->object_new(0),
					  BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);

	cr_assert_not_null(bev);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name)), 0);
	return bev;
}

static void on_open(struct evws_connection *evws, int status, void *arg)
{
	(void)evws;
	(void)arg;
	opened++;
	status_seen = status;
}


/* WS-067, WS-073: handshake, messages, and the closing handshake. */
Test(ws_tls, client_and_server)
{
	static char data[300000];

	client = evws_client_new(base, connect_tls(), "localhost", "/ws", NULL, NULL, on_open,
				 ws_echo, NULL, 0);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, ws_note_close, NULL);
	ws_until(&opened, 1);
	cr_assert_eq(status_seen, 101);
	memset(data, 'x', sizeof(data));
	evws_send_binary(client, data, sizeof(data));
	ws_until(&ws_messages, 1);
	ws_echoes = 0;
	ws_until(&ws_messages, 2);
	evws_close(client, WS_CR_NORMAL);
	ws_until(&ws_closed, 2);
	cr_expect_str_eq(http_log, "session binary-300000 binary-300000 closed-1000 closed-1000");
}

static void note_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & BEV_EVENT_CONNECTED)
		return;
	last_event = what;
	*(int *)arg = 1;
}

/*
 * WS-067: close frame, then close_notify, then the end of the connection: the peer sees a clean
 * end.
 */
Test(ws_tls, orderly_end)
{
	struct bufferevent *bev = connect_tls();
	int has_ended = 0;
	struct evbuffer *input = bufferevent_get_input(bev);

	bufferevent_setcb(bev, NULL, NULL, note_event, &has_ended);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_write(bev, BYTES(WS_REQUEST "\r\n" CLOSE_1000));
	ws_until(&has_ended, 1);
	cr_expect_eq(last_event, BEV_EVENT_READING | BEV_EVENT_EOF);
	cr_expect_geq(evbuffer_search(input, BYTES("\x88\x02\x03\xe8"), NULL).pos, 0);
	bufferevent_free(bev);
	ws_until(&ws_closed, 1);
}

/* WS-064, WS-067: without close_notify it ends all the same. */
Test(ws_tls, cut_short)
{
	struct bufferevent *bev = connect_tls();

	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_write(bev, BYTES(WS_REQUEST "\r\n"));
	while (ws_session == NULL)
		event_base_loop(base, EVLOOP_ONCE);
	bufferevent_free(bev);
	ws_until(&ws_closed, 1);
	cr_expect_str_eq(http_log, "session closed-1006");
}

/* WS-067: a peer that broke a rule reads why, though it is sending still. */
Test(ws_tls, failed)
{
	static char data[1u << 20];
	struct bufferevent *bev = connect_tls();
	struct evbuffer *input = bufferevent_get_input(bev);
	int has_ended = 0;

	bufferevent_setcb(bev, NULL, NULL, note_event, &has_ended);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_write(bev, BYTES(WS_REQUEST "\r\n\x83\x80\0\0\0\0"));
	bufferevent_write(bev, data, sizeof(data));
	ws_until(&has_ended, 1);
	cr_expect_eq(last_event, BEV_EVENT_READING | BEV_EVENT_EOF);
	cr_expect_geq(evbuffer_search(input, BYTES("\x88\x02\x03\xea"), NULL).pos, 0);
	bufferevent_free(bev);
	ws_until(&ws_closed, 1);
}

static struct evhttp_failure failure;

static void on_no_open(struct evws_connection *evws, int status, void *arg)
{
	(void)arg;
	opened++;
	status_seen = status;
	failure = *evws_client_get_failure(evws);
	cr_expect_neq(failure.text[0], '\0');
}

/* WS-079: where it ends, and what the TLS library says of it. */
Test(ws_tls, server_without_tls)
{
	struct bufferevent *bev = connect_tls();

	evhttp_set_bevcb(http, NULL, NULL);
	cr_assert_not_null(
		evws_client_new(base, bev, "a", "/ws", NULL, NULL, on_no_open, ws_echo, NULL, 0));
	ws_until(&opened, 1);
	cr_expect_eq(status_seen, 0);
	cr_expect_eq(failure.stage, EVHTTP_STAGE_TLS);
	cr_expect_eq(failure.reason, EVREQ_HTTP_EOF);
	cr_expect_neq(failure.tls_error, 0);
}
