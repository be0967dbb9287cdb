/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC when memory is short: every call ends once, nothing is lost, and the next one works. */

#include "rpc_test.h"

TestSuite(rpc_memory, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static int continue_hook(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg)
{
	(void)req;
	(void)data;
	(void)arg;
	(void)evrpc_hook_add_meta(ctx, "key", "value", 6);
	return EVRPC_CONTINUE;
}

/* RPC-081, RPC-090; C01, R05 */
Test(rpc_memory, a_call_ends_once_whichever_allocation_is_refused)
{
	int refused = 1;

	support_capture_log();
	for (long n = 0; refused; n++) {
		struct world world;
		int result;

		cr_assert_lt(n, 300);
		world_init(&world, 1);
		/* should the server be the one that lacks memory */
		evrpc_pool_set_timeout(world.pool, 1);
		evrpc_add_hook(world.pool, EVRPC_OUTPUT, continue_hook, NULL);
		evrpc_add_hook(world.rpc, EVRPC_INPUT, continue_hook, NULL);
		support_fail_once_after(n);
		result = EVRPC_MAKE_REQUEST(Message, world.pool, world.request, world.reply,
					    world_called, &world);
		world_wait(&world, 1);
		refused = support_has_refused();
		support_fail_once_after(-1);
		cr_expect_eq(world.done, 1);
		if (result != 0)
			cr_expect_eq(world.error, EVRPC_STATUS_ERR_UNSTARTED);

		world_call(&world);
		world_wait(&world, 2);
		cr_expect_eq(world.error, EVRPC_STATUS_ERR_NONE, "after %ld", n);
		world_done(&world);
	}
}

/* RPC-045, RPC-048, RPC-063, RPC-072, RPC-076; C01 */
Test(rpc_memory, setting_up_fails_cleanly)
{
	struct event_base *base = support_base_new();
	struct evhttp *http = evhttp_new(base);
	int refused = 1;

	for (long n = 0; refused; n++) {
		struct evrpc_base *rpc;
		struct evrpc_pool *pool;

		cr_assert_lt(n, 50);
		support_fail_once_after(n);
		rpc = evrpc_init(http);
		pool = evrpc_pool_new(base);
		if (rpc != NULL && pool != NULL) {
			(void)EVRPC_REGISTER(rpc, Message, msg, kill, NULL, NULL);
			(void)evrpc_add_hook(rpc, EVRPC_INPUT, continue_hook, NULL);
			(void)evrpc_add_hook(pool, EVRPC_OUTPUT, continue_hook, NULL);
		}
		refused = support_has_refused();
		support_fail_once_after(-1);
		if (!refused)
			cr_expect_eq(EVRPC_UNREGISTER(rpc, Message), 0);
		if (rpc != NULL)
			evrpc_free(rpc);
		if (pool != NULL)
			evrpc_pool_free(pool);
	}
	evhttp_free(http);
	event_base_free(base);
}
