/* SPDX-License-Identifier: BSD-3-Clause */
/* Request bodies in pieces, responses that are paused, and requests with a time limit. */

#include "http_test.h"

#include <sys/socket.h>

TestSuite(http_client_upload, .init = http_open, .fini = http_close, .timeout = 60);

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct evbuffer *piece;
static int asked;
static int pieces; /* to give */

static int give(struct evhttp_request *req, const char *text)
{
	int result;

	piece = evbuffer_new();
	evbuffer_add(piece, text, strlen(text));
	result = evhttp_request_write_body(req, piece);
	cr_assert_eq(evbuffer_get_length(piece), result == 0 ? 0 : strlen(text));
	evbuffer_free(piece);
	return result;
}

static void give_next(struct evhttp_request *req, void *arg)
{
	(void)arg;
	asked++;
	if (pieces-- > 0)
		cr_assert_eq(give(req, "piece "), 0);
	else
		cr_assert_eq(evhttp_request_end_body(req), 0);
}

static struct evhttp_request *upload(struct evhttp_connection *evcon,
				     void (*cb)(struct evhttp_request *, void *),
				     const char *length)
{
	struct evhttp_request *req = client_request();

	evhttp_request_set_body_cb(req, cb, NULL);
	if (length != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/"), 0);
	return req;
}

Test(http_client_upload, pieces_are_chunks)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	canned.trigger = "0\r\n\r\n";
	evcon = client_open(canned.port);
	pieces = 2;
	upload(evcon, give_next, NULL);
	cr_assert_eq(asked, 0); /* never from within the call */
	client_wait(1);
	cr_assert_not_null(strstr(canned.seen, "Transfer-Encoding: chunked\r\n\r\n"
					       "6\r\npiece \r\n6\r\npiece \r\n0\r\n\r\n"));
	cr_assert_null(strstr(canned.seen, "Content-Length"));
	cr_assert_str_eq(http_log, "done-200");
	/* The connection is as good as before. */
	canned.trigger = "\r\n\r\n";
	client_get(evcon, "/next");
	client_wait(2);
	cr_assert_eq(canned.connections, 1);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

Test(http_client_upload, pieces_of_a_known_length_are_sent_as_they_are)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	canned.trigger = "piece piece ";
	evcon = client_open(canned.port);
	pieces = 2;
	upload(evcon, give_next, "12");
	client_wait(1);
	cr_assert_not_null(strstr(canned.seen, "Content-Length: 12\r\n\r\npiece piece "));
	cr_assert_null(strstr(canned.seen, "chunked"));
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static void break_the_rules(struct evhttp_request *req, void *arg)
{
	(void)arg;
	if (asked++ > 0)
		return;
	cr_assert_eq(give(req, "12345"), -1);
	cr_assert_eq(give(req, "123"), 0);
	cr_assert_eq(evhttp_request_end_body(req), -1);
	cr_assert_eq(give(req, ""), 0);
	cr_assert_eq(give(req, "4"), 0);
	cr_assert_eq(give(req, "5"), -1);
	cr_assert_eq(evhttp_request_end_body(req), 0);
	cr_assert_eq(evhttp_request_end_body(req), -1);
	cr_assert_eq(give(req, ""), -1);
}

Test(http_client_upload, the_announced_length_is_kept)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req;

	evhttp_set_gencb(http, http_echo, NULL);
	req = upload(evcon, break_the_rules, "4");
	cr_assert_eq(give(req, "x"), -1, "nobody has asked");
	cr_assert_eq(evhttp_request_end_body(req), -1);
	client_wait(1);
	cr_assert_str_eq(http_body, "1234");
	evhttp_connection_free(evcon);
}

Test(http_client_upload, what_cannot_be_framed_is_refused)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();

	evhttp_request_set_body_cb(req, give_next, NULL);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_HEAD, "/"), -1);
	req = client_request();
	evhttp_request_set_body_cb(req, give_next, NULL);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", "x");
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/"), -1);
	req = client_request();
	evhttp_request_set_body_cb(req, give_next, NULL);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Transfer-Encoding", "gzip");
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/"), -1);
	req = client_request();
	evhttp_request_set_body_cb(req, give_next, NULL);
	req->major = 1;
	req->minor = 0;
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/"), -1);
	evhttp_connection_free(evcon);
}

