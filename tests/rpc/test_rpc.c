/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC over HTTP: calls, what HTTP carries, failures, and who outlives whom. */

#include "rpc_test.h"

#include <event2/bufferevent.h>

TestSuite(rpc, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* RPC-045, RPC-046, RPC-047, RPC-048, RPC-057, RPC-076, RPC-077, RPC-081, RPC-082, RPC-086 */
Test(rpc, a_call_reaches_the_handler_and_brings_the_reply)
{
	struct world world;

	world_init(&world, 1);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	cr_expect_eq(world.http_code, 200);
	cr_expect_eq(world.handled, 1);
	cr_expect_str_eq(world.weapon, "dagger");
	world_done(&world);
}

/* RPC-083, RPC-092 */
Test(rpc, many_calls_take_their_turns_on_few_connections)
{
	struct world world;

	for (int connections = 1; connections <= 3; connections++) {
		world_init(&world, connections);
		for (int i = 0; i < 20; i++)
			world_call(&world);
		world_wait(&world, 20);
		cr_expect_eq(world.handled, 20);
		cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
		world_done(&world);
	}
}

/* --- Raw HTTP --------------------------------------------------------------------------------- */

struct raw {
	int done;
	int code;
	char type[64];
	size_t len;
};

static void raw_done(struct evhttp_request *req, void *arg)
{
	struct raw *raw = arg;
	const char *type;

	raw->done = 1;
	if (req == NULL)
		return;
	type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	raw->code = evhttp_request_get_response_code(req);
	raw->len = evbuffer_get_length(evhttp_request_get_input_buffer(req));
	evutil_snprintf(raw->type, sizeof(raw->type), "%s", type ? type : "");
}

static struct raw raw_request(const struct world *world, enum evhttp_cmd_type method,
			      const char *path, struct evbuffer *body)
{
	struct evhttp_connection *evcon = world_connect(world);
	struct raw raw = { 0 };
	struct evhttp_request *req = evhttp_request_new(raw_done, &raw);

	if (body != NULL)
		evbuffer_add_buffer(evhttp_request_get_output_buffer(req), body);
	cr_assert_eq(evhttp_make_request(evcon, req, method, path), 0);
	support_run_until(world->base, &raw.done, WAIT_MS);
	evhttp_connection_free(evcon);
	return raw;
}

/* RPC-053, RPC-058, RPC-061 */
Test(rpc, the_wire_is_a_post_with_the_bare_stream)
{
	struct evbuffer *body = evbuffer_new();
	struct world world;
	struct raw raw;

	world_init(&world, 0);
	msg_marshal(body, world.request);
	raw = raw_request(&world, EVHTTP_REQ_POST, "/.rpc.Message", body);
	cr_expect_eq(raw.code, 200);
	cr_expect_str_eq(raw.type, "application/octet-stream");
	cr_expect_gt(raw.len, 20);
	evbuffer_free(body);
	world_done(&world);
}

/* RPC-054, RPC-055, RPC-062, R05 */
Test(rpc, anything_else_is_answered_with_503)
{
	static const char *const bodies[] = { "", "99 00", "01 01 61", "ff ff ff ff ff ff" };
	struct world world;

	world_init(&world, 0);
	cr_expect_eq(raw_request(&world, EVHTTP_REQ_GET, "/.rpc.Message", NULL).code, 503);
	cr_expect_eq(raw_request(&world, EVHTTP_REQ_PUT, "/.rpc.Message", NULL).code, 503);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct evbuffer *body = buffer_of(bodies[i]);

		cr_expect_eq(raw_request(&world, EVHTTP_REQ_POST, "/.rpc.Message", body).code, 503);
		evbuffer_free(body);
	}
	cr_expect_eq(raw_request(&world, EVHTTP_REQ_POST, "/.rpc.Nothing", NULL).code, 404);
	cr_expect_eq(world.handled, 0);
	world_done(&world);
}

/* RPC-056 */
Test(rpc, an_empty_body_will_do_if_nothing_is_required)
{
	struct world world;

	world_init(&world, 0);
	cr_expect_eq(raw_request(&world, EVHTTP_REQ_POST, "/.rpc.Empty", NULL).code, 200);
	cr_expect_eq(world.handled, 1);
	world_done(&world);
}

