/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything may be freed in every callback: each callback, times each thing to free, times each
 * way the exchange can go. The suite counts blocks and descriptors; sanitizers see the rest.
 */

#include "http_test.h"

TestSuite(http_client_frees, .init = http_open, .fini = http_close, .timeout = 120);

enum place { IN_HEADER, IN_CHUNK, IN_ERROR, IN_FAILURE, IN_CLOSE, IN_DONE, PLACES };
enum act { FREE_CONNECTION, FREE_REQUEST, CANCEL, FREE_BOTH, OWN, ASK_AGAIN, ACTS };

static enum place place;
static enum act act;
static struct evhttp_connection *evcon; /* NULL once freed */
static struct evhttp_request *running;  /* NULL once it must not be touched */
static int is_own;
static int acted;

static void free_connection(void)
{
	struct evhttp_connection *c = evcon;

	evcon = NULL;
	if (c != NULL)
		evhttp_connection_free(c);
}

static void free_request(int is_cancel)
{
	struct evhttp_request *req = running;

	running = NULL;
	if (req == NULL)
		return;
	if (is_cancel)
		evhttp_cancel_request(req);
	else
		evhttp_request_free(req);
}

static void own(void)
{
	if (running != NULL) {
		evhttp_request_own(running);
		is_own = 1;
	}
}

static void act_in(enum place at)
{
	if (at != place || acted)
		return;
	acted = 1;
	switch (act) {
	case FREE_CONNECTION:
		free_connection();
		break;
	case FREE_REQUEST:
		free_request(0);
		break;
	case CANCEL:
		free_request(1);
		break;
	case FREE_BOTH:
		free_connection();
		free_request(0);
		break;
	case OWN:
		own();
		break;
	default:
		if (evcon != NULL)
			client_get(evcon, "/again");
		break;
	}
}

static int on_header(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	act_in(IN_HEADER);
	return 0;
}

static void on_chunk(struct evhttp_request *req, void *arg)
{
	act_in(IN_CHUNK);
	/* Still there. */
	cr_assert_gt(evbuffer_get_length(evhttp_request_get_input_buffer(req)), 0);
	(void)arg;
}

static void on_error(enum evhttp_request_error error, void *arg)
{
	(void)error;
	(void)arg;
	act_in(IN_ERROR);
}

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	(void)req;
	(void)failure;
	(void)arg;
	act_in(IN_FAILURE);
}

static void on_close(struct evhttp_connection *c, void *arg)
{
	(void)c;
	(void)arg;
	act_in(IN_CLOSE);
}

static int done;

static void on_done(struct evhttp_request *req, void *arg)
{
	(void)arg;
	done++;
	/* Without a request the program may not touch it, except if it has taken it. */
	if (req == NULL && !is_own)
		running = NULL;
	act_in(IN_DONE);
	if (!is_own)
		running = NULL;
}

struct way {
	const char *reply;
	enum canned_then then;
};

static const struct way ways[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", CANNED_KEEP },
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", CANNED_KEEP },
	{ "HTTP/1.1 200 OK\r\n\r\nab", CANNED_CLOSE },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
	  CANNED_KEEP },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nz", CANNED_KEEP },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", CANNED_CLOSE },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", CANNED_RESET },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", CANNED_KEEP }, /* read timeout */
	{ "garbage\r\n\r\n", CANNED_KEEP },
	{ NULL, CANNED_KEEP }, /* refused */
};

static void ask(void)
{
	struct evhttp_request *req = evhttp_request_new(on_done, NULL);

	evhttp_request_set_header_cb(req, on_header);
	evhttp_request_set_chunked_cb(req, on_chunk);
	evhttp_request_set_error_cb(req, on_error);
	evhttp_request_set_failure_cb(req, on_failure, NULL);
	running = req;
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
}

