/* SPDX-License-Identifier: BSD-3-Clause */
/* Every allocation refused once: the server stays up, nothing leaks, no reply is wrong. */

#include "server_test.h"

TestSuite(http_server_memory, .init = http_open, .fini = http_close, .timeout = 300);

static int page(struct evhttp_request *req, struct evbuffer *buffer, int code, const char *reason,
		void *arg)
{
	(void)req;
	(void)arg;
	evbuffer_add_printf(buffer, "page %d %s", code, reason != NULL ? reason : "");
	return 0;
}

static void handle(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	if (body == NULL) {
		evhttp_send_error(req, 500, NULL);
		return;
	}
	(void)evhttp_request_get_evhttp_uri(req);
	(void)evhttp_request_get_host(req);
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), "X-Field", "value");
	evbuffer_add(body, "hello", 5);
	if (evhttp_request_get_command(req) == EVHTTP_REQ_PUT) {
		evhttp_send_reply_start(req, 200, NULL);
		evhttp_send_reply_chunk_with_cb(req, body, NULL, NULL);
		evhttp_send_reply_end(req);
	} else {
		evhttp_send_reply(req, 200, NULL, body);
	}
	evbuffer_free(body);
}

static const char *const texts[] = {
	GET("/a%20path?query"),
	"GET http://user@host:80/x HTTP/1.1\r\nHost: b\r\n\r\n",
	REQUEST("POST /", "Content-Length: 4\r\n") "body",
	REQUEST("PUT /", "Transfer-Encoding: chunked\r\n") "4\r\nbody\r\n0\r\nT: x\r\n\r\n",
	REQUEST("POST /", "Content-Length: 4\r\nExpect: x\r\n"),
	"nonsense\r\n\r\n",
	REQUEST("GET /", "Folded: a\r\n b\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n"),
};

/* The peer's own allocations are not refused: its bytes are sent before, and read after. */
static void refuse_one(const char *text, int n, int *ret_refused)
{
	struct peer *peer = peer_open(port);

	peer_send(peer, text);
	peer_finish(peer);
	bufferevent_disable(peer->bev, EV_READ);
	support_fail_once_after(n);
	settle();
	*ret_refused = support_has_refused();
	support_fail_once_after(-1);
	bufferevent_enable(peer->bev, EV_READ);
	peer_until_end(peer);
	if (peer->len > 0) {
		cr_expect_gt(code_of(peer->got), 0, "%s", peer->got);
		cr_expect_not_null(strstr(peer->got, "\r\n\r\n"));
	}
	peer_close(peer);
}

static void refuse_each(const char *text)
{
	int refused = 1;

	for (int n = 0; refused; n++) {
		cr_assert_lt(n, 500);
		refuse_one(text, n, &refused);
		settle();
	}
}

/* HTTP-001: each in turn; the server answers the next client. */
Test(http_server_memory, every_allocation_refused_once)
{
	struct evhttp *vhost = evhttp_new(base);

	evhttp_set_gencb(http, handle, NULL);
	evhttp_set_gencb(vhost, handle, NULL);
	evhttp_add_virtual_host(http, "ho*", vhost);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuse_each(texts[i]);
	evhttp_set_errorcb(http, page, NULL);
	refuse_each(GET("/"));
	refuse_each("nonsense\r\n\r\n");
	check_reply(get("/"), 200, "hello");
}

/* HTTP-001, HTTP-003: making a server. */
Test(http_server_memory, making_a_server)
{
	struct evhttp *other = NULL;

	for (int n = 0; other == NULL; n++) {
		cr_assert_lt(n, 10);
		support_fail_once_after(n);
		other = evhttp_new(base);
		support_fail_once_after(-1);
	}
	for (int n = 0;; n++) {
		int result;

		cr_assert_lt(n, 100);
		support_fail_once_after(n);
		result = evhttp_bind_socket(other, "127.0.0.1", 0);
		support_fail_once_after(-1);
		if (result == 0)
			break;
	}
	evhttp_free(other);
}
