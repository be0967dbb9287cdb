/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's failure matrix: which callbacks run, in which order, with what. Line by line. */

#include "http_test.h"

#include <errno.h>

TestSuite(http_client_failures, .init = http_open, .fini = http_close, .timeout = 60);

/* The last failure told. */
static enum evhttp_failure_stage stage;
static enum evhttp_request_error reason;
static int socket_error;
static int has_text;

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	(void)req;
	(void)arg;
	stage = failure->stage;
	reason = failure->reason;
	socket_error = failure->socket_error;
	has_text = failure->text != NULL && failure->text[0] != '\0';
	http_note("failure");
}

static int drop(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	return -1;
}

static void forget_log(void)
{
	http_log[0] = '\0';
	http_done = 0;
	has_text = 0;
}

/* What came of one GET: the log, with the failure told in it. */
static const char *get_from(struct canned *canned, void (*prepare)(struct evhttp_connection *))
{
	struct evhttp_connection *evcon = client_open(canned->port);
	struct evhttp_request *req = client_request();
	static char told[sizeof(http_log)];

	forget_log();
	if (prepare != NULL)
		prepare(evcon);
	evhttp_request_set_failure_cb(req, on_failure, NULL);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
	client_wait(1);
	memcpy(told, http_log, sizeof(told));
	evhttp_connection_free(evcon);
	return told;
}

#define OK "HTTP/1.1 200 OK\r\n"

/* What the server sends before it ends the connection in that way is not a whole reply. */
static void check_too_early(const char *reply, enum canned_then then)
{
	struct canned canned;

	canned_open(&canned, reply, then);
	cr_assert_str_eq(get_from(&canned, NULL), "close failure error-1 done-null", "%s: %s",
			 reply, http_log);
	cr_assert_eq(reason, EVREQ_HTTP_EOF);
	cr_assert_eq(stage, EVHTTP_STAGE_RECEIVE);
	cr_assert(has_text);
	canned_close(&canned);
}

