/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chat_server [PORT]: a chat for browsers. Open the page that it prints, twice.
 *
 * One HTTP server gives out the page, and takes WebSocket sessions at /chat. A session's first
 * message is a name; what it sends from then on goes to everybody. A session that does not read is
 * closed when too much waits for it, so nobody can make the server's memory grow.
 */

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/ws.h>

#include "chat_page.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_MAX_LEN 32
#define MESSAGE_MAX  2000
#define OUTPUT_LIMIT (256 * 1024)

struct guest {
	struct guest *next;
	struct evws_connection *ws;
	char name[NAME_MAX_LEN + 1]; /* "": has not said it yet */
};

static struct guest *guests;

static void say_to_all(const char *name, const char *text)
{
	char line[NAME_MAX_LEN + MESSAGE_MAX + 8];

	snprintf(line, sizeof(line), "%s\n%s", name, text);
	for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
		if (guest->name[0] != '\0')
			evws_send_text(guest->ws, line);
	}
}

static void on_message(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		       void *arg)
{
	struct guest *guest = arg;
	char text[MESSAGE_MAX + 1];

	if (type != WS_TEXT_FRAME || len == 0 || memchr(data, '\0', len) != NULL) {
		evws_close(ws, 1003);
		return;
	}
	memcpy(text, data, len); /* fits: see evws_connection_set_max_message() */
	text[len] = '\0';
	if (guest->name[0] != '\0') {
		say_to_all(guest->name, text);
	} else if (len <= NAME_MAX_LEN && strchr(text, '\n') == NULL) {
		memcpy(guest->name, text, len + 1);
		say_to_all("", strcat(text, " has come"));
	} else {
		evws_close(ws, 1008);
	}
}

static void on_close(struct evws_connection *ws, void *arg)
{
	struct guest *guest = arg, **link = &guests;
	char text[NAME_MAX_LEN + 16];

	(void)ws;
	while (*link != guest)
		link = &(*link)->next;
	*link = guest->next;
	if (guest->name[0] != '\0') {
		snprintf(text, sizeof(text), "%s has left", guest->name);
		say_to_all("", text);
	}
	free(guest);
}

static void on_chat(struct evhttp_request *req, void *arg)
{
	static const struct timeval silence = { 30, 0 };
	struct guest *guest = calloc(1, sizeof(*guest));

	(void)arg;
	if (guest == NULL) {
		evhttp_send_error(req, 503, NULL);
		return;
	}
	guest->ws = evws_new_session(req, on_message, guest, EVWS_OPT_DEFLATE);
	if (guest->ws == NULL) { /* it was no handshake, which has been said */
		free(guest);
		return;
	}
	evws_connection_set_closecb(guest->ws, on_close, guest);
	evws_connection_set_max_message(guest->ws, MESSAGE_MAX);
	evws_connection_set_max_output(guest->ws, OUTPUT_LIMIT);
	(void)evws_connection_set_keepalive(guest->ws, &silence);
	guest->next = guests;
	guests = guest;
}

static void on_page(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_reference(body, chat_page, sizeof(chat_page), NULL, NULL);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  "text/html; charset=utf-8");
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(arg);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
	struct event *terminate = evsignal_new(base, SIGTERM, on_signal, base);
	struct evhttp_bound_socket *bound;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1",
					       argc > 1 ? (ev_uint16_t)atoi(argv[1]) : 0);
	if (bound == NULL) {
		perror("chat_server");
		return 1;
	}
	evhttp_set_cb(http, "/", on_page, NULL);
	evhttp_set_cb(http, "/chat", on_chat, NULL);
	event_add(interrupt, NULL);
	event_add(terminate, NULL);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&sin, &len);
	printf("http://127.0.0.1:%d/\n", ntohs(sin.sin_port));
	fflush(stdout);
	event_base_dispatch(base);

	evhttp_free(http); /* ends the sessions */
	event_free(interrupt);
	event_free(terminate);
	event_base_free(base);
	return 0;
}
