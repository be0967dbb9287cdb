/* SPDX-License-Identifier: BSD-3-Clause */
/* Hooks of bases and pools: order, verdicts, pausing, data kept with a call. */

#include "rpc_test.h"

TestSuite(rpc_hooks, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* What a hook does, and what it saw. */
struct hook {
	struct world *world;
	int result;
	const char *name;
	void *owner; /* base or pool, for resuming */
	void *ctx;
	struct evhttp_connection *evcon;
	void *remove; /* a handle to remove inside the hook */
	enum EVRPC_HOOK_TYPE type;
	int runs;
};

static char trace[64];

/* Where the system's headers have an INPUT of their own, the old names are not there. */
#ifdef INPUT
static const enum EVRPC_HOOK_TYPE old_input = INPUT, old_output = OUTPUT;
#else
static const enum EVRPC_HOOK_TYPE old_input = EVRPC_INPUT, old_output = EVRPC_OUTPUT;
#endif

static int run_hook(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	struct hook *hook = arg;

	cr_expect_not_null(req);
	cr_expect_gt(evbuffer_get_length(data), 0);
	hook->runs++;
	hook->ctx = ctx;
	hook->evcon = evrpc_hook_get_connection(ctx);
	if (hook->name != NULL)
		strcat(trace, hook->name);
	if (hook->remove != NULL)
		cr_expect_eq(evrpc_remove_hook(hook->owner, hook->type, hook->remove), 1);
	return hook->result;
}

/* RPC-063, RPC-064, RPC-065, RPC-066, RPC-067, RPC-074, RPC-075 */
Test(rpc_hooks, run_in_the_order_added_at_all_four_places)
{
	struct hook hooks[8] = {
		{ .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" },
		{ .name = "e" }, { .name = "f" }, { .name = "g" }, { .name = "h" },
	};
	struct world world;
	void *handle;

	trace[0] = '\0';
	world_init(&world, 1);
	evrpc_add_hook(world.pool, EVRPC_OUTPUT, run_hook, &hooks[0]);
	evrpc_add_hook(world.pool, old_output, run_hook, &hooks[1]);
	evrpc_add_hook(world.rpc, EVRPC_INPUT, run_hook, &hooks[2]);
	evrpc_add_hook(world.rpc, old_input, run_hook, &hooks[3]);
	evrpc_add_hook(world.rpc, EVRPC_OUTPUT, run_hook, &hooks[4]);
	handle = evrpc_add_hook(world.rpc, EVRPC_OUTPUT, run_hook, &hooks[5]);
	evrpc_add_hook(world.pool, EVRPC_INPUT, run_hook, &hooks[6]);
	evrpc_add_hook(world.pool, EVRPC_INPUT, run_hook, &hooks[7]);
	cr_expect_null(evrpc_add_hook(world.pool, (enum EVRPC_HOOK_TYPE)7, run_hook, NULL));
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	cr_expect_str_eq(trace, "abcdefgh");
	for (int i = 0; i < 8; i++)
		cr_expect_not_null(hooks[i].evcon);
	cr_expect_eq(hooks[0].ctx, hooks[7].ctx);
	cr_expect_eq(hooks[2].ctx, hooks[5].ctx);

	cr_expect_eq(evrpc_remove_hook(world.rpc, EVRPC_OUTPUT, handle), 1);
	cr_expect_eq(evrpc_remove_hook(world.rpc, EVRPC_OUTPUT, handle), 0);
	cr_expect_eq(evrpc_remove_hook(world.rpc, EVRPC_INPUT, handle), 0);
	trace[0] = '\0';
	world_call(&world);
	world_wait(&world, 2);
	cr_expect_str_eq(trace, "abcdegh");
	world_done(&world);
}

/* RPC-064 */
Test(rpc_hooks, may_remove_each_other_while_they_run)
{
	struct hook hooks[3] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct world world;
	void *handles[3];

	trace[0] = '\0';
	world_init(&world, 1);
	for (int i = 0; i < 3; i++) {
		handles[i] = evrpc_add_hook(world.pool, EVRPC_OUTPUT, run_hook, &hooks[i]);
		hooks[i].owner = world.pool;
		hooks[i].type = EVRPC_OUTPUT;
	}
	hooks[0].remove = handles[1];
	hooks[2].remove = handles[2];
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_str_eq(trace, "ac");
	hooks[0].remove = NULL;
	world_call(&world);
	world_wait(&world, 2);
	cr_expect_str_eq(trace, "aca");
	world_done(&world);
}

static const struct {
	int on_pool;
	enum EVRPC_HOOK_TYPE type;
	int error;
	int http_code;
} places[] = {
	{ 1, EVRPC_OUTPUT, EVRPC_STATUS_ERR_UNSTARTED, 0 },
	{ 0, EVRPC_INPUT, EVRPC_STATUS_ERR_BADPAYLOAD, 503 },
	{ 0, EVRPC_OUTPUT, EVRPC_STATUS_ERR_BADPAYLOAD, 503 },
	{ 1, EVRPC_INPUT, EVRPC_STATUS_ERR_HOOKABORTED, 200 },
};

static void *owner_of(const struct world *world, int place)
{
	return places[place].on_pool ? (void *)world->pool : (void *)world->rpc;
}

/* RPC-068, RPC-069, RPC-081, RPC-090, RPC-097 */
Test(rpc_hooks, terminate_ends_the_call_and_the_chain)
{
	for (int place = 0; place < 4; place++) {
		struct hook hook = { .result = EVRPC_TERMINATE }, never = { .runs = 0 };
		struct world world;

		world_init(&world, 1);
		evrpc_add_hook(owner_of(&world, place), places[place].type, run_hook, &hook);
		evrpc_add_hook(owner_of(&world, place), places[place].type, run_hook, &never);
		for (int i = 0; i < 3; i++)
			world_call(&world);
		world_wait(&world, 3);
		cr_expect_eq(world.error, places[place].error, "place %d: %d", place, world.error);
		cr_expect_eq(world.http_code, places[place].http_code);
		cr_expect_eq(hook.runs, 3);
		cr_expect_eq(never.runs, 0);
		world_done(&world);
	}
}

/* Wait until the hook has paused a call, then say what is to become of it. */
static void resume(struct hook *hook, int runs, enum EVRPC_HOOK_RESULT result)
{
	double limit = support_now_ms() + WAIT_MS;

	while (hook->runs < runs) {
		cr_assert_lt(support_now_ms(), limit);
		event_base_loop(hook->world->base, EVLOOP_ONCE);
	}
	cr_expect_eq(evrpc_resume_request(hook->owner, hook->ctx, result), 0);
}

/* RPC-068, RPC-070, RPC-071 */
Test(rpc_hooks, all_four_can_pause_one_call_in_turn)
{
	struct hook hooks[4], never = { .runs = 0 };
	struct world world;

	world_init(&world, 1);
	for (int i = 0; i < 4; i++) {
		hooks[i] = (struct hook){ .world = &world, .result = EVRPC_PAUSE };
		hooks[i].owner = owner_of(&world, i);
		evrpc_add_hook(hooks[i].owner, places[i].type, run_hook, &hooks[i]);
		evrpc_add_hook(hooks[i].owner, places[i].type, run_hook, &never);
	}
	for (int round = 1; round <= 2; round++) {
		world_call(&world);
		for (int i = 0; i < 4; i++) {
			cr_expect_eq(world.done, round - 1);
			resume(&hooks[i], round, EVRPC_CONTINUE);
		}
		world_wait(&world, round);
		cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
		cr_expect_str_eq(world.weapon, "dagger");
	}
	cr_expect_eq(never.runs, 0);
	cr_expect_eq(evrpc_resume_request(world.pool, &world, EVRPC_CONTINUE), -1);
	world_done(&world);
}

/* RPC-069, RPC-070 */
Test(rpc_hooks, a_paused_call_can_be_terminated)
{
	for (int place = 0; place < 4; place++) {
		struct world world;
		struct hook hook;

		world_init(&world, 1);
		hook = (struct hook){ .world = &world, .result = EVRPC_PAUSE };
		hook.owner = owner_of(&world, place);
		evrpc_add_hook(hook.owner, places[place].type, run_hook, &hook);
		world_call(&world);
		resume(&hook, 1, EVRPC_TERMINATE);
		cr_expect_eq(evrpc_resume_request(hook.owner, hook.ctx, EVRPC_CONTINUE), -1);
		world_wait(&world, 1);
		cr_expect_eq(world.error, places[place].error);
		cr_expect_eq(world.http_code, places[place].http_code);
		world_done(&world);
	}
}

/* RPC-052, RPC-096 */
Test(rpc_hooks, paused_calls_end_with_their_base_or_pool)
{
	for (int place = 0; place < 4; place++) {
		struct world world;
		struct hook hook;

		world_init(&world, 1);
		hook = (struct hook){ .world = &world, .result = EVRPC_PAUSE };
		evrpc_add_hook(owner_of(&world, place), places[place].type, run_hook, &hook);
		world_call(&world);
		while (hook.runs == 0)
			event_base_loop(world.base, EVLOOP_ONCE);
		if (places[place].on_pool) {
			evrpc_pool_free(world.pool);
			world.pool = NULL;
		} else {
			evrpc_free(world.rpc);
			world.rpc = NULL;
			world_wait(&world, 1);
			cr_expect_eq(world.http_code, 503);
		}
		world_done(&world);
	}
}

/* RPC-080, RPC-087, R05 */
Test(rpc_hooks, a_deadline_ends_a_call_that_is_paused)
{
	for (int place = 0; place < 4; place += 3) {
		struct world world;
		struct hook hook;

		world_init(&world, 1);
		evrpc_pool_set_timeout(world.pool, 1);
		hook = (struct hook){ .world = &world, .result = EVRPC_PAUSE };
		evrpc_add_hook(world.pool, places[place].type, run_hook, &hook);
		world_call(&world);
		world_wait(&world, 1);
		cr_expect_eq(world.error, EVRPC_STATUS_ERR_TIMEOUT);
		cr_expect_eq(evrpc_resume_request(world.pool, hook.ctx, EVRPC_CONTINUE), -1);
		world_done(&world);
	}
}

/* A hook that scrambles, and one for the other end. */
static int scramble(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	size_t len = evbuffer_get_length(data);
	unsigned char *bytes = evbuffer_pullup(data, -1);
	unsigned char copy[512];

	(void)ctx;
	cr_assert_leq(len, sizeof(copy));
	for (size_t i = 0; i < len; i++)
		copy[i] = bytes[i] ^ 0x5a;
	evbuffer_drain(data, len);
	evbuffer_add(data, copy, len);
	if (arg != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(req), "X-Hook", arg);
	return EVRPC_CONTINUE;
}

static int want_header(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	const char *found = evhttp_find_header(evhttp_request_get_input_headers(req), "X-Hook");

	(void)ctx;
	(void)data;
	cr_expect_not_null(found);
	if (found != NULL)
		cr_expect_str_eq(found, (const char *)arg);
	return EVRPC_CONTINUE;
}

/* RPC-065, RPC-066, RPC-067 */
Test(rpc_hooks, may_rewrite_the_data_and_add_headers)
{
	char there[] = "there", back[] = "back";
	struct world world;

	world_init(&world, 1);
	evrpc_add_hook(world.pool, EVRPC_OUTPUT, scramble, there);
	evrpc_add_hook(world.rpc, EVRPC_INPUT, want_header, there);
	evrpc_add_hook(world.rpc, EVRPC_INPUT, scramble, NULL);
	evrpc_add_hook(world.rpc, EVRPC_OUTPUT, scramble, back);
	evrpc_add_hook(world.pool, EVRPC_INPUT, want_header, back);
	evrpc_add_hook(world.pool, EVRPC_INPUT, scramble, NULL);
	world_call(&world);
	world_wait(&world, 1);
	cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE);
	cr_expect_str_eq(world.weapon, "dagger");
	world_done(&world);
}

static int add_meta(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	void *found;
	size_t len;

	(void)req;
	(void)data;
	(void)arg;
	cr_expect_eq(evrpc_hook_find_meta(ctx, "key", &found, &len), -1);
	cr_expect_eq(evrpc_hook_add_meta(ctx, "key", "first", 6), 0);
	cr_expect_eq(evrpc_hook_add_meta(ctx, "key", "second", 7), 0);
	cr_expect_eq(evrpc_hook_add_meta(ctx, "empty", NULL, 0), 0);
	return EVRPC_CONTINUE;
}

static int find_meta(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	void *found = NULL;
	size_t len = 77;

	(void)req;
	(void)data;
	cr_expect_eq(evrpc_hook_find_meta(ctx, "key", &found, &len), 0);
	cr_expect_str_eq((char *)found, "first");
	cr_expect_eq(len, 6);
	cr_expect_eq(evrpc_hook_find_meta(ctx, "empty", &found, &len), 0);
	cr_expect_eq(len, 0);
	cr_expect_eq(evrpc_hook_find_meta(ctx, "other", &found, &len), -1);
	++*(int *)arg;
	return EVRPC_CONTINUE;
}

/* RPC-072, RPC-073 */
Test(rpc_hooks, data_kept_with_a_call_lasts_as_long_as_the_call)
{
	struct world world;
	int found = 0;

	world_init(&world, 1);
	evrpc_add_hook(world.pool, EVRPC_OUTPUT, add_meta, NULL);
	evrpc_add_hook(world.pool, EVRPC_INPUT, find_meta, &found);
	evrpc_add_hook(world.rpc, EVRPC_INPUT, add_meta, NULL);
	evrpc_add_hook(world.rpc, EVRPC_OUTPUT, find_meta, &found);
	world_call(&world);
	world_wait(&world, 1);
	world_call(&world);
	world_wait(&world, 2);
	cr_expect_eq(found, 4);
	world_done(&world);
}

static int free_owner(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	struct hook *hook = arg;

	(void)ctx;
	(void)req;
	(void)data;
	if (hook->owner == hook->world->pool) {
		evrpc_pool_free(hook->world->pool);
		hook->world->pool = NULL;
	} else {
		evrpc_free(hook->world->rpc);
		hook->world->rpc = NULL;
	}
	hook->runs++;
	return EVRPC_CONTINUE;
}

/* RPC-052, RPC-093 */
Test(rpc_hooks, may_free_what_they_hang_on)
{
	for (int place = 0; place < 4; place++) {
		struct world world;
		struct hook hook, never = { .runs = 0 };

		world_init(&world, 1);
		hook = (struct hook){ .world = &world, .owner = owner_of(&world, place) };
		evrpc_add_hook(hook.owner, places[place].type, free_owner, &hook);
		evrpc_add_hook(hook.owner, places[place].type, run_hook, &never);
		world_call(&world);
		while (hook.runs == 0)
			event_base_loop(world.base, EVLOOP_ONCE);
		if (world.pool != NULL)
			world_wait(&world, 1);
		cr_expect_eq(never.runs, 0);
		world_done(&world);
	}
}

static int remove_con(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	struct hook *hook = arg;
	struct evhttp_connection *evcon = evrpc_hook_get_connection(ctx);

	(void)req;
	(void)data;
	hook->evcon = evcon;
	evrpc_pool_remove_connection(hook->world->pool, evcon);
	hook->runs++;
	return hook->result;
}

/* RPC-079 */
Test(rpc_hooks, may_remove_the_connection)
{
	for (int place = 0; place < 4; place += 3) {
		struct world world;
		struct hook hook;

		world_init(&world, 1);
		hook = (struct hook){ .world = &world };
		evrpc_add_hook(world.pool, places[place].type, remove_con, &hook);
		world_call(&world);
		world_wait(&world, 1);
		cr_expect_eq(world.error, place == 0 ? EVRPC_STATUS_ERR_UNSTARTED
						     : EVRPC_STATUS_ERR_NONE);
		evhttp_connection_free(hook.evcon);
		world_done(&world);
	}
}
