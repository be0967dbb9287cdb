/* SPDX-License-Identifier: BSD-3-Clause */
/* Many handshakes at once. */

#include "tls_test.h"

#include <stdlib.h>
#include <sys/resource.h>

static int left;

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	int *is_done = arg;

	cr_assert_eq(what, BEV_EVENT_CONNECTED);
	if (--left == 0) {
		*is_done = 1;
		event_base_loopbreak(bufferevent_get_base(bev));
	}
}

/* TLS-030, TLS-031, TLS-187, T18 */
Test(tls_many, a_thousand_handshakes_at_once_complete, .timeout = 600)
{
	const struct tls_library *library = tls_library();
	int count = getenv("TEST_UNDER_VALGRIND") != NULL ? 20 : 1000, is_done = 0;
	struct bufferevent **bevs = calloc((size_t)count * 2, sizeof(*bevs));
	struct event_base *base = support_base_new();
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2100)
		cr_skip_test("too few descriptors");
	left = count * 2;
	for (int i = 0; i < count * 2; i += 2) {
		evutil_socket_t fds[2];

		support_socketpair(fds);
		for (int j = 0; j < 2; j++) {
			bevs[i + j] = library->socket_new(base, fds[j], library->object_new(j),
							  j ? BUFFEREVENT_SSL_ACCEPTING
							    : BUFFEREVENT_SSL_CONNECTING,
							  BEV_OPT_CLOSE_ON_FREE);
			cr_assert_not_null(bevs[i + j]);
			bufferevent_setcb(bevs[i + j], NULL, NULL, on_event, &is_done);
		}
	}
	support_run_until(base, &is_done, 550000);
	for (int i = 0; i < count * 2; i++)
		bufferevent_free(bevs[i]);
	free(bevs);
	event_base_free(base);
}
