/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and closing from other threads, with BEV_OPT_THREADSAFE. */

#include "ws_test.h"

#include <event2/thread.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#define THREADS  4
#define MESSAGES 500

static pthread_t loop_thread;
static int opened;
static int next_of[THREADS]; /* what is to come from each thread */
static int received;
static int is_out_of_order;
static struct evws_connection *client;

static void open_threads(void)
{
	(void)evthread_use_pthreads();
	ws_open();
	ws_options = BEV_OPT_THREADSAFE;
	loop_thread = pthread_self();
}

TestSuite(ws_threads, .init = open_threads, .fini = ws_close, .timeout = 60);

static void on_open(struct evws_connection *evws, int status, void *arg)
{
	(void)evws;
	(void)arg;
	opened = status == 101;
}

/* "THREAD NUMBER" */
static void on_message(struct evws_connection *evws, int type, const unsigned char *data,
		       size_t len, void *arg)
{
	char text[64];
	int thread, number;

	(void)evws;
	(void)type;
	(void)arg;
	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
	received++;
	if (sscanf(text, "%d %d", &thread, &number) != 2 || number != next_of[thread]++ ||
	    !pthread_equal(pthread_self(), loop_thread))
		is_out_of_order = 1;
}

static void connect_client(int options)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = evws_client_new(base, bev, "a", "/ws", NULL, NULL, on_open, on_message, NULL,
				 options);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, ws_note_close, NULL);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name)), 0);
	ws_until(&opened, 1);
}

struct sender {
	pthread_t thread;
	int number;
	struct evws_connection *evws;
};

static void *send_many(void *arg)
{
	struct sender *sender = arg;

	for (int i = 0; i < MESSAGES; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%d %d", sender->number, i);
		if (i % 2)
			evws_send_text(sender->evws, text);
		else
			evws_send_binary(sender->evws, text, strlen(text));
	}
	return NULL;
}

static void run_senders(void)
{
	struct sender senders[THREADS];

	for (int i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){ .number = i, .evws = ws_session };
		cr_assert_eq(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
	}
	ws_until(&received, THREADS * MESSAGES);
	for (int i = 0; i < THREADS; i++)
		pthread_join(senders[i].thread, NULL);
	cr_expect(!is_out_of_order);
	cr_expect_eq(received, THREADS * MESSAGES);
}

/* WS-004, WS-072 */
Test(ws_threads, sends)
{
	connect_client(0);
	run_senders();
	evws_connection_free(client);
	ws_until(&ws_closed, 2);
}

/* WS-004, WS-072: the order of compression is the order on the wire. */
Test(ws_threads, compressed_sends)
{
	ws_options |= EVWS_OPT_DEFLATE;
	connect_client(EVWS_OPT_DEFLATE | BEV_OPT_THREADSAFE);
	run_senders();
	evws_connection_free(client);
	ws_until(&ws_closed, 2);
}

/* A session goes when its close callback returns, so that waits for threads that still use it. */
static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER;

static void wait_for_users(struct evws_connection *evws)
{
	(void)evws;
	pthread_mutex_lock(&in_use);
	pthread_mutex_unlock(&in_use);
}

static void *send_and_close(void *arg)
{
	pthread_mutex_lock(&in_use);
	evws_send_text(arg, "0 0");
	evws_close(arg, 1001);
	evws_send_text(arg, "0 1");
	evws_close(arg, 1002);
	pthread_mutex_unlock(&in_use);
	return NULL;
}

/*
 * WS-007, WS-016, WS-072: what was sent before goes out before, nothing behind; it wakes the loop.
 */
Test(ws_threads, close)
{
	pthread_t thread;

	ws_on_close = wait_for_users;
	connect_client(0);
	cr_assert_eq(pthread_create(&thread, NULL, send_and_close, ws_session), 0);
	ws_until(&ws_closed, 2);
	pthread_join(thread, NULL);
	cr_expect_eq(received, 1);
	cr_expect_str_eq(http_log, "session closed-1001 closed-1001");
}

/*
 * WS-015, WS-055: replies of a callback go out before the answer to the close frame behind the
 * message.
 */
Test(ws_threads, replies_before_close)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send_text(&peer, "one");
	ws_send_text(&peer, "two");
	ws_send(&peer, WS_FINAL | WS_CLOSE, "\x03\xe8", 2);
	ws_expect_frame(&peer, WS_FINAL | WS_TEXT_FRAME, "one", 3);
	ws_expect_frame(&peer, WS_FINAL | WS_TEXT_FRAME, "two", 3);
	ws_expect_close(&peer, 1000);
	ws_expect_end(&peer);
	ws_peer_close(&peer);
	ws_until(&ws_closed, 1);
}

/* WS-015, WS-049: and before pongs; WS-004: the bufferevent may be asked as ever. */
Test(ws_threads, replies_before_pong)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	cr_expect_not_null(evws_connection_get_bufferevent(ws_session));
	ws_send_text(&peer, "one");
	ws_send(&peer, WS_FINAL | WS_PING, "p", 1);
	ws_expect_frame(&peer, WS_FINAL | WS_TEXT_FRAME, "one", 3);
	ws_expect_frame(&peer, WS_FINAL | WS_PONG, "p", 1);
	ws_peer_close(&peer);
}

/* What other threads have sent does not go to a peer that has too much before it. */
Test(ws_threads, what_may_wait_is_limited)
{
	static char data[16u << 20];
	struct ws_peer peer;
	struct evbuffer *out;

	ws_peer_open(&peer, NULL);
	out = bufferevent_get_output(evws_connection_get_bufferevent(ws_session));
	evws_connection_set_max_output(ws_session, 1000);
	bufferevent_disable(peer.peer->bev, EV_READ);
	evws_send_binary(ws_session, data, sizeof(data));
	while (evbuffer_get_length(out) == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ws_wait(20);
	evws_send_binary(ws_session, data, sizeof(data));
	ws_wait(20);
	cr_expect_gt(evbuffer_get_length(out), 1000);
	cr_expect_leq(evbuffer_get_length(out), sizeof(data));
	ws_until(&ws_closed, 1);
	ws_peer_close(&peer);
	cr_expect_str_eq(http_log, "session closed-1006");
}
