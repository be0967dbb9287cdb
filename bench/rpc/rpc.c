/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages and calls. message: marshal and unmarshal one with 10 parts. call: round trips through a
 * server in the same loop, `a` of them in flight, each on a connection of its own.
 */

#include "../bench.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_compat.h>
#include <event2/http.h>
#include <event2/http_compat.h>
#include <event2/rpc.h>
#include <event2/rpc_struct.h>

#include "bench.gen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

EVRPC_HEADER(Echo, entry, entry)
EVRPC_GENERATE(Echo, entry, entry)

static void fill(struct entry *entry, int parts)
{
	EVTAG_ASSIGN(entry, name, "the name of an entry");
	for (int i = 0; i < 4; i++)
		EVTAG_ARRAY_ADD_VALUE(entry, values, (ev_uint32_t)i * 1000);
	EVTAG_ASSIGN_WITH_LEN(entry, blob, (const ev_uint8_t *)"0123456789", 10);
	for (int i = 0; i < parts; i++)
		fill(EVTAG_ARRAY_ADD(entry, parts), 0);
}

static void run_message(long n, const struct bench_case *which)
{
	struct evbuffer *buf = evbuffer_new();
	struct entry *entry = entry_new(), *got = entry_new();
	uint64_t start;

	fill(entry, (int)which->a);
	start = bench_now_ns();
	for (long i = 0; i < n; i++) {
		entry_marshal(buf, entry);
		if (entry_unmarshal(got, buf) != 0)
			bench_die("unmarshal");
		entry_clear(got);
	}
	bench_report_ns(bench_now_ns() - start, (double)n);
	entry_free(entry);
	entry_free(got);
	evbuffer_free(buf);
}

struct load {
	struct event_base *base;
	struct evrpc_pool *pool;
	struct entry *request;
	long left; /* to start */
	long open;
};

static void on_echo(EVRPC_STRUCT(Echo) *rpc, void *arg)
{
	(void)arg;
	EVTAG_ASSIGN(rpc->reply, name, rpc->request->name_data);
	EVRPC_REQUEST_DONE(rpc);
}

static void start_call(struct load *load, struct entry *reply);

static void on_reply(struct evrpc_status *status, struct entry *request, struct entry *reply,
		     void *arg)
{
	struct load *load = arg;

	(void)request;
	if (status->error != EVRPC_STATUS_ERR_NONE)
		bench_die("call");
	load->open--;
	entry_clear(reply);
	if (load->left > 0)
		start_call(load, reply);
	else
		entry_free(reply);
	if (load->open == 0)
		event_base_loopbreak(load->base);
}

static void start_call(struct load *load, struct entry *reply)
{
	load->left--;
	load->open++;
	EVRPC_MAKE_REQUEST(Echo, load->pool, load->request, reply, on_reply, load);
}

static void run_call(long n, const struct bench_case *which)
{
	struct load load = { .base = event_init(), .left = n, .request = entry_new() };
	struct evhttp *http = evhttp_new(load.base);
	struct evrpc_base *rpc = evrpc_init(http);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	uint64_t start;

	if (bound == NULL || EVRPC_REGISTER(rpc, Echo, entry, entry, on_echo, NULL) != 0)
		bench_die("server");
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&sin, &len);
	load.pool = evrpc_pool_new(load.base);
	/* The old constructor: 2.1's pools take no connection that was given its base. */
	for (long i = 0; i < which->a; i++)
		evrpc_pool_add_connection(load.pool,
					  evhttp_connection_new("127.0.0.1", ntohs(sin.sin_port)));
	fill(load.request, 0);
	start = bench_now_ns();
	for (long i = 0; i < which->a && load.left > 0; i++)
		start_call(&load, entry_new());
	event_base_dispatch(load.base);
	bench_report_rate(bench_now_ns() - start, (double)n);
	evrpc_pool_free(load.pool);
	evrpc_free(rpc);
	evhttp_free(http);
	entry_free(load.request);
	event_base_free(load.base);
}

static const struct bench_case cases[] = {
	{ "message_10_parts", run_message, 10, 0, 50000 },
	{ "call_1", run_call, 1, 0, 20000 },
	{ "call_16", run_call, 16, 0, 20000 },
	{ 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
