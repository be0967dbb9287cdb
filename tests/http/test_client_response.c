/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses of every framing, cut at every byte. */

#include "http_test.h"

TestSuite(http_client_response, .init = http_open, .fini = http_close, .timeout = 120);

#define OK "HTTP/1.1 200 OK\r\n"

/* --- A connection whose other end is in the test's hand --------------------------------------- */

static struct evhttp_connection *evcon;
static struct peer *server;

static void open_pair(void)
{
	evutil_socket_t pair[2];

	http_log[0] = '\0';
	http_done = 0;
	support_socketpair(pair);
	server = peer_open_on(pair[1]);
	evcon = evhttp_connection_base_bufferevent_reuse_new(
		base, NULL, bufferevent_socket_new(base, pair[0], BEV_OPT_CLOSE_ON_FREE));
	cr_assert_not_null(evcon);
	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
}

static void close_pair(void)
{
	evhttp_connection_free(evcon);
	peer_close(server);
}

struct sample {
	const char *reply;
	enum evhttp_cmd_type type;
	int ends; /* the server closes */
	const char *log;
	const char *body;
};

/* HTTP-290, HTTP-291, HTTP-292, HTTP-293, HTTP-295, HTTP-296, HTTP-305 */
static const struct sample samples[] = {
	{ OK "Content-Length: 5\r\n\r\nhello", EVHTTP_REQ_GET, 0, "done-200", "hello" },
	{ OK "Content-Length: 0\r\n\r\n", EVHTTP_REQ_GET, 0, "done-200", "" },
	{ "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", EVHTTP_REQ_GET, 0, "done-200",
	  "hello" },
	{ OK
	  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;ext=\"v\"\r\n0123456789\r\n0\r\n\r\n",
	  EVHTTP_REQ_GET, 0, "done-200", "abc0123456789" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n000\r\nTrailer: x\r\n\r\n",
	  EVHTTP_REQ_GET, 0, "done-200", "abc" },
	{ OK "\r\nuntil the end", EVHTTP_REQ_GET, 1, "close done-200", "until the end" },
	{ OK "Connection: keep-alive\r\n\r\nuntil the end", EVHTTP_REQ_GET, 1, "close done-200",
	  "until the end" },
	{ OK "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nundecoded", EVHTTP_REQ_GET, 1,
	  "close done-200", "undecoded" },
	{ OK "Content-Length: 5\r\n\r\n", EVHTTP_REQ_HEAD, 0, "done-200", "" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n", EVHTTP_REQ_HEAD, 0, "done-200", "" },
	{ "HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", EVHTTP_REQ_GET, 0, "done-204", "" },
	{ "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", EVHTTP_REQ_GET, 0, "done-304", "" },
	{ "HTTP/1.1 200 Tunnel\r\nContent-Length: 5\r\n\r\n", EVHTTP_REQ_CONNECT, 0, "done-200",
	  "" },
	{ "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" OK
	  "A:\t folded\r\n  value \r\nContent-Length: 2\r\n\r\nok",
	  EVHTTP_REQ_GET, 0, "done-200", "ok" },
	{ "HTTP/1.1 404 Nope\nContent-Length: 2\n\nno", EVHTTP_REQ_GET, 0, "done-404", "no" },
	{ "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nno", EVHTTP_REQ_GET, 0, "done-999", "no" },
	{ OK "Content-Length: x\r\n\r\n", EVHTTP_REQ_GET, 0, "close error-2 done-null", NULL },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX", EVHTTP_REQ_GET, 0,
	  "close error-2 done-null", NULL },
	{ OK "Content-Length: 5\r\n\r\nhell", EVHTTP_REQ_GET, 1, "close error-1 done-null", NULL },
	{ "HTTP/1.1 2x0 OK\r\n", EVHTTP_REQ_GET, 0, "close error-2 done-null", NULL },
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* Lets the client read what the server has sent so far. */
static void settle(void)
{
	for (int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void check(const struct sample *sample, size_t cut)
{
	size_t len = strlen(sample->reply);

	open_pair();
	http_body[0] = '\0';
	cr_assert_eq(evhttp_make_request(evcon, client_request(), sample->type, "/x:1"), 0);
	peer_until(server, "\r\n\r\n");
	peer_send_bytes(server, sample->reply, cut);
	settle();
	if (cut < len)
		peer_send_bytes(server, sample->reply + cut, len - cut);
	if (sample->ends)
		peer_finish(server);
	client_wait(1);
	cr_assert_str_eq(http_log, sample->log, "%s cut at %zu", sample->reply, cut);
	if (sample->body != NULL)
		cr_assert_str_eq(http_body, sample->body, "%s cut at %zu", sample->reply, cut);
	close_pair();
}

Test(http_client_response, whole_and_in_two_pieces_at_every_byte)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		for (size_t cut = 1; cut <= strlen(samples[i].reply); cut++)
			check(&samples[i], cut);
	}
}

/* One byte at a time. */
Test(http_client_response, byte_by_byte)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		open_pair();
		http_body[0] = '\0';
		evhttp_make_request(evcon, client_request(), samples[i].type, "/x:1");
		peer_until(server, "\r\n\r\n");
		for (const char *at = samples[i].reply; *at != '\0'; at++) {
			peer_send_bytes(server, at, 1);
			settle();
		}
		if (samples[i].ends)
			peer_finish(server);
		client_wait(1);
		cr_assert_str_eq(http_log, samples[i].log, "%s", samples[i].reply);
		if (samples[i].body != NULL)
			cr_assert_str_eq(http_body, samples[i].body);
		close_pair();
	}
}