/* --- Back-pressure ---------------------------------------------------------------------------- */

static size_t most;
static size_t given;
static struct evhttp_connection *uploading;

static void give_block(struct evhttp_request *req, void *arg)
{
	static char block[32768];
	struct evbuffer *data = evbuffer_new();
	size_t held;

	(void)arg;
	if (given >= 32u << 20) {
		cr_assert_eq(evhttp_request_end_body(req), 0);
		evbuffer_free(data);
		return;
	}
	evbuffer_add(data, block, sizeof(block));
	cr_assert_eq(evhttp_request_write_body(req, data), 0);
	evbuffer_free(data);
	given += sizeof(block);
	held = evbuffer_get_length(
		bufferevent_get_output(evhttp_connection_get_bufferevent(uploading)));
	if (held > most)
		most = held;
}

static int on_new(struct evhttp_request *req, void *arg);
static size_t received;

static void take_piece(struct evhttp_request *req, void *arg)
{
	(void)arg;
	received += evbuffer_get_length(evhttp_request_get_input_buffer(req));
}

static int on_new(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_chunked_cb(req, take_piece);
	return 0;
}

Test(http_client_upload, memory_does_not_grow_with_the_body)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_newreqcb(http, on_new, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	uploading = evcon;
	upload(evcon, give_block, NULL);
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	cr_assert_eq(received, given);
	cr_assert_lt(most, 128u << 10);
	evhttp_connection_free(evcon);
}

/* --- When the program, or the server, does something else ------------------------------------- */

static struct evhttp_request *waiting;

static void remember(struct evhttp_request *req, void *arg)
{
	(void)arg;
	waiting = req;
	http_note("asked");
}

Test(http_client_upload, a_piece_may_come_later)
{
	struct evhttp_connection *evcon = client_open(port);
	const struct timeval soon = { 0, 20 * 1000 };
	const struct timeval later = { 0, 100 * 1000 };

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_connection_set_read_timeout_tv(evcon, &soon); /* not while we are to speak */
	upload(evcon, remember, NULL);
	log_wait("asked");
	event_base_loopexit(base, &later);
	event_base_dispatch(base);
	cr_assert_str_eq(http_log, "asked");
	cr_assert_eq(give(waiting, "late"), 0);
	log_wait("asked asked");
	evhttp_connection_set_read_timeout_tv(evcon, NULL);
	cr_assert_eq(evhttp_request_end_body(waiting), 0);
	client_wait(1);
	cr_assert_str_eq(http_body, "late");
	evhttp_connection_free(evcon);
}

Test(http_client_upload, an_early_response_ends_the_upload)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, "HTTP/1.1 413 Enough\r\nContent-Length: 0\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	upload(evcon, remember, NULL);
	client_get(evcon, "/next");
	client_wait(2);
	cr_assert_not_null(strstr(http_log, "close done-413 done-413"));
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static void cancel_it(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_cancel_request(req);
}

static void free_it(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_free(req);
	http_note("freed");
}

static void free_all(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	evhttp_connection_free(uploading);
	http_note("freed");
}

/* HTTP-248, HTTP-274 */
Test(http_client_upload, anything_may_be_freed_when_a_piece_is_asked_for)
{
	struct evhttp_connection *evcon = client_open(port);

	upload(evcon, cancel_it, NULL);
	log_wait("close error-4");
	http_log[0] = '\0';
	upload(evcon, free_it, NULL);
	log_wait("freed");
	event_base_loop(base, EVLOOP_NONBLOCK);
	http_log[0] = '\0';
	uploading = evcon;
	upload(evcon, free_all, NULL);
	log_wait("freed");
}

