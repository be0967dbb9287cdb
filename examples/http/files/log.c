/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: a line on standard output for each request,
 *
 *     127.0.0.1 "GET /big" 200 3000000 of 3000000 bytes in 0.012 s
 *
 * when the last byte has been handed to the system; "gone" in place of the status if the client
 * went before that. One write per line, so that threads do not mix them.
 */

#include "files.h"

#include <stdio.h>
#include <stdlib.h>

struct transfer {
	struct timespec began;
	size_t size;
	char what[256];
};

static void print(struct evhttp_connection *evcon, struct transfer *transfer, const char *status)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	size_t left = evbuffer_get_length(bufferevent_get_output(bev));
	const char *address;
	struct timespec now;
	ev_uint16_t port;

	clock_gettime(CLOCK_MONOTONIC, &now);
	evhttp_connection_get_peer(evcon, &address, &port);
	printf("%s \"%s\" %s %zu of %zu bytes in %.3f s\n", address, transfer->what, status,
	       transfer->size - (left < transfer->size ? left : transfer->size), transfer->size,
	       (double)(now.tv_sec - transfer->began.tv_sec) +
		       (double)(now.tv_nsec - transfer->began.tv_nsec) / 1e9);
	fflush(stdout);
	free(transfer);
}

static void on_gone(struct evhttp_connection *evcon, void *arg)
{
	print(evcon, arg, "gone");
}

static void on_complete(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	char status[16];

	evutil_snprintf(status, sizeof(status), "%d", evhttp_request_get_response_code(req));
	evhttp_connection_set_closecb(evcon, NULL, NULL);
	print(evcon, arg, status);
}

void log_reply(struct evhttp_request *req, size_t size)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
		return; /* without a line then */
	clock_gettime(CLOCK_MONOTONIC, &transfer->began);
	transfer->size = method == EVHTTP_REQ_HEAD ? 0 : size;
	evutil_snprintf(transfer->what, sizeof(transfer->what), "%s %s",
			method == EVHTTP_REQ_GET    ? "GET"
			: method == EVHTTP_REQ_HEAD ? "HEAD"
						    : "(other)",
			evhttp_request_get_uri(req));
	evhttp_request_set_on_complete_cb(req, on_complete, transfer);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_gone, transfer);
}