/* HTTP-263, HTTP-264, HTTP-291, HTTP-292; H60 */
Test(http_client_failures, the_server_ends_the_connection_too_early)
{
	static const char *const replies[] = {
		"",
		"HTTP/1.1 2",
		OK "A: b\r\n",
		OK "Content-Length: 5\r\n\r\nhell",
		OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhell",
		OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		check_too_early(replies[i], CANNED_CLOSE);
}

/* HTTP-263, HTTP-291, HTTP-292; H60: not even a body that lasts until the end is whole then. */
Test(http_client_failures, the_server_resets_the_connection)
{
	check_too_early("", CANNED_RESET);
	cr_assert_eq(socket_error, support_socket_error(ECONNRESET));
	check_too_early(OK "\r\nhello", CANNED_RESET);
	cr_assert_eq(socket_error, support_socket_error(ECONNRESET));
}

/* HTTP-292 */
Test(http_client_failures, an_orderly_end_completes_a_body_until_close)
{
	struct canned canned;

	canned_open(&canned, OK "\r\nhello", CANNED_CLOSE);
	cr_assert_str_eq(get_from(&canned, NULL), "close done-200");
	cr_assert_str_eq(http_body, "hello");
	canned_close(&canned);
}

/* HTTP-263, HTTP-264, HTTP-288, HTTP-289, HTTP-294, HTTP-306, HTTP-373; H60, H63 */
Test(http_client_failures, malformed_responses_are_invalid_headers)
{
	static const char *const replies[] = {
		"\r\n" OK "Content-Length: 0\r\n\r\n",
		"hello\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.10 200 OK\r\n\r\n",
		"HTTP/1.1 20x OK\r\n\r\n",
		"HTTP/1.1 -5 OK\r\n\r\n",
		"HTTP/1.1 -200 OK\r\n\r\n",
		"HTTP/1.1 +20 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 4294967496 OK\r\n\r\n",
		"HTTP/1.1 200 O\rK\r\n\r\n",
		"HTTP/1.1 000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 99999 OK\r\n\r\n",
		"HTTP/1.1  OK\r\n\r\n",
		OK "Name : x\r\n\r\n",
		OK "no colon\r\n\r\n",
		OK ": x\r\n\r\n",
		OK " folded\r\n\r\n",
		OK "A: b\001c\r\n\r\n",
		OK "A: b\rc\r\n\r\n",
		OK "Content-Length: -1\r\n\r\n",
		OK "Content-Length: x\r\n\r\n",
		OK "Content-Length: +1\r\n\r\n",
		OK "Content-Length: 99999999999999999999\r\n\r\n",
		OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
		OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
		OK "Content-Length: 2\r\n 3\r\n\r\n",
		OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n0x3\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n+3\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd",
		OK "Transfer-Encoding: chunked\r\n\r\n3\nabc\n",
		OK "Transfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct canned canned;

		canned_open(&canned, replies[i], CANNED_KEEP);
		cr_assert_str_eq(get_from(&canned, NULL), "close failure error-2 done-null",
				 "%zu %s: %s", i, replies[i], http_log);
		cr_assert_eq(reason, EVREQ_HTTP_INVALID_HEADER);
		cr_assert_eq(stage, EVHTTP_STAGE_RECEIVE);
		cr_assert(has_text);
		canned_close(&canned);
	}
}

static void limit_head(struct evhttp_connection *evcon)
{
	/* "HTTP/1.1 200 OK" has 15 bytes, "Content-Length: 2" 17. */
	evhttp_connection_set_max_headers_size(evcon, 15 + 17);
}

static void limit_body(struct evhttp_connection *evcon)
{
	evhttp_connection_set_max_body_size(evcon, 5);
}

/* HTTP-238, HTTP-263 */
Test(http_client_failures, a_head_above_the_limit_is_invalid)
{
	struct canned canned;

	canned_open(&canned, OK "Content-Length: 2\r\n\r\nab", CANNED_KEEP);
	cr_assert_str_eq(get_from(&canned, limit_head), "done-200");
	canned_close(&canned);
	canned_open(&canned, OK "Content-Length: 02\r\n\r\nab", CANNED_KEEP);
	cr_assert_str_eq(get_from(&canned, limit_head), "close failure error-2 done-null");
	canned_close(&canned);
	canned_open(&canned, OK "no end of line in sight, ever and ever", CANNED_KEEP);
	cr_assert_str_eq(get_from(&canned, limit_head), "close failure error-2 done-null");
	canned_close(&canned);
}

/* HTTP-238, HTTP-263 */
Test(http_client_failures, a_body_above_the_limit_is_too_long)
{
	static const char *const good[] = {
		OK "Content-Length: 5\r\n\r\nhello",
		OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		OK "Connection: close\r\n\r\nhello",
	};
	static const char *const bad[] = {
		OK "Content-Length: 6\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n6\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n4\r\n",
		OK "Connection: close\r\n\r\nhello!",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct canned canned;

		canned_open(&canned, good[i], i == 2 ? CANNED_CLOSE : CANNED_KEEP);
		cr_assert_not_null(strstr(get_from(&canned, limit_body), "done-200"), "%s",
				   good[i]);
		cr_assert_str_eq(http_body, "hello");
		canned_close(&canned);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct canned canned;

		canned_open(&canned, bad[i], CANNED_KEEP);
		cr_assert_str_eq(get_from(&canned, limit_body), "close failure error-5 done-null",
				 "%s", bad[i]);
		cr_assert_eq(reason, EVREQ_HTTP_DATA_TOO_LONG);
		canned_close(&canned);
	}
}

/* H64: with no limit set, what has no end has one all the same, and the memory comes back. */
Test(http_client_failures, nothing_is_endless)
{
	static const struct {
		const char *start, *repeated;
	} endless[] = {
		{ OK, "A: b\r\n" },
		{ "HTTP/1.1 200 ", "OK" },
		{ OK "A: b", "cdefgh" },
		{ OK "A: b\r\n", " c\r\n" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n", "0" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n1;", "extension" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: x\r\n" },
	};
	const size_t total = 4 << 20;
	char *reply = malloc(total + 32);

	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		size_t len = strlen(endless[i].start);
		struct canned canned;

		memcpy(reply, endless[i].start, len + 1);
		while (len < total) {
			strcpy(reply + len, endless[i].repeated);
			len += strlen(endless[i].repeated);
		}
		canned_open(&canned, reply, CANNED_KEEP);
		cr_assert_str_eq(get_from(&canned, NULL), "close failure error-2 done-null",
				 "%zu: %s", i, http_log);
		canned_close(&canned);
	}
	free(reply);
}

/* A port nobody listens at. */
static int refused_errno;

static void on_refused(struct evhttp_request *req, void *arg)
{
	refused_errno = EVUTIL_SOCKET_ERROR();
	cr_assert_not_null(req);
	cr_assert_null(evhttp_request_get_connection(req));
	cr_assert_null(evhttp_request_get_input_headers(req)->tqh_first);
	cr_assert_eq(evbuffer_get_length(evhttp_request_get_input_buffer(req)), 0);
	cr_assert_null(evhttp_request_get_response_code_line(req));
	http_note("%s", (const char *)arg);
	http_on_done(req, NULL);
}

/* HTTP-265, HTTP-266 */
Test(http_client_failures, a_refused_connection_tells_every_request_with_code_0)
{
	ev_uint16_t to = 0;
	evutil_socket_t deaf = http_deaf(&to);
	struct evhttp_connection *evcon = client_open(to);
	static char names[3][2] = { "a", "b", "c" };

	for (int i = 0; i < 3; i++) {
		struct evhttp_request *req = evhttp_request_new(on_refused, names[i]);

		evhttp_request_set_error_cb(req, http_on_error);
		evhttp_request_set_failure_cb(req, on_failure, NULL);
		cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
	}
	client_wait(3);
	cr_assert_str_eq(http_log, "failure a done-0 failure b done-0 failure c done-0");
	cr_assert_eq(refused_errno, support_socket_error(ECONNREFUSED));
	cr_assert_eq(socket_error, support_socket_error(ECONNREFUSED));
	cr_assert_eq(stage, EVHTTP_STAGE_CONNECT);
	cr_assert(has_text);
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-266: also the error and completion callbacks of other failures find the cause. */
static int error_errno;
static int done_errno;

static void on_error_errno(enum evhttp_request_error error, void *arg)
{
	error_errno = EVUTIL_SOCKET_ERROR();
	EVUTIL_SET_SOCKET_ERROR(0);
	http_on_error(error, arg);
}

static void on_done_errno(struct evhttp_request *req, void *arg)
{
	done_errno = EVUTIL_SOCKET_ERROR();
	http_on_done(req, arg);
}

Test(http_client_failures, callbacks_find_the_socket_error_of_a_reset)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = evhttp_request_new(on_done_errno, NULL);

	canned_open(&canned, "", CANNED_RESET);
	evcon = client_open(canned.port);
	evhttp_request_set_error_cb(req, on_error_errno);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	cr_assert_eq(error_errno, support_socket_error(ECONNRESET));
	cr_assert_eq(done_errno, support_socket_error(ECONNRESET));
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-286: each queued request in turn. HTTP-252: a blocking lookup fails inside the call. */
Test(http_client_failures, a_name_without_address_is_an_eof_for_each_request)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, NULL, "no such host.invalid", port);

	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
	evhttp_connection_set_retries(evcon, 3);
	for (int i = 0; i < 2; i++) {
		struct evhttp_request *req = client_request();

		evhttp_request_set_failure_cb(req, on_failure, NULL);
		cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
	}
	client_wait(2);
	cr_assert_str_eq(http_log, "failure error-1 done-null failure error-1 done-null");
	cr_assert_eq(stage, EVHTTP_STAGE_LOOKUP);
	cr_assert(has_text);
	evhttp_connection_free(evcon);
}