static void on_peek(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	int *seen = arg;

	++*seen;
	cr_expect_eq(evhttp_request_get_command(req), EVHTTP_REQ_POST);
	cr_expect_null(evhttp_find_header(headers, "Content-Type"));
	cr_expect_not_null(evhttp_find_header(headers, "Content-Length"));
	cr_expect_eq(evbuffer_get_length(body), 2 + 6 + 2 + 7);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "x/y");
	evhttp_send_reply(req, 200, "OK", NULL);
}

/* RPC-085, RPC-088 */
Test(rpc, the_client_posts_with_a_length_and_without_a_type)
{
	struct world world;
	int seen = 0;

	world_init(&world, 1);
	cr_assert_eq(EVRPC_UNREGISTER(world.rpc, Message), 0);
	cr_assert_eq(evhttp_set_cb(world.http, "/.rpc.Message", on_peek, &seen), 0);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(seen, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_BADPAYLOAD); /* an empty reply is not complete */
	cr_expect_eq(world.http_code, 200);
	world_done(&world);
}

/* RPC-062, RPC-099 */
Test(rpc, the_servers_body_limit_bounds_requests)
{
	struct world world;

	world_init(&world, 1);
	evhttp_set_max_body_size(world.http, 10);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_neq(world.error, EVRPC_STATUS_ERR_NONE);
	cr_expect_eq(world.handled, 0);
	evhttp_set_max_body_size(world.http, 1000);
	world_call(&world);
	world_wait(&world, 2);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* --- Registering ------------------------------------------------------------------------------ */

static void on_unused(EVRPC_STRUCT(Message) *rpc, void *arg)
{
	(void)arg;
	EVRPC_REQUEST_DONE(rpc);
}

static int register_name(struct world *world, const char *name)
{
	return evrpc_register_generic(world->rpc, name,
				      (void (*)(struct evrpc_req_generic *, void *))on_unused, NULL,
				      (void *(*)(void *))msg_new_with_arg, NULL,
				      (void (*)(void *))msg_free,
				      (int (*)(void *, struct evbuffer *))msg_unmarshal,
				      (void *(*)(void *))kill_new_with_arg, NULL,
				      (void (*)(void *))kill_free, (int (*)(void *))kill_complete,
				      (void (*)(struct evbuffer *, void *))kill_marshal);
}

/* RPC-049, RPC-050, RPC-051, RPC-088, RPC-089 */
Test(rpc, names_are_registered_once_and_can_be_taken_back)
{
	struct world world;

	world_init(&world, 1);
	cr_expect_eq(register_name(&world, "Message"), -1);
	cr_expect_eq(EVRPC_UNREGISTER(world.rpc, Message), 0);
	cr_expect_eq(EVRPC_UNREGISTER(world.rpc, Message), -1);
	cr_expect_eq(evrpc_unregister_rpc(world.rpc, "Unknown"), -1);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_BADPAYLOAD);
	cr_expect_eq(world.http_code, 404);
	cr_expect_eq(register_name(&world, "Message"), 0);
	world_done(&world);
}

/* RPC-051 */
Test(rpc, a_struct_of_the_programs_own_can_be_registered)
{
	struct world world;
	struct evrpc *rpc = evi_calloc(1, sizeof(*rpc));

	world_init(&world, 0);
	rpc->uri = evi_strdup("Own");
	rpc->request_new = (void *(*)(void *))msg_new_with_arg;
	rpc->request_free = (void (*)(void *))msg_free;
	rpc->request_unmarshal = (int (*)(void *, struct evbuffer *))msg_unmarshal;
	rpc->reply_new = (void *(*)(void *))kill_new_with_arg;
	rpc->reply_free = (void (*)(void *))kill_free;
	rpc->reply_complete = (int (*)(void *))kill_complete;
	rpc->reply_marshal = (void (*)(struct evbuffer *, void *))kill_marshal;
	cr_expect_eq(evrpc_register_rpc(world.rpc, rpc,
					(void (*)(struct evrpc_req_generic *, void *))on_unused,
					NULL), 0);
	cr_expect_eq(rpc->base, world.rpc);
	cr_expect_eq(register_name(&world, "Own"), -1);
	world_done(&world);
}

/* RPC-101 */
Test(rpc, names_that_are_no_path_segment_are_refused)
{
	static const char *const bad[] = { "", "a/b", "a?b", "a#b", "a b", "a\tb", "a\x7f", "\n" };
	struct world world;

	world_init(&world, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(register_name(&world, bad[i]), -1, "%s", bad[i]);
		cr_expect_eq(evrpc_send_request_generic(
				     world.pool, world.request, world.reply,
				     (void (*)(struct evrpc_status *, void *, void *,
					       void *))world_called,
				     &world, bad[i],
				     (void (*)(struct evbuffer *, void *))msg_marshal,
				     (void (*)(void *))kill_clear,
				     (int (*)(void *, struct evbuffer *))kill_unmarshal),
			     -1);
		cr_expect_eq(world.done, (int)i + 1);
		cr_expect_eq(world.error, EVRPC_STATUS_ERR_UNSTARTED);
	}
	world_done(&world);
}