/* --- Chunk callback --------------------------------------------------------------------------- */

static void on_chunk(struct evhttp_request *req, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	char piece[64] = "";

	(void)arg;
	/* What is left in the buffer is dropped. */
	evbuffer_remove(in, piece, 4);
	http_note("[%s]", piece);
}

static void ask_with_chunk_cb(void)
{
	struct evhttp_request *req = client_request();

	open_pair();
	evhttp_request_set_chunked_cb(req, on_chunk);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	peer_until(server, "\r\n\r\n");
}

/* HTTP-260 */
Test(http_client_response, chunks_are_delivered_one_by_one)
{
	ask_with_chunk_cb();
	peer_send(server, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n6\r\nde");
	settle();
	cr_assert_str_eq(http_log, "[abc]");
	peer_send(server, "fghi\r\n0\r\n\r\n");
	client_wait(1);
	cr_assert_str_eq(http_log, "[abc] [defg] done-200");
	cr_assert_str_eq(http_body, "");
	close_pair();
}

/* HTTP-260 */
Test(http_client_response, other_bodies_are_delivered_as_they_come)
{
	ask_with_chunk_cb();
	peer_send(server, OK "Content-Length: 6\r\n\r\nabc");
	settle();
	cr_assert_str_eq(http_log, "[abc]");
	peer_send(server, "def");
	client_wait(1);
	cr_assert_str_eq(http_log, "[abc] [def] done-200");
	cr_assert_str_eq(http_body, "");
	close_pair();

	ask_with_chunk_cb();
	peer_send(server, OK "\r\nabc");
	settle();
	peer_send(server, "def");
	settle();
	peer_finish(server);
	client_wait(1);
	cr_assert_str_eq(http_log, "[abc] [def] close done-200");
	close_pair();
}

/* HTTP-260 */
Test(http_client_response, an_empty_body_is_not_delivered)
{
	ask_with_chunk_cb();
	peer_send(server, OK "Content-Length: 0\r\n\r\n");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	close_pair();
	ask_with_chunk_cb();
	peer_send(server, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	close_pair();
}

static size_t largest;
static size_t total;

static void measure(struct evhttp_request *req, void *arg)
{
	size_t len = evbuffer_get_length(evhttp_request_get_input_buffer(req));

	(void)arg;
	total += len;
	if (len > largest)
		largest = len;
}

/* HTTP-378: a large chunk is not gathered first. */
Test(http_client_response, a_large_chunk_is_delivered_in_bounded_pieces)
{
	struct evhttp_request *req = client_request();
	static char block[1 << 20];

	open_pair();
	evhttp_request_set_chunked_cb(req, measure);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	peer_until(server, "\r\n\r\n");
	peer_send(server, OK "Transfer-Encoding: chunked\r\n\r\n400000\r\n");
	for (int i = 0; i < 4; i++)
		peer_send_bytes(server, block, sizeof(block));
	peer_send(server, "\r\n0\r\n\r\n");
	client_wait(1);
	cr_assert_eq(total, 4u << 20);
	cr_assert_leq(largest, 128u << 10);
	close_pair();
}

/*
 * HTTP-305, HTTP-208: trailers are nowhere to be found. HTTP-306: the rules of header lines.
 * HTTP-147
 */
Test(http_client_response, what_the_request_shows_afterwards)
{
	struct evhttp_request *req = client_request();
	struct evkeyvalq *headers;

	open_pair();
	evhttp_request_own(req);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	peer_until(server, "\r\n\r\n");
	peer_send(server,
		  "HTTP/1.1 203 Some words \r\nTransfer-Encoding: chunked\r\nA: \t1 \r\nA: 2\r\n"
		  "Empty:\r\nFolded: a\r\n\t b\r\n\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\n");
	client_wait(1);
	headers = evhttp_request_get_input_headers(req);
	cr_assert_eq(evhttp_request_get_response_code(req), 203);
	cr_assert_not_null(strstr(evhttp_request_get_response_code_line(req), "Some words"));
	cr_assert_str_eq(evhttp_find_header(headers, "a"), "1");
	cr_assert_str_eq(evhttp_find_header(headers, "Empty"), "");
	cr_assert_str_eq(evhttp_find_header(headers, "Folded"), "a b");
	cr_assert_null(evhttp_find_header(headers, "Trailer"));
	cr_assert_eq(req->major, 1);
	cr_assert_eq(req->minor, 1);
	evhttp_request_free(req);
	close_pair();
}

/* Where a response sends its client. H67 */
Test(http_client_response, redirects_are_told)
{
	static const struct {
		int code;
		enum evhttp_cmd_type method;
		const char *from, *location;
		const char *to; /* NULL: nowhere */
		enum evhttp_cmd_type next;
	} table[] = {
		{ 301, EVHTTP_REQ_GET, "http://a/b/c", "d", "http://a/b/d", EVHTTP_REQ_GET },
		{ 301, EVHTTP_REQ_POST, "http://a/", "/d", "http://a/d", EVHTTP_REQ_GET },
		{ 302, EVHTTP_REQ_POST, "http://a/", "//b", "http://b", EVHTTP_REQ_GET },
		{ 302, EVHTTP_REQ_PUT, "http://a/", "/d", "http://a/d", EVHTTP_REQ_PUT },
		{ 303, EVHTTP_REQ_PUT, "http://a/", "/d", "http://a/d", EVHTTP_REQ_GET },
		{ 303, EVHTTP_REQ_HEAD, "http://a/", "/d", "http://a/d", EVHTTP_REQ_HEAD },
		{ 307, EVHTTP_REQ_POST, "http://a/", "/d", "http://a/d", EVHTTP_REQ_POST },
		{ 308, EVHTTP_REQ_POST, "http://a/", "https://a/", "https://a/", EVHTTP_REQ_POST },
		{ 302, EVHTTP_REQ_GET, "https://a/", "https://b/", "https://b/", EVHTTP_REQ_GET },
		{ 302, EVHTTP_REQ_GET, "https://a/", "HTTP://a/", NULL, 0 },
		{ 302, EVHTTP_REQ_GET, "http://a/", "ftp://a/", NULL, 0 },
		{ 302, EVHTTP_REQ_GET, "http://a/", "file:///etc/passwd", NULL, 0 },
		{ 302, EVHTTP_REQ_GET, "http://a/", "http:/d", NULL, 0 },
		{ 302, EVHTTP_REQ_GET, "http://a/", "http://a b/", NULL, 0 },
		{ 302, EVHTTP_REQ_GET, "http://a/", NULL, NULL, 0 },
		{ 300, EVHTTP_REQ_GET, "http://a/", "/d", NULL, 0 },
		{ 304, EVHTTP_REQ_GET, "http://a/", "/d", NULL, 0 },
		{ 200, EVHTTP_REQ_GET, "http://a/", "/d", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct evhttp_request *req = evhttp_request_new(NULL, NULL);
		struct evhttp_uri *from = evhttp_uri_parse(table[i].from), *to;
		enum evhttp_cmd_type next = 0;
		char text[64];

		req->response_code = table[i].code;
		req->type = table[i].method;
		if (table[i].location != NULL)
			evhttp_add_header(req->input_headers, "Location", table[i].location);
		to = evhttp_request_get_redirect(req, from, 0, &next);
		cr_assert_eq(to != NULL, table[i].to != NULL, "%zu", i);
		cr_expect_eq(next, table[i].next, "%zu", i);
		if (to != NULL) {
			cr_expect_str_eq(evhttp_uri_join(to, text, sizeof(text)), table[i].to);
			evhttp_uri_free(to);
		}
		evhttp_uri_free(from);
		evhttp_request_free(req);
	}
}

/* HTTP-301 */
Test(http_client_response, redirects_are_results_like_others)
{
	struct evhttp_request *req = client_request();

	open_pair();
	evhttp_request_own(req);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	peer_until(server, "\r\n\r\n");
	peer_send(server, "HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=b\r\n"
			  "Content-Length: 0\r\n\r\n");
	client_wait(1);
	settle();
	cr_assert_str_eq(http_log, "done-302");
	cr_assert_eq(times(server->got, "HTTP/1.1"), 1);
	cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(req), "Location"),
			 "/other");
	evhttp_request_free(req);
	close_pair();
}

/* --- Taking the connection over --------------------------------------------------------------- */

static void on_raw(struct bufferevent *bev, void *arg)
{
	char text[32] = "";

	(void)arg;
	bufferevent_read(bev, text, sizeof(text) - 1);
	http_note("raw:%s", text);
}

static void take_over(struct evhttp_request *req, void *arg)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(arg);

	http_on_done(req, NULL);
	bufferevent_setcb(bev, on_raw, NULL, NULL, NULL);
	http_note("%zu", evbuffer_get_length(bufferevent_get_input(bev)));
	bufferevent_write(bev, "up", 2);
}