static void free_connection(struct evhttp_request *req, void *arg)
{
	http_on_done(req, NULL);
	evhttp_connection_free(arg);
}

/* HTTP-287 */
Test(http_client_failures, an_address_that_cannot_be_connected_to_is_an_eof)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, NULL, "239.10.20.30", port);
	struct evhttp_request *req = evhttp_request_new(free_connection, evcon);

	evhttp_request_set_error_cb(req, http_on_error);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
	client_wait(1);
	cr_assert_str_eq(http_log, "error-1 done-null");
}

/* HTTP-261, HTTP-264 */
Test(http_client_failures, a_header_callback_that_declines_is_an_eof)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();

	canned_open(&canned, OK "Content-Length: 2\r\n\r\nab", CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_request_set_header_cb(req, drop);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "close error-1 done-null done-200");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-267 */
Test(http_client_failures, only_the_running_request_fails)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, "", CANNED_CLOSE);
	evcon = client_open(canned.port);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-1 done-null");
	canned.reply = OK "Content-Length: 0\r\n\r\n";
	canned.then = CANNED_KEEP;
	client_wait(2);
	cr_assert_str_eq(http_log, "close error-1 done-null done-200");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static void note_failure_and_arg(enum evhttp_request_error error, void *arg)
{
	http_note("error-%d-%s", (int)error, (const char *)arg);
}

static void note_done_and_arg(struct evhttp_request *req, void *arg)
{
	http_note("%s-%s", req == NULL ? "null" : "some", (const char *)arg);
	http_done++;
}

/* HTTP-262: the request's own argument, before the completion. */
Test(http_client_failures, the_error_callback_gets_the_requests_argument)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	static char mine[] = "mine";
	struct evhttp_request *req = evhttp_request_new(note_done_and_arg, mine);

	canned_open(&canned, "", CANNED_CLOSE);
	evcon = client_open(canned.port);
	evhttp_request_set_error_cb(req, note_failure_and_arg);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-1-mine null-mine");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}