/* HTTP-302: pieces are asked for once the server has agreed, or patience ends. */
Test(http_client_upload, pieces_wait_for_the_100)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();

	canned_open(&canned, "HTTP/1.1 100 Go on\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Expect", "100-continue");
	evhttp_request_set_body_cb(req, give_next, NULL);
	evhttp_make_request(evcon, req, EVHTTP_REQ_POST, "/");
	pieces = 1;
	while (canned.requests == 0) {
		event_base_loop(base, EVLOOP_ONCE);
		cr_assert_eq(asked, 0);
	}
	canned.reply = OK_EMPTY;
	canned.trigger = "0\r\n\r\n";
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	cr_assert_eq(asked, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* --- Pausing ---------------------------------------------------------------------------------- */

static size_t got;
static struct evhttp_request *paused;

static void pause_at_once(struct evhttp_request *req, void *arg)
{
	(void)arg;
	got += evbuffer_get_length(evhttp_request_get_input_buffer(req));
	http_note("chunk");
	evhttp_request_pause(req);
	paused = req;
}

static void send_much(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	static char block[1 << 20];

	(void)arg;
	for (int i = 0; i < 32; i++)
		evbuffer_add_reference(body, block, sizeof(block), NULL, NULL);
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

static void resume(struct evhttp_request *req, void *arg)
{
	(void)arg;
	got += evbuffer_get_length(evhttp_request_get_input_buffer(req));
}

/* HTTP-260 */
Test(http_client_upload, a_paused_response_waits_in_the_network)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();
	struct evbuffer *in = bufferevent_get_input(evhttp_connection_get_bufferevent(evcon));
	const struct timeval soon = { 0, 30 * 1000 };
	const struct timeval later = { 0, 100 * 1000 };

	evhttp_set_gencb(http, send_much, NULL);
	evhttp_request_set_chunked_cb(req, pause_at_once);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	log_wait("chunk");
	evhttp_connection_set_read_timeout_tv(evcon, &soon); /* rests meanwhile */
	event_base_loopexit(base, &later);
	event_base_dispatch(base);
	cr_assert_str_eq(http_log, "chunk");
	cr_assert_lt(got + evbuffer_get_length(in), 1u << 20);
	evhttp_request_set_chunked_cb(req, resume);
	evhttp_connection_set_read_timeout_tv(evcon, NULL);
	evhttp_request_resume(req);
	client_wait(1);
	cr_assert_str_eq(http_log, "chunk done-200");
	cr_assert_eq(got, 32u << 20);
	evhttp_connection_free(evcon);
}

/* --- Time limits ------------------------------------------------------------------------------ */

static void drip(evutil_socket_t fd, short what, void *arg)
{
	struct canned *canned = arg;

	(void)fd;
	(void)what;
	if (canned->last != NULL && canned->has_answered)
		bufferevent_write(canned->last, "x", 1);
}

/* H65 */
Test(http_client_upload, a_server_that_drips_is_cut_by_the_time_limit)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();
	const struct timeval limit = { 0, 100 * 1000 };
	const struct timeval tick = { 0, 5 * 1000 };
	double began = support_now_ms();
	struct event *timer;

	canned_open(&canned, "HTTP/1.1 200 OK\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	timer = event_new(base, -1, EV_PERSIST, drip, &canned);
	event_add(timer, &tick);
	evhttp_request_set_time_limit_tv(req, &limit);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-0 done-null");
	cr_assert_geq(support_now_ms() - began, 95);
	event_free(timer);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* A queued request, too; the running one goes on. */
Test(http_client_upload, time_in_the_queue_counts)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();
	const struct timeval limit = { 0, 50 * 1000 };

	evhttp_set_gencb(http, http_keep, NULL);
	client_get(evcon, "/1");
	log_wait("handler");
	evhttp_request_set_time_limit_tv(req, &limit);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/2");
	log_wait("done-null");
	cr_assert_str_eq(http_log, "handler error-0 done-null");
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(2);
	cr_assert_str_eq(http_log, "handler error-0 done-null done-200");
	evhttp_connection_free(evcon);
}

/* In time: nothing is left behind that could fire. */
Test(http_client_upload, a_request_in_time_is_not_disturbed)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();
	const struct timeval limit = { 2, 0 };
	const struct timeval later = { 2, 100 * 1000 };

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_request_set_time_limit_tv(req, &limit);
	evhttp_request_own(req);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	event_base_loopexit(base, &later);
	event_base_dispatch(base);
	cr_assert_str_eq(http_log, "done-200");
	evhttp_request_free(req);
	evhttp_connection_free(evcon);
}
