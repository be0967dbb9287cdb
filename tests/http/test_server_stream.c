/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies in pieces: start, chunk, end. */

#include "server_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(http_server_stream, .init = http_open, .fini = http_close, .timeout = 60);

static struct evbuffer *text(const char *bytes)
{
	struct evbuffer *buf = evbuffer_new();

	evbuffer_add(buf, bytes, strlen(bytes));
	return buf;
}

static size_t left_in_piece;

static void piece(struct evhttp_request *req, const char *bytes)
{
	struct evbuffer *buf = text(bytes);

	evhttp_send_reply_chunk(req, buf);
	left_in_piece = evbuffer_get_length(buf);
	evbuffer_free(buf);
}

static void stream(struct evhttp_request *req, void *arg)
{
	const char *length = arg;

	if (length != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
	evhttp_send_reply_start(req, 200, "OK");
	piece(req, "This is funny");
	if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		cr_expect_eq(left_in_piece, 0);
	piece(req, "");
	piece(req, "but not hilarious.");
	piece(req, "bwv 1052");
	evhttp_send_reply_end(req);
}

/* HTTP-102, HTTP-104, HTTP-105, HTTP-109 */
Test(http_server_stream, chunks_of_version_1_1)
{
	const char *got;

	evhttp_set_gencb(http, stream, NULL);
	got = talk(GET("/") GET("/"));
	cr_expect_eq(times(got, "\r\nTransfer-Encoding: chunked\r\n"), 2);
	cr_expect_eq(times(got, "Content-Length"), 0);
	cr_expect_eq(times(got,
			   "\r\n\r\nd\r\nThis is funny\r\n12\r\nbut not hilarious.\r\n8\r\nbwv "
			   "1052\r\n0\r\n\r\n"),
		     2);
}

/* HTTP-103, HTTP-102 */
Test(http_server_stream, raw_with_a_length)
{
	const char *got;

	evhttp_set_gencb(http, stream, (void *)(uintptr_t)"39");
	got = talk(GET("/") GET("/"));
	cr_expect_eq(times(got, "Transfer-Encoding"), 0);
	cr_expect_eq(times(got, "\r\n\r\nThis is funnybut not hilarious.bwv 1052"), 2);
}

/*
 * HTTP-102, HTTP-111, HTTP-375, HTTP-118: until the end of the connection, and never said
 * otherwise.
 */
Test(http_server_stream, raw_until_close_for_version_1_0)
{
	const char *got;

	evhttp_set_gencb(http, stream, NULL);
	got = talk("GET / HTTP/1.0\r\n\r\n");
	check_reply(got, 200, "This is funnybut not hilarious.bwv 1052");
	cr_expect_eq(times(got, "Transfer-Encoding"), 0);
	got = talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n");
	check_reply(got, 200, "This is funnybut not hilarious.bwv 1052");
	cr_expect_eq(times(got, "keep-alive"), 0);
	cr_expect_eq(times(got, "Content-Length"), 0);
}

/* HTTP-106, HTTP-109, HTTP-122: HEAD and 204 swallow their pieces; the end is due all the same. */
static void stream_204(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply_start(req, 204, NULL);
	piece(req, "nothing");
	evhttp_send_reply_end(req);
}

Test(http_server_stream, without_a_body)
{
	const char *got;

	evhttp_set_cb(http, "/204", stream_204, NULL);
	evhttp_set_cb(http, "/head", stream, NULL);
	evhttp_set_cb(http, "/hello", http_hello, NULL);
	got = talk(GET("/204") GET("/hello"));
	cr_expect_eq(strncmp(body_of(got), "HTTP/1.1 200", 12), 0, "%s", got);
	cr_expect_null(strstr(got, "Transfer"));
	got = talk(REQUEST("HEAD /head", "") GET("/hello"));
	cr_expect_eq(strncmp(body_of(got), "HTTP/1.1 200", 12), 0, "%s", got);
	cr_expect_null(strstr(got, "funny"));
}

/* HTTP-110 */
static void go_on(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0, 0 };
	static int count;

	(void)fd;
	(void)what;
	if (++count > 3) {
		evhttp_send_reply_end(arg);
		return;
	}
	piece(arg, "abc");
	event_base_once(base, -1, EV_TIMEOUT, go_on, arg, &now);
}

static void start_slowly(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply_start(req, 200, NULL);
	http_note("handler");
	kept = req;
}

Test(http_server_stream, over_many_rounds)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, start_slowly, NULL);
	peer_send(peer, GET("/"));
	/* HTTP-102: the head goes out at once. */
	peer_until(peer, "\r\n\r\n");
	go_on(-1, 0, kept);
	peer_until(peer, "3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
	peer_close(peer);
}

/* HTTP-105, HTTP-107, HTTP-108: every callback once, in order; none for nothing. */
static void sent(struct evhttp_connection *evcon, void *arg)
{
	cr_expect_eq(evbuffer_get_length(
			     bufferevent_get_output(evhttp_connection_get_bufferevent(evcon))),
		     0);
	http_note("sent-%s", (const char *)arg);
}

static void piece_with(struct evhttp_request *req, const char *bytes)
{
	struct evbuffer *buf = text(bytes);

	evhttp_send_reply_chunk_with_cb(req, buf, sent, (void *)(uintptr_t)bytes);
	evbuffer_free(buf);
}

static void stream_told(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_on_complete_cb(req, http_on_complete, NULL);
	evhttp_send_reply_start(req, 200, NULL);
	piece_with(req, "a");
	piece_with(req, "");
	piece_with(req, "b");
	evhttp_send_reply_end(req);
	http_note("handler");
}