/* --- Handlers --------------------------------------------------------------------------------- */

/* RPC-057, RPC-059, RPC-089 */
Test(rpc, an_incomplete_reply_becomes_503)
{
	struct world world;

	world_init(&world, 1);
	world_call_never(&world);
	support_run_until(world.base, &world.kept_count, WAIT_MS);
	cr_expect_eq(evrpc_get_request((struct evrpc_req_generic *)world.kept[0]),
		     (void *)world.kept[0]->request);
	cr_expect_eq(evrpc_get_reply((struct evrpc_req_generic *)world.kept[0]),
		     (void *)world.kept[0]->reply);
	EVRPC_REQUEST_DONE(world.kept[0]);
	world.kept_count = 0;
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_BADPAYLOAD);
	cr_expect_eq(world.http_code, 503);
	world_done(&world);
}

static void set_flag(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	*(int *)arg = 1;
}

/* RPC-060 */
Test(rpc, done_after_the_client_has_left_just_releases)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct evhttp_connection *evcon;
	struct world world;
	int closed = 0;

	world_init(&world, 0);
	evcon = world_connect(&world);
	evrpc_pool_add_connection(world.pool, evcon);
	world_call_never(&world);
	support_run_until(world.base, &world.kept_count, WAIT_MS);
	evhttp_connection_set_closecb(evhttp_request_get_connection(world.kept[0]->http_req),
				      set_flag, &closed);
	/* Just closing would look like a client that still waits for the answer. */
	setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), SOL_SOCKET,
		   SO_LINGER, &reset, sizeof(reset));
	evrpc_pool_free(world.pool);
	world.pool = NULL;
	support_run_until(world.base, &closed, WAIT_MS);
	cr_expect_eq(world.done, 0);
	world_done(&world); /* answers it */
}

/* RPC-052 */
Test(rpc, a_call_may_be_answered_after_its_base_is_freed)
{
	struct world world;

	world_init(&world, 1);
	world_call_never(&world);
	support_run_until(world.base, &world.kept_count, WAIT_MS);
	evrpc_free(world.rpc);
	world.rpc = NULL;
	EVTAG_ASSIGN(world.kept[0]->reply, weapon, "late");
	EVTAG_ASSIGN(world.kept[0]->reply, action, "arrive");
	EVRPC_REQUEST_DONE(world.kept[0]);
	world.kept_count = 0;
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* --- Deadlines and connections ---------------------------------------------------------------- */

/* RPC-080, RPC-087, RPC-091, RPC-097 */
Test(rpc, a_missed_deadline_ends_the_call_and_the_next_one_works)
{
	struct world world;
	double start;

	world_init(&world, 1);
	evrpc_pool_set_timeout(world.pool, 1);
	start = support_now_ms();
	world_call_never(&world);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_TIMEOUT);
	cr_expect_eq(world.http_code, 0);
	cr_expect_gt(support_now_ms() - start, 900);
	world_wait(&world, 2);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* RPC-078 */
Test(rpc, connections_take_the_pools_timeout_unless_they_have_their_own)
{
	struct world world;
	struct evhttp_connection *evcon;
	double start;

	world_init(&world, 0);
	/* no deadline of the pool's, none of new connections */
	evrpc_pool_set_timeout(world.pool, 0);
	evcon = world_connect(&world);
	evhttp_connection_set_timeout(evcon, 1);
	evhttp_connection_set_retries(evcon, 0);
	evrpc_pool_add_connection(world.pool, evcon);
	start = support_now_ms();
	world_call_never(&world);
	world_wait(&world, 1); /* its own second ends it */
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_TIMEOUT);
	cr_expect_gt(support_now_ms() - start, 900);
	world_done(&world);
}

/* RPC-089, RPC-090 */
Test(rpc, a_refused_connection_leaves_the_call_unstarted)
{
	struct world world;

	world_init(&world, 1);
	evrpc_free(world.rpc);
	evhttp_free(world.http);
	world.rpc = NULL;
	world.http = NULL;
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_UNSTARTED);
	world_done(&world);
}

