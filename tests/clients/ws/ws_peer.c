/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our end of the talks with other WebSocket implementations.
 *
 *   ws_peer serve [deflate] an echo server at /echo; the page that PAGE names at /; what is posted
 *                                to /result is printed. Prints its port first.
 *   ws_peer talk PORT [deflate]  a client: messages of many sizes, each must come back as it was
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/ws.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int options;

/* --- Server ----------------------------------------------------------------------------------- */

static void on_echo(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		    void *arg)
{
	char *text;

	(void)arg;
	if (type == WS_BINARY_FRAME) {
		evws_send_binary(ws, (const char *)data, len);
		return;
	}
	text = malloc(len + 1);
	memcpy(text, data, len);
	text[len] = '\0';
	if (strncmp(text, "close ", 6) == 0)
		evws_close(ws, (uint16_t)atoi(text + 6));
	else
		evws_send_text(ws, text);
	free(text);
}

static void on_upgrade(struct evhttp_request *req, void *arg)
{
	(void)arg;
	(void)evws_new_session(req, on_echo, NULL, options);
}

static void on_page(struct evhttp_request *req, void *arg)
{
	const char *path = getenv("PAGE");
	struct evbuffer *body = evbuffer_new();
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	(void)arg;
	if (fd >= 0)
		evbuffer_add_file(body, fd, 0, -1);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  "text/html; charset=utf-8");
	evhttp_send_reply(req, fd >= 0 ? 200 : 404, NULL, body);
	evbuffer_free(body);
}

static void on_result(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);

	(void)arg;
	printf("%.*s\n", (int)evbuffer_get_length(body), (const char *)evbuffer_pullup(body, -1));
	fflush(stdout);
	evhttp_send_reply(req, 200, NULL, NULL);
}

static void serve(struct event_base *base)
{
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	evhttp_set_cb(http, "/echo", on_upgrade, NULL);
	evhttp_set_cb(http, "/", on_page, NULL);
	evhttp_set_cb(http, "/result", on_result, NULL);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len);
	printf("%d\n", ntohs(name.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
	evhttp_free(http);
}

/* --- Client ----------------------------------------------------------------------------------- */

static const size_t sizes[] = { 1, 125, 126, 127, 65535, 65536, 1000000, 3000000 };

static unsigned at; /* message that is awaited: text and binary of each size in turn */
static int result = 1;

static char *message_of(unsigned number, size_t *ret_len)
{
	size_t len = sizes[number / 2];
	char *data = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(number % 2 ? i * 31 + number : 'a' + (i * 7 + i / 26) % 26);
	data[len] = '\0';
	*ret_len = len;
	return data;
}

static void send_next(struct evws_connection *ws)
{
	size_t len;
	char *data;

	if (at == 2 * sizeof(sizes) / sizeof(sizes[0])) {
		evws_close(ws, WS_CR_NORMAL);
		return;
	}
	data = message_of(at, &len);
	if (at % 2)
		evws_send_binary(ws, data, len);
	else
		evws_send_text(ws, data);
	free(data);
}

static void on_answer(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		      void *arg)
{
	size_t want_len;
	char *want = message_of(at, &want_len);

	(void)arg;
	if (type != (at % 2 ? WS_BINARY_FRAME : WS_TEXT_FRAME) || len != want_len ||
	    memcmp(data, want, len) != 0) {
		printf("message %u came back as another\n", at);
		evws_connection_free(ws);
	} else {
		at++;
		send_next(ws);
	}
	free(want);
}

static void on_open(struct evws_connection *ws, int status, void *arg)
{
	if (status == 101) {
		send_next(ws);
		return;
	}
	printf("refused with %d\n", status);
	event_base_loopbreak(arg);
}

static void on_close(struct evws_connection *ws, void *arg)
{
	int code = evws_connection_get_close_code(ws);

	printf("%u messages, closed with %d\n", at, code);
	result = code == 1000 && at == 2 * sizeof(sizes) / sizeof(sizes[0]) ? 0 : 1;
	event_base_loopbreak(arg);
}

static void talk(struct event_base *base, const char *port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)),
	};
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct evws_connection *ws;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ws = evws_client_new(base, bev, "localhost", "/echo", NULL, NULL, on_open, on_answer, base,
			     options);
	evws_connection_set_closecb(ws, on_close, base);
	bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name));
	event_base_dispatch(base);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();

	if (strcmp(argv[argc - 1], "deflate") == 0)
		options |= EVWS_OPT_DEFLATE;
	if (argc > 2 && strcmp(argv[1], "talk") == 0)
		talk(base, argv[2]);
	else
		serve(base);
	event_base_free(base);
	return result;
}
