/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dashboard [ADDRESS [PORT]]: shows what its own event loop is doing, live, in a browser.
 *
 * One loop serves the page, the WebSocket stream behind it, and an echo service with its timers;
 * clients in another thread keep it busy. What is plotted is measured on the way, by the public
 * interface only. ADDRESS is 127.0.0.1 unless given; give 0.0.0.0 to look at it from a phone.
 * Ctrl-C ends it.
 */

#include "echo.h"
#include "load.h"
#include "page.h"
#include "probe.h"
#include "viewers.h"

#include <event2/buffer.h>
#include <event2/http.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define CLIENTS_AT_START 200
#define TIMERS_AT_START  1000
#define TIMERS_MAX       100000
#define STALL_MAX_MS     500

static const struct timeval sample_interval = { 0, 250000 };

struct dashboard {
	struct event_base *base;
	struct probe *probe;
	struct echo *echo;
	struct load *load;
	struct viewers *viewers;
	struct evhttp *http;
	double last_sample;
};

static void on_sample(evutil_socket_t fd, short what, void *arg)
{
	struct dashboard *d = arg;
	struct sample sample = { 0 };
	double now = now_us(), span = (now - d->last_sample) / 1e6;

	(void)fd;
	(void)what;
	d->last_sample = now;
	probe_sample(d->probe, &sample);
	echo_sample(d->echo, &sample, span);
	load_sample(d->load, &sample, span);
	viewers_tell(d->viewers, &sample);
}

/* What no callback should ever do: keep the loop from running. */
static void stall(int ms)
{
	double end = now_us() + ms * 1000.0;

	while (now_us() < end)
		;
}

static int limit(int value, int most)
{
	return value < 0 ? 0 : value < most ? value : most;
}

static void on_command(const char *what, int value, void *arg)
{
	struct dashboard *d = arg;

	if (strcmp(what, "clients") == 0)
		load_set_clients(d->load, limit(value, 1000));
	else if (strcmp(what, "timers") == 0)
		echo_set_timers(d->echo, limit(value, TIMERS_MAX));
	else if (strcmp(what, "stall") == 0)
		stall(limit(value, STALL_MAX_MS));
}

static void on_page(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_reference(body, page, sizeof(page), NULL, NULL);
	evhttp_add_header(headers, "Content-Type", "text/html; charset=utf-8");
	evhttp_add_header(headers, "Cache-Control", "no-cache");
	evhttp_add_header(
		headers, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
		"connect-src 'self' ws: wss:; img-src data:");
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

static void on_stream(struct evhttp_request *req, void *arg)
{
	struct dashboard *d = arg;

	viewers_take(d->viewers, req);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(arg);
}

/* Two descriptors a client, both ends being here. */
static void allow_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int start(struct dashboard *d, const char *address, int port)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in name = { 0 };
	socklen_t len = sizeof(name);

	d->base = event_base_new();
	d->probe = d->base != NULL ? probe_new(d->base) : NULL;
	d->echo = d->probe != NULL ? echo_new(d->base, d->probe) : NULL;
	d->viewers = d->echo != NULL ? viewers_new(d->base, on_command, d) : NULL;
	d->http = d->viewers != NULL ? evhttp_new(d->base) : NULL;
	d->load = d->http != NULL ? load_new(echo_port(d->echo)) : NULL;
	bound = d->load != NULL
			? evhttp_bind_socket_with_handle(d->http, address, (ev_uint16_t)port)
			: NULL;
	if (bound == NULL && d->load != NULL) /* taken: any other will do */
		bound = evhttp_bind_socket_with_handle(d->http, address, 0);
	if (bound == NULL)
		return -1;
	evhttp_set_cb(d->http, "/", on_page, d);
	evhttp_set_cb(d->http, "/stream", on_stream, d);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len);
	printf("http://%s:%d/\n", address, ntohs(name.sin_port));
	fflush(stdout);
	return 0;
}

static void stop(struct dashboard *d)
{
	if (d->load != NULL)
		load_free(d->load);
	if (d->viewers != NULL)
		viewers_free(d->viewers);
	if (d->http != NULL)
		evhttp_free(d->http);
	if (d->echo != NULL)
		echo_free(d->echo);
	if (d->probe != NULL)
		probe_free(d->probe);
	if (d->base != NULL)
		event_base_free(d->base);
}

static void run(struct dashboard *d)
{
	struct event *sampler = event_new(d->base, -1, EV_PERSIST, on_sample, d);
	struct event *interrupt = evsignal_new(d->base, SIGINT, on_signal, d->base);
	struct event *terminate = evsignal_new(d->base, SIGTERM, on_signal, d->base);

	d->last_sample = now_us();
	load_set_clients(d->load, CLIENTS_AT_START);
	echo_set_timers(d->echo, TIMERS_AT_START);
	event_add(sampler, &sample_interval);
	event_add(interrupt, NULL);
	event_add(terminate, NULL);
	event_base_dispatch(d->base);
	event_free(sampler);
	event_free(interrupt);
	event_free(terminate);
}

/* -1 if `text` is not the number of a port. */
static int port_of(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	return *text == '\0' || *end != '\0' || port < 0 || port > 65535 ? -1 : (int)port;
}

int main(int argc, char **argv)
{
	const char *address = argc > 1 ? argv[1] : "127.0.0.1";
	int port = argc > 2 ? port_of(argv[2]) : 0, status;
	struct dashboard d = { 0 };

	if (argc > 3 || *address == '-' || port < 0) {
		fprintf(stderr, "usage: %s [ADDRESS [PORT]]\n", argv[0]);
		return 2;
	}
	allow_descriptors();
	status = start(&d, address, port);
	if (status == 0)
		run(&d);
	else
		fprintf(stderr, "dashboard: cannot listen on %s: %s\n", address,
			errno != 0 ? strerror(errno) : "not an address of this machine");
	stop(&d);
	return status == 0 ? 0 : 1;
}