static void upgrade(enum evhttp_cmd_type type, const char *reply)
{
	open_pair();
	cr_assert_eq(evhttp_make_request(evcon, evhttp_request_new(take_over, evcon), type, "a:1"),
		     0);
	peer_until(server, "\r\n\r\n");
	peer_send(server, reply);
	log_wait("3");
	peer_until(server, "up");
	peer_send(server, "down");
	log_wait("raw:");
}

/* HTTP-299, HTTP-300 */
Test(http_client_response, the_application_takes_the_connection_over)
{
	upgrade(EVHTTP_REQ_GET, "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nabc");
	cr_assert_str_eq(http_log, "done-101 3 raw:abcdown");
	close_pair();
	upgrade(EVHTTP_REQ_CONNECT, "HTTP/1.1 200 Tunnel\r\n\r\nabc");
	cr_assert_str_eq(http_log, "done-200 3 raw:abcdown");
	close_pair();
}

/* HTTP-300 */
Test(http_client_response, requests_travel_through_a_tunnel)
{
	open_pair();
	cr_assert_eq(evhttp_make_request(evcon, client_request(), EVHTTP_REQ_CONNECT, "a:1"), 0);
	client_get(evcon, "/inside");
	peer_until(server, "\r\n\r\n");
	peer_send(server, "HTTP/1.1 200 Tunnel\r\n\r\n");
	peer_until(server, "GET /inside");
	peer_send(server, OK "Content-Length: 0\r\n\r\n");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	/* Unasked bytes. */
	peer_send(server, "?");
	log_wait("close");
	close_pair();
}
