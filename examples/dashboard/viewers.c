/* SPDX-License-Identifier: BSD-3-Clause */
#include "viewers.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/ws.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two minutes, four samples a second. */
#define HISTORY 480

/* A viewer that has not taken that much gets no further samples until it has. */
#define OUTPUT_MAX (128 * 1024)

struct viewer {
	struct viewer *next;
	struct viewers *viewers;
	struct evws_connection *ws;
};

struct viewers {
	struct event_base *base;
	viewers_command_cb command;
	void *arg;
	struct viewer *first;
	int count;
	struct sample history[HISTORY];
	size_t samples; /* ever told; the last HISTORY of them are kept */
};

/* Names and places of what is sent, in order; `digits` behind the point. */
static const struct {
	const char *name;
	size_t offset;
	int digits;
} fields[] = {
	{ "time", offsetof(struct sample, time), 2 },
	{ "rounds", offsetof(struct sample, rounds), 0 },
	{ "events", offsetof(struct sample, events), 0 },
	{ "activeMax", offsetof(struct sample, active_max), 0 },
	{ "busy", offsetof(struct sample, busy), 4 },
	{ "delay50", offsetof(struct sample, delay_p50), 1 },
	{ "delay99", offsetof(struct sample, delay_p99), 1 },
	{ "delayMax", offsetof(struct sample, delay_max), 1 },
	{ "late50", offsetof(struct sample, late_p50), 1 },
	{ "late99", offsetof(struct sample, late_p99), 1 },
	{ "lateMax", offsetof(struct sample, late_max), 1 },
	{ "trip50", offsetof(struct sample, trip_p50), 1 },
	{ "trip99", offsetof(struct sample, trip_p99), 1 },
	{ "tripMax", offsetof(struct sample, trip_max), 1 },
	{ "added", offsetof(struct sample, added), 0 },
	{ "timers", offsetof(struct sample, timers), 0 },
	{ "connections", offsetof(struct sample, connections), 0 },
	{ "viewers", offsetof(struct sample, viewers), 0 },
	{ "in", offsetof(struct sample, in), 0 },
	{ "out", offsetof(struct sample, out), 0 },
	{ "messages", offsetof(struct sample, messages), 0 },
	{ "cpu", offsetof(struct sample, cpu), 4 },
	{ "memory", offsetof(struct sample, memory), 0 },
};

static void add_names(struct evbuffer *out)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		evbuffer_add_printf(out, "%c\"%s\"", i == 0 ? '[' : ',', fields[i].name);
	evbuffer_add(out, "]", 1);
}

static void add_values(struct evbuffer *out, const struct sample *sample)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		double value;

		memcpy(&value, (const char *)sample + fields[i].offset, sizeof(value));
		evbuffer_add_printf(out, "%c%.*f", i == 0 ? '[' : ',', fields[i].digits, value);
	}
	evbuffer_add(out, "]", 1);
}

static void send_text(struct evws_connection *ws, struct evbuffer *text)
{
	evbuffer_add(text, "", 1);
	evws_send_text(ws, (const char *)evbuffer_pullup(text, -1));
}

static void send_past(struct viewers *viewers, struct evws_connection *ws)
{
	struct evbuffer *text = evbuffer_new();
	size_t first = viewers->samples > HISTORY ? viewers->samples - HISTORY : 0;

	evbuffer_add_printf(text, "{\"version\":\"%s\",\"method\":\"%s\",\"fields\":",
			    event_get_version(), event_base_get_method(viewers->base));
	add_names(text);
	evbuffer_add_printf(text, ",\"past\":[");
	for (size_t i = first; i < viewers->samples; i++) {
		if (i > first)
			evbuffer_add(text, ",", 1);
		add_values(text, &viewers->history[i % HISTORY]);
	}
	evbuffer_add_printf(text, "]}");
	send_text(ws, text);
	evbuffer_free(text);
}

static void on_message(struct evws_connection *ws, int type, const unsigned char *data, size_t len,
		       void *arg)
{
	struct viewer *viewer = arg;
	char text[32], what[16];
	int value;

	(void)ws;
	if (type != WS_TEXT_FRAME || len >= sizeof(text))
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	if (sscanf(text, "%15s %d", what, &value) == 2)
		viewer->viewers->command(what, value, viewer->viewers->arg);
}

static void on_close(struct evws_connection *ws, void *arg)
{
	struct viewer *viewer = arg, **link = &viewer->viewers->first;

	(void)ws;
	while (*link != viewer)
		link = &(*link)->next;
	*link = viewer->next;
	viewer->viewers->count--;
	free(viewer);
}

/* Pages of other sites may open sockets to us, too: they shall not turn our knobs. */
static int is_own_page(struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *origin = evhttp_find_header(headers, "Origin"),
		   *host = evhttp_find_header(headers, "Host");
	const char *authority = origin != NULL ? strstr(origin, "://") : NULL;

	return origin == NULL ||
	       (authority != NULL && host != NULL && strcmp(authority + 3, host) == 0);
}

void viewers_take(struct viewers *viewers, struct evhttp_request *req)
{
	static const struct timeval silence = { 20, 0 };
	struct viewer *viewer = is_own_page(req) ? calloc(1, sizeof(*viewer)) : NULL;

	if (viewer == NULL) {
		evhttp_send_error(req, 403, NULL);
		return;
	}
	viewer->ws = evws_new_session(req, on_message, viewer, EVWS_OPT_DEFLATE);
	if (viewer->ws == NULL) {
		free(viewer);
		return;
	}
	viewer->viewers = viewers;
	viewer->next = viewers->first;
	viewers->first = viewer;
	viewers->count++;
	evws_connection_set_closecb(viewer->ws, on_close, viewer);
	(void)evws_connection_set_keepalive(viewer->ws, &silence);
	send_past(viewers, viewer->ws);
}

void viewers_tell(struct viewers *viewers, struct sample *sample)
{
	struct evbuffer *text = evbuffer_new();

	sample->viewers = viewers->count;
	viewers->history[viewers->samples++ % HISTORY] = *sample;
	evbuffer_add_printf(text, "{\"sample\":");
	add_values(text, sample);
	evbuffer_add(text, "}", sizeof("}"));
	for (struct viewer *viewer = viewers->first, *next; viewer != NULL; viewer = next) {
		struct bufferevent *bev = evws_connection_get_bufferevent(viewer->ws);

		next = viewer->next; /* sending may end the session, for want of memory */
		if (evbuffer_get_length(bufferevent_get_output(bev)) < OUTPUT_MAX)
			evws_send_text(viewer->ws, (const char *)evbuffer_pullup(text, -1));
	}
	evbuffer_free(text);
}

struct viewers *viewers_new(struct event_base *base, viewers_command_cb command, void *arg)
{
	struct viewers *viewers = calloc(1, sizeof(*viewers));

	if (viewers == NULL)
		return NULL;
	viewers->base = base;
	viewers->command = command;
	viewers->arg = arg;
	return viewers;
}

void viewers_free(struct viewers *viewers)
{
	while (viewers->first != NULL)
		evws_connection_free(viewers->first->ws);
	free(viewers);
}
