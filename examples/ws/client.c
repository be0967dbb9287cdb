/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client ws[s]://HOST[:PORT]/PATH: sends each line of the input as a message, prints each message.
 *
 * Ends when the input does, behind the closing handshake, or when the server closes.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/ws.h>

#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct event *input; /* when there is something to read */
static struct evbuffer *typed;
static int result = 1;

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	int n = evbuffer_read(typed, fd, 4096);
	char *line;

	(void)what;
	while ((line = evbuffer_readln(typed, NULL, EVBUFFER_EOL_LF)) != NULL) {
		evws_send_text(arg, line);
		free(line);
	}
	if (n <= 0) {
		event_del(input);
		evws_close(arg, WS_CR_NORMAL);
	}
}

static void on_open(struct evws_connection *ws, int status, void *arg)
{
	(void)arg;
	if (status == 0) {
		fprintf(stderr, "no WebSocket there: %s\n", evws_client_get_failure(ws)->text);
		return;
	}
	if (status != 101) {
		fprintf(stderr, "the server answers with %d\n", status);
		return;
	}
	event_assign(input, event_get_base(input), 0, EV_READ | EV_PERSIST, on_input, ws);
	event_add(input, NULL);
}

static void on_message(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		       void *arg)
{
	(void)ws;
	(void)arg;
	if (type == WS_TEXT_FRAME)
		printf("%.*s\n", (int)len, (const char *)data);
	else
		printf("(%zu bytes)\n", len);
	fflush(stdout);
}

static void on_close(struct evws_connection *ws, void *arg)
{
	int code = evws_connection_get_close_code(ws);

	(void)arg;
	event_del(input);
	if (code != WS_CR_NORMAL)
		fprintf(stderr, "closed with %d\n", code);
	result = code != WS_CR_NORMAL;
}

static int is_scheme(const struct evhttp_uri *uri, const char *name)
{
	const char *scheme = evhttp_uri_get_scheme(uri);

	return scheme != NULL && evutil_ascii_strcasecmp(scheme, name) == 0;
}

static struct evws_connection *open_session(struct event_base *base, const struct evhttp_uri *uri)
{
	int is_secure = is_scheme(uri, "wss");
	const char *host = evhttp_uri_get_host(uri), *path = evhttp_uri_get_path(uri);
	const char *query = evhttp_uri_get_query(uri);
	int port = evhttp_uri_get_port(uri) > 0 ? evhttp_uri_get_port(uri) : is_secure ? 443 : 80;
	struct bufferevent *bev = is_secure
					  ? secure_transport(base, host)
					  : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	char authority[300], target[2000];
	struct evws_connection *ws;

	if (bev == NULL) {
		fputs("no transport for that\n", stderr);
		return NULL;
	}
	snprintf(authority, sizeof(authority), "%s:%d", host, port);
	snprintf(target, sizeof(target), "%s%s%s", path[0] != '\0' ? path : "/",
		 query != NULL ? "?" : "", query != NULL ? query : "");
	ws = evws_client_new(base, bev, authority, target, NULL, NULL, on_open, on_message, NULL,
			     EVWS_OPT_DEFLATE);
	if (ws == NULL) {
		bufferevent_free(bev);
		return NULL;
	}
	evws_connection_set_closecb(ws, on_close, NULL);
	/* Failures come to on_open(). */
	if (bufferevent_socket_connect_hostname(bev, NULL, AF_UNSPEC, host, port) == 0)
		return ws;
	evws_connection_free(ws);
	return NULL;
}

int main(int argc, char **argv)
{
	struct event_config *config = event_config_new();
	struct evhttp_uri *uri = argc > 1 ? evhttp_uri_parse(argv[1]) : NULL;
	struct event_base *base;

	if (uri == NULL || evhttp_uri_get_host(uri) == NULL ||
	    (!is_scheme(uri, "ws") && !is_scheme(uri, "wss"))) {
		fprintf(stderr, "usage: %s ws[s]://HOST[:PORT]/PATH\n", argv[0]);
		return 2;
	}
	event_config_require_features(config, EV_FEATURE_FDS); /* the input may be a file */
	base = event_base_new_with_config(config);
	input = event_new(base, -1, 0, on_input, NULL);
	typed = evbuffer_new();
	if (open_session(base, uri) != NULL)
		event_base_dispatch(base);

	event_free(input);
	evbuffer_free(typed);
	event_base_free(base);
	event_config_free(config);
	evhttp_uri_free(uri);
	return result;
}
