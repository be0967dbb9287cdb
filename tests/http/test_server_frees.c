/* SPDX-License-Identifier: BSD-3-Clause */
/* Every free in every callback: of the request, its connection, the server. */

#include "server_test.h"

TestSuite(http_server_frees, .init = http_open, .fini = http_close, .timeout = 120);

enum where {
	IN_NEW,
	IN_HEAD,
	IN_CHUNK,
	IN_HANDLER,
	IN_COMPLETE,
	IN_SENT,
	IN_CLOSE,
	IN_ERROR,
	N_WHERE
};
enum what { FREE_REQUEST, FREE_CONNECTION, FREE_SERVER, FREE_BOTH, ANSWER_AND_FREE, N_WHAT };

static enum where where;
static enum what what;
static int done;

/* A request that was not answered, and whose connection has gone, is the program's to free. */
static struct evhttp_request *orphan;

static void free_server(void)
{
	evhttp_free(http);
	http = NULL;
}

static void act(enum where here, struct evhttp_connection *evcon, struct evhttp_request *req)
{
	if (here != where || done)
		return;
	done = 1;
	switch (what) {
	case FREE_REQUEST:
		if (req != NULL)
			evhttp_request_free(req);
		break;
	case FREE_CONNECTION:
		evhttp_connection_free(evcon);
		if (here == IN_HANDLER)
			orphan = req;
		break;
	case FREE_SERVER:
		free_server();
		if (here == IN_HANDLER)
			orphan = req;
		break;
	case FREE_BOTH:
		evhttp_connection_free(evcon);
		if (here == IN_HANDLER)
			evhttp_request_free(req);
		if (here == IN_HANDLER || here == IN_CHUNK || here == IN_HEAD)
			free_server();
		break;
	default:
		if (here == IN_HANDLER)
			http_hello(req, NULL);
		free_server();
	}
}

static void on_sent(struct evhttp_connection *evcon, void *arg)
{
	(void)arg;
	act(IN_SENT, evcon, NULL);
}

static void on_complete(struct evhttp_request *req, void *arg)
{
	(void)arg;
	act(IN_COMPLETE, evhttp_request_get_connection(req), req);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	(void)arg;
	act(IN_CLOSE, evcon, NULL);
}

static int on_head(struct evhttp_request *req, void *arg)
{
	(void)arg;
	act(IN_HEAD, evhttp_request_get_connection(req), req);
	return 0;
}

static void on_chunk(struct evhttp_request *req, void *arg)
{
	(void)arg;
	act(IN_CHUNK, evhttp_request_get_connection(req), req);
}

static struct evhttp_connection *last_evcon;

static void on_error(enum evhttp_request_error error, void *arg)
{
	(void)error;
	(void)arg;
	act(IN_ERROR, last_evcon, NULL);
}

static int on_new(struct evhttp_request *req, void *arg)
{
	(void)arg;
	last_evcon = evhttp_request_get_connection(req);
	evhttp_connection_set_closecb(last_evcon, on_close, NULL);
	evhttp_request_set_header_cb(req, on_head);
	evhttp_request_set_chunked_cb(req, on_chunk);
	evhttp_request_set_error_cb(req, on_error);
	evhttp_request_set_on_complete_cb(req, on_complete, NULL);
	act(IN_NEW, last_evcon, req);
	return 0;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evbuffer *piece = evbuffer_new();

	(void)arg;
	act(IN_HANDLER, evhttp_request_get_connection(req), req);
	if (!done || where != IN_HANDLER) {
		evbuffer_add(piece, "hello", 5);
		evhttp_send_reply_start(req, 200, NULL);
		evhttp_send_reply_chunk_with_cb(req, piece, on_sent, NULL);
		evhttp_send_reply_end(req);
	}
	evbuffer_free(piece);
}

static const char *const texts[] = {
	REQUEST("POST /", "Content-Length: 4\r\n") "body" GET("/"),
	REQUEST("POST /",
		"Transfer-Encoding: chunked\r\nConnection: close\r\n") "4\r\nbody\r\n0\r\n\r\n",
	REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "4\r\nbody\r\nzz\r\n",
	"nonsense\r\n\r\n",
	"GET / HT",
};

static void run(const char *text)
{
	struct evhttp_bound_socket *bound;

	if (http == NULL) {
		http = evhttp_new(base);
		bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
		port = http_port_of(bound);
	}
	evhttp_set_gencb(http, on_request, NULL);
	evhttp_set_newreqcb(http, on_new, NULL);
	done = 0;
	talk(text);
	settle();
	if (orphan != NULL)
		evhttp_request_free(orphan);
	orphan = NULL;
	if (http != NULL)
		until_connections(0);
}

/* HTTP-019, HTTP-248, HTTP-270, HTTP-382, H45: nothing crashes, nothing is left. */
Test(http_server_frees, everything_everywhere)
{
	for (where = 0; where < N_WHERE; where++)
		for (what = 0; what < N_WHAT; what++)
			for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
				run(texts[i]);
}

/* HTTP-017: connections, idle and busy; their close callbacks run. */
static void tell_close(struct evhttp_request *req, void *arg)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), http_on_close, NULL);
	if (arg != NULL)
		http_hello(req, NULL);
	else
		http_keep(req, NULL);
}

Test(http_server_frees, a_server_ends_its_connections)
{
	struct peer *idle = peer_open(port);
	struct peer *busy = peer_open(port);

	evhttp_set_cb(http, "/idle", tell_close, base);
	evhttp_set_cb(http, "/busy", tell_close, NULL);
	peer_send(idle, GET("/idle"));
	peer_until(idle, "hello");
	peer_send(busy, GET("/busy"));
	log_wait("handler");
	free_server();
	cr_expect_str_eq(http_log, "handler close close");
	/* HTTP-018: what was not answered is the program's now, without a connection. */
	cr_expect_null(evhttp_request_get_connection(kept));
	evhttp_request_free(kept);
	peer_until_end(idle);
	peer_until_end(busy);
	peer_close(idle);
	peer_close(busy);
}

/* HTTP-018 */
static void own_and_keep(struct evhttp_request *req, void *arg)
{
	evhttp_request_own(req);
	http_keep(req, arg);
}

Test(http_server_frees, an_owned_request_survives_its_server)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, own_and_keep, NULL);
	peer_send(peer, GET("/x"));
	log_wait("handler");
	free_server();
	cr_expect_null(evhttp_request_get_connection(kept));
	cr_expect_str_eq(evhttp_request_get_uri(kept), "/x");
	evhttp_request_free(kept);
	peer_close(peer);
}
