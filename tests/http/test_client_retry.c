/* SPDX-License-Identifier: BSD-3-Clause */
/* Attempts to connect: retries, their delays, and what happens when they are used up. */

#include "http_test.h"

#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(http_client_retry, .init = http_open, .fini = http_close, .timeout = 60);

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static const struct timeval soon = { 0, 20 * 1000 };

static evutil_socket_t deaf;
static ev_uint16_t deaf_port;

static struct evhttp_connection *deaf_client(int retries)
{
	struct evhttp_connection *evcon;

	deaf_port = 0;
	deaf = http_deaf(&deaf_port);
	evcon = client_open(deaf_port);
	evhttp_connection_set_retries(evcon, retries);
	evhttp_connection_set_initial_retry_tv(evcon, &soon);
	return evcon;
}

static void listen_now(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	cr_assert_eq(evhttp_accept_socket(http, deaf), 0);
	cr_assert_eq(listen(deaf, 8), 0);
}

/* HTTP-276, HTTP-278, HTTP-239: for ever, until somebody listens; requests made meanwhile wait. */
Test(http_client_retry, retries_until_there_is_a_server)
{
	const struct timeval later = { 0, 100 * 1000 };
	struct evhttp_connection *evcon = deaf_client(-1);

	evhttp_set_gencb(http, http_hello, NULL);
	event_base_once(base, -1, EV_TIMEOUT, listen_now, NULL, &later);
	client_get(evcon, "/1");
	event_base_loop(base, EVLOOP_ONCE);
	client_get(evcon, "/2");
	cr_assert_str_eq(http_log, "");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	evhttp_connection_free(evcon);
}

/* Milliseconds until a request has failed. */
static double fail_once(struct evhttp_connection *evcon)
{
	double began = support_now_ms();

	http_done = 0;
	http_log[0] = '\0';
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-0");
	return support_now_ms() - began;
}

/* A busy machine delays it now and then, but not each time. */
static int fails_within(struct evhttp_connection *evcon, double least_ms, double most_ms)
{
	for (int i = 0; i < 20; i++) {
		double took = fail_once(evcon);

		cr_assert_geq(took, least_ms);
		if (took < most_ms)
			return 1;
	}
	return 0;
}

/* HTTP-277: 20 ms, 40 ms and 80 ms lie between the four attempts. HTTP-240 */
Test(http_client_retry, delays_double)
{
	struct evhttp_connection *evcon = deaf_client(3);

	cr_assert(fails_within(evcon, 20 + 40 + 80 - 5, 20 + 60 + 180 - 5));
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-240: NULL means 2 s again. HTTP-239: none by default. */
Test(http_client_retry, the_first_delay_is_two_seconds_unless_set)
{
	struct evhttp_connection *evcon = deaf_client(1);

	evhttp_connection_set_initial_retry_tv(evcon, NULL);
	cr_assert_geq(fail_once(evcon), 1990);
	evhttp_connection_set_retries(evcon, 0);
	cr_assert(fails_within(evcon, 0, 1990));
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-280, HTTP-281, HTTP-377 */
Test(http_client_retry, a_later_request_tries_again)
{
	struct evhttp_connection *evcon = deaf_client(1);

	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-0 done-0");
	client_get(evcon, "/3");
	client_wait(3);
	listen_now(-1, 0, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/4");
	client_wait(4);
	cr_assert_str_eq(http_log, "done-0 done-0 done-0 done-200");
	evhttp_connection_free(evcon);
}

/* HTTP-279: after a success the first delay counts again. */
Test(http_client_retry, success_resets_the_delay)
{
	struct evhttp_connection *evcon = deaf_client(6);
	struct canned canned;

	canned_open(&canned, OK, CANNED_CLOSE);
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
	evcon = client_open(canned.port);
	evhttp_connection_set_retries(evcon, 2);
	evhttp_connection_set_initial_retry_tv(evcon, &soon);
	client_get(evcon, "/");
	log_wait("done-200 close");
	canned_close(&canned);
	deaf = http_deaf(&canned.port);
	for (int i = 0; i < 2; i++)
		cr_assert(fails_within(evcon, 20 + 40 - 5, 40 + 80 - 5));
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-276: what was sent is never sent again by itself. */
Test(http_client_retry, a_request_that_was_sent_is_not_repeated)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, "", CANNED_RESET);
	evcon = client_open(canned.port);
	evhttp_connection_set_retries(evcon, 5);
	evhttp_connection_set_initial_retry_tv(evcon, &soon);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-1 done-null");
	cr_assert_eq(canned.connections, 1);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static struct evhttp_connection *again_on;

static void ask_again(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_on_done(req, NULL);
	if (http_done < 4)
		client_get(again_on, "/again");
}

/* HTTP-268: a request made in the callback of a failure is not swept up in it. */
Test(http_client_retry, a_request_made_in_the_failure_is_tried_by_itself)
{
	struct evhttp_connection *evcon = deaf_client(0);

	again_on = evcon;
	cr_assert_eq(evhttp_make_request(evcon, evhttp_request_new(ask_again, NULL), EVHTTP_REQ_GET,
					 "/"), 0);
	client_get(evcon, "/second");
	client_wait(3);
	cr_assert_str_eq(http_log, "done-0 done-0 done-0");
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-246, HTTP-281, HTTP-370 */
Test(http_client_retry, a_connection_that_frees_itself_does_so_when_retries_end)
{
	struct evhttp_connection *evcon = deaf_client(1);

	evhttp_connection_free_on_completion(evcon);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-0 done-0");
	evutil_closesocket(deaf);
}
