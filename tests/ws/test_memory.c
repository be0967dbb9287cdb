/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each allocation refused in turn, and from then on, during a whole life of a server's and a
 * client's session: whatever happens, every session ends, once, and nothing leaks.
 */

#include "ws_test.h"

#include <event2/thread.h>

#include <netinet/in.h>
#include <sys/socket.h>

/* More than a life needs. */
#define REQUESTS_MAX 600

static int opened, client_ends, is_over;
static struct evws_connection *client;

static void open_quiet(void)
{
	(void)evthread_use_pthreads();
	support_capture_log();
	ws_open();
	ws_echoes = 0;
}

TestSuite(ws_memory, .init = open_quiet, .fini = ws_close, .timeout = 120);

static void on_open(struct evws_connection *evws, int status, void *arg)
{
	char data[3000];

	(void)arg;
	opened++;
	if (status != 101) {
		client_ends++;
		is_over = 1;
		return;
	}
	memset(data, 'x', sizeof(data));
	evws_send_text(evws, "text");
	evws_send_binary(evws, data, sizeof(data));
}

static void on_client_message(struct evws_connection *evws, int type, const unsigned char *data,
			      size_t len, void *arg)
{
	(void)type;
	(void)data;
	(void)arg;
	if (len > 10)
		evws_close(evws, WS_CR_NORMAL);
}

static void on_client_close(struct evws_connection *evws, void *arg)
{
	(void)evws;
	(void)arg;
	client_ends++;
	is_over = 1;
}

static void on_server_message(struct evws_connection *evws, int type, const unsigned char *data,
			      size_t len, void *arg)
{
	(void)type;
	(void)arg;
	evws_send_binary(evws, (const char *)data, len);
}

static void upgrade(struct evhttp_request *req, void *arg)
{
	struct evws_connection *evws = evws_new_session(req, on_server_message, arg, ws_options);

	if (evws != NULL) {
		http_done++;
		evws_connection_set_closecb(evws, ws_note_close, NULL);
	}
}

static void give_up_waiting(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	/* The server had no memory to accept or to answer, so nobody ends it: the program does. */
	if (client != NULL && !is_over)
		evws_connection_free(client);
}

/* One life. Nonzero if a request was refused. */
static int live(int client_options, void (*refuse)(long n), long n)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { 10, 0 };
	struct event *timer = evtimer_new(base, give_up_waiting, NULL);
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	int refused;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	opened = client_ends = is_over = ws_closed = http_done = 0;
	http_log[0] = '\0';
	event_add(timer, &patience);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name)), 0);
	refuse(n);
	client = evws_client_new(base, bev, "a", "/life", "p, q", NULL, on_open, on_client_message,
				 NULL, client_options);
	if (client == NULL) {
		bufferevent_free(bev);
	} else {
		evws_connection_set_closecb(client, on_client_close, NULL);
		while (!is_over)
			event_base_loop(base, EVLOOP_ONCE);
		cr_expect_eq(client_ends, 1, "refused %ld: %d ends", n, client_ends);
	}
	refused = support_has_refused();
	support_fail_once_after(-1);
	client = NULL;
	event_free(timer);
	ws_wait(5);
	for (int i = 0;
	     (ws_closed < http_done || evhttp_get_connection_count(http) > 0) && i < 3000; i++)
		ws_wait(10);
	cr_expect_eq(ws_closed, http_done, "refused %ld: %d of %d sessions ended", n, ws_closed,
		     http_done);
	cr_expect_eq(evhttp_get_connection_count(http), 0);
	return refused;
}

static void refuse_once(long n)
{
	support_fail_once_after(n);
}

static void refuse_all(long n)
{
	support_fail_all_after(n);
}

static void run_all(int options, void (*refuse)(long n))
{
	long n = 0, live_blocks;

	evhttp_set_cb(http, "/life", upgrade, NULL);
	ws_options = options;
	(void)live(options, refuse_once, -1);
	cr_assert_eq(opened, 1);
	cr_assert_eq(ws_closed, 1);
	live_blocks = support_live_blocks();
	while (live(options, refuse, n)) {
		n++;
		cr_assert_lt(n, REQUESTS_MAX);
	}
	cr_log_info("%ld requests", n);
	cr_expect_geq(n, 10);
	cr_expect_leq(support_live_blocks(), live_blocks + 20); /* pools of the server */
}

/* WS-001, WS-003, WS-079, W12 */
Test(ws_memory, one_refused)
{
	run_all(0, refuse_once);
}

/* W12 */
Test(ws_memory, one_refused_with_threads_and_compression)
{
	run_all(BEV_OPT_THREADSAFE | EVWS_OPT_DEFLATE, refuse_once);
}

Test(ws_memory, all_refused)
{
	run_all(0, refuse_all);
}