/* RPC-084, RPC-078 */
Test(rpc, calls_wait_for_a_connection_to_be_added)
{
	struct world world;

	world_init(&world, 0);
	world_call(&world);
	world_call(&world);
	cr_expect_eq(world.done, 0);
	evrpc_pool_add_connection(world.pool, world_connect(&world));
	world_wait(&world, 2);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* RPC-077 */
Test(rpc, a_connection_without_base_gets_the_pools)
{
	struct world world;
	struct evhttp_connection *evcon;

	world_init(&world, 0);
	evcon = evhttp_connection_base_new(NULL, NULL, "127.0.0.1", world.port);
	cr_assert_not_null(evcon);
	evrpc_pool_add_connection(world.pool, evcon);
	cr_expect_eq(evhttp_connection_get_base(evcon), world.base);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* RPC-079 */
Test(rpc, removing_a_connection_gives_it_back_and_ends_its_call)
{
	struct world world;
	struct evhttp_connection *evcon, *other;

	world_init(&world, 0);
	evcon = world_connect(&world);
	other = world_connect(&world);
	evrpc_pool_remove_connection(world.pool, evcon);
	evrpc_pool_add_connection(world.pool, evcon);
	world_call_never(&world);
	support_run_until(world.base, &world.kept_count, WAIT_MS);
	evrpc_pool_remove_connection(world.pool, other);
	cr_expect_eq(world.done, 0);
	evrpc_pool_remove_connection(world.pool, evcon);
	cr_expect_eq(world.done, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_TIMEOUT);
	world_call(&world);
	evrpc_pool_add_connection(world.pool, evcon); /* it works on */
	world_wait(&world, 2);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	evhttp_connection_free(other);
	world_done(&world);
}

/* RPC-096, R05 */
Test(rpc, freeing_a_pool_frees_its_calls_without_a_word)
{
	struct world world;

	world_init(&world, 2);
	evrpc_pool_set_timeout(world.pool, 60);
	for (int i = 0; i < 4; i++)
		world_call_never(&world);
	while (world.kept_count < 2)
		event_base_loop(world.base, EVLOOP_ONCE);
	evrpc_pool_free(world.pool);
	world.pool = NULL;
	cr_expect_eq(world.done, 0);
	world_done(&world);
}

static void free_pool(struct evrpc_status *status, struct msg *request, struct kill *reply,
		      void *arg)
{
	struct world *world = arg;

	world_called(status, request, reply, arg);
	evrpc_pool_free(world->pool);
	world->pool = NULL;
}

/* RPC-093 */
Test(rpc, a_callback_may_free_the_pool)
{
	struct world world;

	world_init(&world, 1);
	for (int i = 0; i < 3; i++)
		EVRPC_MAKE_REQUEST(Message, world.pool, world.request, world.reply, free_pool,
				   &world);
	world_wait(&world, 1);
	cr_expect_null(world.pool);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

static void call_again(struct evrpc_status *status, struct msg *request, struct kill *reply,
		       void *arg)
{
	struct world *world = arg;

	world_called(status, request, reply, arg);
	if (world->done < 5) {
		EVRPC_MAKE_REQUEST(Message, world->pool, request, reply, call_again, arg);
	}
}

/* RPC-092, RPC-093 */
Test(rpc, a_callback_may_make_the_next_call)
{
	struct world world;

	world_init(&world, 1);
	EVRPC_MAKE_REQUEST(Message, world.pool, world.request, world.reply, call_again, &world);
	world_wait(&world, 5);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}

/* RPC-094, RPC-095 */
Test(rpc, a_prepared_call_can_be_changed_before_it_starts)
{
	struct evrpc_request_wrapper *ctx;
	struct evrpc_pool *unused;
	struct world world;

	world_init(&world, 1);
	unused = evrpc_pool_new(world.base);
	ctx = EVRPC_MAKE_CTX(Message, msg, kill, unused, world.request, world.reply, free_pool,
			     NULL);
	cr_assert_not_null(ctx);
	cr_expect_eq(evrpc_request_get_pool(ctx), unused);
	evrpc_request_set_pool(ctx, world.pool);
	cr_expect_eq(evrpc_request_get_pool(ctx), world.pool);
	evrpc_request_set_cb(
		ctx, (void (*)(struct evrpc_status *, void *, void *, void *))world_called, &world);
	evrpc_pool_free(unused);
	cr_expect_eq(evrpc_make_request(ctx), 0);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	world_done(&world);
}
