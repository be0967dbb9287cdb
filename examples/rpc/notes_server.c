/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An RPC server: keeps the last note, and says how many there were.
 *
 *     notes_server [PORT]
 *
 * Without port the system chooses one; it is printed.
 */

#include "notes.h"

#include <event2/event.h>
#include <event2/http.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct book {
	struct note *last;
	ev_uint32_t number;
};

static void on_write(EVRPC_STRUCT(Write) *rpc, void *arg)
{
	struct book *book = arg;
	struct note *note;

	if (book->last != NULL)
		EVTAG_ASSIGN(rpc->reply, previous, book->last);
	EVTAG_ASSIGN(rpc->reply, number, ++book->number);

	/* The request goes with the call, so keep a copy: a structure's member is one. */
	note = note_new();
	if (note != NULL) {
		EVTAG_ASSIGN(note, author, rpc->request->author_data);
		EVTAG_ASSIGN(note, text, rpc->request->text_data);
		note_free(book->last);
		book->last = note;
	}
	EVRPC_REQUEST_DONE(rpc);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopexit(arg, NULL);
}

static int print_port(struct evhttp_bound_socket *bound)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&sin, &len) != 0)
		return -1;
	printf("port %d\n", ntohs(sin.sin_port));
	return fflush(stdout);
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0;
	struct event_base *base = event_base_new();
	struct evhttp *http = base ? evhttp_new(base) : NULL;
	struct evrpc_base *rpc = http ? evrpc_init(http) : NULL;
	struct evhttp_bound_socket *bound;
	struct event *end;
	struct book book = { NULL, 0 };

	if (rpc == NULL || EVRPC_REGISTER(rpc, Write, note, receipt, on_write, &book) != 0)
		return 1;
	evhttp_set_max_body_size(http, 1 << 20); /* strangers may call */
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", (ev_uint16_t)port);
	if (bound == NULL || print_port(bound) != 0)
		return 1;
	end = evsignal_new(base, SIGTERM, on_signal, base);
	event_add(end, NULL);

	event_base_dispatch(base);

	event_free(end);
	evrpc_free(rpc);
	evhttp_free(http);
	event_base_free(base);
	note_free(book.last);
	return 0;
}