Test(http_server_stream, callbacks_of_pieces)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, stream_told, NULL);
	peer_send(peer, GET("/"));
	log_wait("complete");
	cr_expect_str_eq(http_log, "handler sent-a sent-b complete");
	http_log[0] = '\0';
	peer_send(peer, REQUEST("HEAD /", ""));
	log_wait("complete");
	cr_expect_str_eq(http_log, "handler sent-a sent-b complete");
	peer_close(peer);
}

/* HTTP-092: what was put into the output buffer is the first chunk. */
static void start_with_buffer(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evbuffer_add(evhttp_request_get_output_buffer(req), "buffered", 8);
	evhttp_send_reply_start(req, 200, NULL);
	evhttp_send_reply_end(req);
}

Test(http_server_stream, the_output_buffer_is_the_first_piece)
{
	evhttp_set_gencb(http, start_with_buffer, NULL);
	cr_expect_str_eq(body_of(get("/")), "8\r\nbuffered\r\n0\r\n\r\n");
}

/* HTTP-103: Transfer-Encoding of the application's own. */
static void own_coding(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Transfer-Encoding", "chunked");
	stream(req, NULL);
}

Test(http_server_stream, a_coding_of_the_application)
{
	const char *got;

	evhttp_set_gencb(http, own_coding, NULL);
	got = get("/");
	cr_expect_eq(times(got, "Transfer-Encoding"), 1);
	cr_expect_eq(times(got, "8\r\nbwv 1052\r\n0\r\n\r\n"), 1);
}

/* --- Small and large -------------------------------------------------------------------------- */

static const size_t lengths[] = { 1, 15, 16, 255, 2047, 2048, 2049, 4096, 5000 };

#define N_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define LENGTH_LONGEST 5000

static char fill[LENGTH_LONGEST];
static int fill_fd;

/* In all the ways in which bytes may lie in a buffer. */
static struct evbuffer *filled(size_t i, const char *how)
{
	struct evbuffer *buf = evbuffer_new();
	size_t len = lengths[i];
	int fd;

	if (strcmp(how, "copy") == 0) {
		evbuffer_add(buf, fill, len);
	} else if (strcmp(how, "reference") == 0) {
		evbuffer_add_reference(buf, fill, len / 2, NULL, NULL);
		evbuffer_add_reference(buf, fill + len / 2, len - len / 2, NULL, NULL);
	} else {
		fd = dup(fill_fd);
		cr_assert_eq(evbuffer_add_file(buf, fd, 0, (ev_off_t)len), 0);
	}
	return buf;
}

static void on_lengths(struct evhttp_request *req, void *arg)
{
	int is_whole = strncmp(evhttp_request_get_uri(req), "/whole", 6) == 0;
	struct evbuffer *buf;

	if (is_whole) {
		buf = filled((size_t)atoi(evhttp_request_get_uri(req) + 6), arg);
		evhttp_send_reply(req, 200, "OK", buf);
		cr_expect_eq(evbuffer_get_length(buf), 0);
		evbuffer_free(buf);
		return;
	}
	evhttp_send_reply_start(req, 200, "OK");
	for (size_t i = 0; i < N_LENGTHS; i++) {
		buf = filled(i, arg);
		evhttp_send_reply_chunk(req, buf);
		cr_expect_eq(evbuffer_get_length(buf), 0);
		evbuffer_free(buf);
	}
	evhttp_send_reply_end(req);
}

static void check_pieces(void)
{
	const char *at = body_of(get("/pieces"));
	char size[24];

	for (size_t i = 0; i < N_LENGTHS; i++) {
		evutil_snprintf(size, sizeof(size), "%zx\r\n", lengths[i]);
		cr_assert_eq(strncmp(at, size, strlen(size)), 0, "piece %zu", lengths[i]);
		at += strlen(size);
		cr_assert_arr_eq(at, fill, lengths[i], "piece %zu", lengths[i]);
		at += lengths[i];
		cr_assert_eq(strncmp(at, "\r\n", 2), 0, "piece %zu", lengths[i]);
		at += 2;
	}
	cr_assert_str_eq(at, "0\r\n\r\n");
}

static void check_whole(size_t i)
{
	char target[24], line[40];
	const char *got;

	evutil_snprintf(target, sizeof(target), "/whole%zu", i);
	evutil_snprintf(line, sizeof(line), "Content-Length: %zu", lengths[i]);
	got = get(target);
	cr_assert(has_line(got, line), "%zu", lengths[i]);
	cr_assert_eq(strlen(body_of(got)), lengths[i]);
	cr_assert_arr_eq(body_of(got), fill, lengths[i], "body %zu", lengths[i]);
}

/* HTTP-102, HTTP-104: small bodies are copied behind their heads, large ones are not. */
Test(http_server_stream, bytes_of_every_length_and_kind)
{
	static const char *const hows[] = { "copy", "reference", "file" };
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = (char)('a' + i % 26);
	cr_assert_eq(fwrite(fill, 1, sizeof(fill), file), sizeof(fill));
	cr_assert_eq(fflush(file), 0);
	fill_fd = fileno(file);
	for (size_t how = 0; how < sizeof(hows) / sizeof(hows[0]); how++) {
		evhttp_set_gencb(http, on_lengths, (void *)(uintptr_t)hows[how]);
		check_pieces();
		for (size_t i = 0; i < N_LENGTHS; i++)
			check_whole(i);
	}
	fclose(file);
}
