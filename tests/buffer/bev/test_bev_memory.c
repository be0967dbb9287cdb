/* SPDX-License-Identifier: BSD-3-Clause */
/* Every allocation of a scenario refused once: an error or an event, never a crash or a leak. */

#include "bev_test.h"

TestSuite(bev_memory, .init = start, .fini = finish, .timeout = 120);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

/* Until *count is not zero or the time is over; asks for no memory, unlike run_until(). */
static void poll_until(const int *count, int ms)
{
	double end = support_now_ms() + ms;

	while (*count == 0 && support_now_ms() < end)
		cr_assert(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* Runs the scenario with the first, then the second, ... request refused, until none is. */
static void refuse_each(void (*scenario)(void))
{
	int round;

	support_capture_log();
	for (round = 0; round < 1000; round++) {
		int refused;

		support_fail_once_after(round);
		scenario();
		refused = support_has_refused();
		support_fail_once_after(-1);
		settle();
		if (!refused)
			break;
	}
	cr_expect_gt(round, 1);
	cr_expect_lt(round, 1000);
}

/* Both ends may be missing. */
static int try_linked(struct bufferevent *bev[2])
{
	evutil_socket_t fds[2];

	support_socketpair(fds);
	for (int i = 0; i < 2; i++) {
		bev[i] = bufferevent_socket_new(base, fds[i],
						BEV_OPT_CLOSE_ON_FREE | thread_option);
		if (bev[i] == NULL)
			close(fds[i]);
	}
	return bev[0] != NULL && bev[1] != NULL;
}

static void exchange(struct bufferevent *bev[2])
{
	struct probe probe[2] = { { .drain = 1 }, { .drain = 1 } };
	size_t sent[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		watch(bev[i], &probe[i]);
		bufferevent_set_timeouts(bev[i], MS(1000), MS(1000));
		bufferevent_enable(bev[i], EV_READ);
		for (int j = 0; j < 5; j++)
			if (bufferevent_write(bev[i], "0123456789", 10) == 0)
				sent[i] += 10;
	}
	settle();
	for (int i = 0; i < 2; i++) {
		/* Whatever was accepted arrives, unless an event said why not. */
		if (probe[0].events + probe[1].events == 0 &&
		    bufferevent_get_enabled(bev[i]) == BOTH &&
		    bufferevent_get_enabled(bev[!i]) == BOTH)
			cr_expect_eq(probe[i].received, sent[!i]);
		else
			cr_expect_leq(probe[i].received, sent[!i]);
	}
}

static void free_pair(struct bufferevent *bev[2])
{
	for (int i = 0; i < 2; i++)
		bufferevent_free(bev[i]);
}

static void sockets(void)
{
	struct bufferevent *bev[2];

	if (try_linked(bev))
		exchange(bev);
	free_pair(bev);
}

/* BEV-001, BEV-165 */
Test(bev_memory, sockets)
{
	refuse_each(sockets);
}

static void pairs(void)
{
	struct bufferevent *bev[2] = { NULL, NULL };

	if (bufferevent_pair_new(base, thread_option, bev) < 0) {
		cr_expect_null(bev[0]);
		return;
	}
	exchange(bev);
	free_pair(bev);
}

/* BEV-230 */
Test(bev_memory, pairs)
{
	refuse_each(pairs);
}

static int freed;

static void count_free(void *ctx)
{
	(void)ctx;
	freed++;
}

static void filters(void)
{
	struct bufferevent *under[2], *bev[2] = { NULL, NULL };

	freed = 0;
	if (bufferevent_pair_new(base, 0, under) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		bev[i] = bufferevent_filter_new(under[i], NULL, NULL,
						BEV_OPT_CLOSE_ON_FREE | thread_option, count_free,
						NULL);
		if (bev[i] == NULL)
			bufferevent_free(under[i]);
	}
	if (bev[0] != NULL && bev[1] != NULL)
		exchange(bev);
	free_pair(bev);
	settle();
	cr_expect_eq(freed, (bev[0] != NULL) + (bev[1] != NULL), "no context of a failed one");
}

/* BEV-250, BEV-268 */
Test(bev_memory, filters)
{
	refuse_each(filters);
}

static const int never = 0;

static void limits(void)
{
	struct ev_token_bucket_cfg *cfg = ev_token_bucket_cfg_new(1000, 1000, 1000, 1000, MS(1));
	struct bufferevent_rate_limit_group *group;
	struct bufferevent *bev[2];

	if (cfg == NULL)
		return;
	group = bufferevent_rate_limit_group_new(base, cfg);
	if (try_linked(bev) && group != NULL) {
		(void)bufferevent_set_rate_limit(bev[0], cfg);
		(void)bufferevent_add_to_rate_limit_group(bev[0], group);
		(void)bufferevent_add_to_rate_limit_group(bev[1], group);
		exchange(bev);
		bufferevent_rate_limit_group_decrement_read(group, 2000);
		poll_until(&never, 4);
	}
	free_pair(bev);
	if (group != NULL)
		bufferevent_rate_limit_group_free(group);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-275, BEV-277, BEV-300, BEV-301 */
Test(bev_memory, limits)
{
	refuse_each(limits);
}

static ev_uint16_t port;

static void connecting(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct bufferevent *bev = bufferevent_socket_new(base, -1,
							 BEV_OPT_CLOSE_ON_FREE | thread_option);
	struct probe probe = { 0 };

	if (bev == NULL)
		return;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	watch(bev, &probe);
	if (bufferevent_socket_connect(bev, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		poll_until(&probe.events, 2000);
	bufferevent_replacefd(bev, -1);
	probe.events = 0;
	if (bufferevent_socket_connect_hostname(bev, NULL, AF_INET, "127.0.0.1", port) == 0)
		poll_until(&probe.events, 2000);
	bufferevent_free(bev);
}

/* BEV-128, BEV-151 */
Test(bev_memory, connecting)
{
	evutil_socket_t listener = support_listen(&port), fd;

	refuse_each(connecting);
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		close(fd);
	close(listener);
}