/* One exchange with another request behind it, until nothing more happens. */
static void run(const struct way *way)
{
	const struct timeval soon = { 0, 20 * 1000 };
	const struct timeval enough = { 0, 45 * 1000 };
	struct canned canned;
	evutil_socket_t deaf = -1;
	ev_uint16_t to = 0;

	done = acted = is_own = 0;
	if (way->reply != NULL) {
		canned_open(&canned, way->reply, way->then);
		to = canned.port;
	} else {
		deaf = http_deaf(&to);
	}
	evcon = evhttp_connection_base_new(base, NULL, "127.0.0.1", to);
	evhttp_connection_set_closecb(evcon, on_close, NULL);
	evhttp_connection_set_read_timeout_tv(evcon, &soon);
	ask();
	cr_assert_eq(evhttp_make_request(evcon, evhttp_request_new(http_on_done, NULL),
					 EVHTTP_REQ_GET, "/behind"),
		     0);
	event_base_loopexit(base, &enough);
	event_base_dispatch(base);
	if (is_own && running != NULL)
		evhttp_request_free(running);
	running = NULL;
	free_connection();
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (way->reply != NULL)
		canned_close(&canned);
	else
		evutil_closesocket(deaf);
	cr_assert_leq(done, 1);
}

static void run_all(enum act what)
{
	act = what;
	for (place = 0; place < PLACES; place++) {
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			long before = support_live_blocks();
			int fds = support_open_fds();

			run(&ways[i]);
			cr_assert_eq(support_open_fds(), fds, "place %d, way %zu", (int)place, i);
			(void)before;
		}
	}
}

/* HTTP-248, HTTP-156, HTTP-380, HTTP-382; H66 */
Test(http_client_frees, the_connection_in_every_callback)
{
	run_all(FREE_CONNECTION);
}

/* HTTP-270, HTTP-382 */
Test(http_client_frees, the_request_in_every_callback)
{
	run_all(FREE_REQUEST);
}

/* HTTP-274, HTTP-382 */
Test(http_client_frees, cancelling_in_every_callback)
{
	run_all(CANCEL);
}

/* HTTP-248, HTTP-247, HTTP-382 */
Test(http_client_frees, both_in_every_callback)
{
	run_all(FREE_BOTH);
}

/* HTTP-269 */
Test(http_client_frees, taking_the_request_in_every_callback)
{
	run_all(OWN);
}

/* HTTP-268, HTTP-382 */
Test(http_client_frees, asking_again_in_every_callback)
{
	run_all(ASK_AGAIN);
}

/* HTTP-247: no callback but that of closing; an owned request survives without connection. */
Test(http_client_frees, freeing_a_connection_lets_requests_go_silently)
{
	struct evhttp_connection *c = client_open(port);
	struct evhttp_request *owned_running;
	struct evhttp_request *owned_queued;

	evhttp_set_gencb(http, http_keep, NULL);
	owned_running = client_get(c, "/1");
	evhttp_request_own(owned_running);
	client_get(c, "/2");
	owned_queued = client_get(c, "/3");
	evhttp_request_own(owned_queued);
	log_wait("handler");
	evhttp_connection_free(c);
	cr_assert_str_eq(http_log, "handler close");
	cr_assert_null(evhttp_request_get_connection(owned_running));
	cr_assert_null(evhttp_request_get_connection(owned_queued));
	evhttp_request_free(owned_running);
	evhttp_request_free(owned_queued);
	evhttp_send_reply(kept, 200, NULL, NULL);
}

/* HTTP-269, HTTP-132: the response stays readable. */
static struct evhttp_request *mine;

static void take(struct evhttp_request *req, void *arg)
{
	mine = req;
	evhttp_request_own(req);
	http_on_done(req, arg);
}

Test(http_client_frees, an_owned_response_stays_readable)
{
	struct evhttp_connection *c = client_open(port);
	struct evhttp_request *req = evhttp_request_new(take, NULL);

	evhttp_set_gencb(http, http_hello, NULL);
	cr_assert_eq(evhttp_request_is_owned(req), 0);
	evhttp_make_request(c, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	evhttp_connection_free(c);
	cr_assert_eq(mine, req);
	cr_assert_eq(evhttp_request_is_owned(mine), 1);
	cr_assert_str_eq(
		evhttp_find_header(evhttp_request_get_input_headers(mine), "Content-Length"), "5");
	cr_assert_eq(evbuffer_get_length(evhttp_request_get_input_buffer(mine)), 5);
	evhttp_request_free(mine);
}
