/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc_test.h"

EVRPC_GENERATE(Message, msg, kill)
EVRPC_GENERATE(NeverReply, msg, kill)
EVRPC_GENERATE(Empty, tree, tree)

static void on_message(EVRPC_STRUCT(Message) *rpc, void *arg)
{
	struct world *world = arg;

	world->handled++;
	cr_expect_str_eq(rpc->request->from_name_data, "tester");
	cr_expect_not(EVTAG_HAS(rpc->reply, weapon));
	cr_expect_not_null(EVRPC_REQUEST_HTTP(rpc));
	EVTAG_ASSIGN(rpc->reply, weapon, "dagger");
	EVTAG_ASSIGN(rpc->reply, action, "wave around like an idiot");
	EVRPC_REQUEST_DONE(rpc);
}

static void on_never(EVRPC_STRUCT(NeverReply) *rpc, void *arg)
{
	struct world *world = arg;

	cr_assert_lt(world->kept_count, 8);
	world->kept[world->kept_count++] = rpc;
}

static void on_empty(EVRPC_STRUCT(Empty) *rpc, void *arg)
{
	struct world *world = arg;

	world->handled++;
	EVRPC_REQUEST_DONE(rpc);
}

static ev_uint16_t port_of(evutil_socket_t fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

struct evhttp_connection *world_connect(const struct world *world)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(world->base, NULL, "127.0.0.1", world->port);

	cr_assert_not_null(evcon);
	return evcon;
}

void world_init(struct world *world, int connections)
{
	struct evhttp_bound_socket *bound;

	memset(world, 0, sizeof(*world));
	world->error = -1;
	world->base = support_base_new();
	world->http = evhttp_new(world->base);
	cr_assert_not_null(world->http);
	bound = evhttp_bind_socket_with_handle(world->http, "127.0.0.1", 0);
	cr_assert_not_null(bound);
	world->port = port_of(evhttp_bound_socket_get_fd(bound));
	world->rpc = evrpc_init(world->http);
	cr_assert_not_null(world->rpc);
	cr_assert_eq(EVRPC_REGISTER(world->rpc, Message, msg, kill, on_message, world), 0);
	cr_assert_eq(EVRPC_REGISTER(world->rpc, NeverReply, msg, kill, on_never, world), 0);
	cr_assert_eq(EVRPC_REGISTER(world->rpc, Empty, tree, tree, on_empty, world), 0);

	world->pool = evrpc_pool_new(world->base);
	cr_assert_not_null(world->pool);
	for (int i = 0; i < connections; i++)
		evrpc_pool_add_connection(world->pool, world_connect(world));
	world->request = msg_new();
	world->reply = kill_new();
	EVTAG_ASSIGN(world->request, from_name, "tester");
	EVTAG_ASSIGN(world->request, to_name, "phoenix");
}

/* Whoever frees the pool, base or server earlier sets it to NULL. */
void world_done(struct world *world)
{
	for (int i = 0; i < world->kept_count; i++)
		EVRPC_REQUEST_DONE(world->kept[i]);
	if (world->pool != NULL)
		evrpc_pool_free(world->pool);
	if (world->rpc != NULL)
		evrpc_free(world->rpc);
	if (world->http != NULL)
		evhttp_free(world->http);
	msg_free(world->request);
	kill_free(world->reply);
	event_base_free(world->base);
}

void world_called(struct evrpc_status *status, struct msg *request, struct kill *reply, void *arg)
{
	struct world *world = arg;

	cr_expect_not_null(request);
	cr_expect_not_null(reply);
	world->done++;
	world->error = status->error;
	world->http_code =
		status->http_req ? evhttp_request_get_response_code(status->http_req) : 0;
	world->weapon[0] = '\0';
	if (EVTAG_HAS(reply, weapon))
		evutil_snprintf(world->weapon, sizeof(world->weapon), "%s", reply->weapon_data);
	cr_expect_eq(EVTAG_HAS(reply, weapon), status->error == EVRPC_STATUS_ERR_NONE);
	kill_clear(reply);
}

void world_call(struct world *world)
{
	cr_assert_eq(EVRPC_MAKE_REQUEST(Message, world->pool, world->request, world->reply,
					world_called, world), 0);
}

void world_call_never(struct world *world)
{
	cr_assert_eq(EVRPC_MAKE_REQUEST(NeverReply, world->pool, world->request, world->reply,
					world_called, world), 0);
}

static int is_done(const struct world *world, int done)
{
	return world->done >= done;
}

void world_wait(struct world *world, int done)
{
	double limit = support_now_ms() + WAIT_MS;

	while (!is_done(world, done)) {
		cr_assert_lt(support_now_ms(), limit, "%d of %d calls ended", world->done, done);
		event_base_loop(world->base, EVLOOP_ONCE);
	}
}
