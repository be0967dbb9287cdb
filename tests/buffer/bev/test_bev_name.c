/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting by name: through the system's resolver, and through an asynchronous one made here. */

#include "bev_test.h"

#include <event2/component/buffer.h>

#include <arpa/inet.h>
#include <sys/resource.h>

TestSuite(bev_name, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

/* --- A resolver that answers when told to ----------------------------------------------------- */

static struct fake {
	evi_resolved_fn cb;
	void *arg;
	char host[64], service[8];
	struct evutil_addrinfo hints;
	int asked, cancelled;
	int answers_at_once;
	const char *literal; /* the addresses, separated by spaces, that an immediate answer has */
} fake;

static struct evdns_base *const dns = (struct evdns_base *)&fake;

/* A list as a resolver makes it, from literals separated by spaces. */
static struct evutil_addrinfo *addresses(const char *literals)
{
	struct evutil_addrinfo *first = NULL, **last = &first;
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", literals);
	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		struct evutil_addrinfo hints = { .ai_flags = EVUTIL_AI_NUMERICHOST,
						 .ai_socktype = SOCK_STREAM };

		cr_assert_eq(evutil_getaddrinfo(word, fake.service, &hints, last), 0);
		last = &(*last)->ai_next;
	}
	return first;
}

static void *fake_getaddrinfo(struct evdns_base *base_asked, const char *host, const char *service,
			      const struct evutil_addrinfo *hints, evi_resolved_fn cb, void *arg)
{
	cr_assert_eq(base_asked, dns);
	fake.asked++;
	fake.cb = cb;
	fake.arg = arg;
	fake.hints = *hints;
	snprintf(fake.host, sizeof(fake.host), "%s", host);
	snprintf(fake.service, sizeof(fake.service), "%s", service);
	if (!fake.answers_at_once)
		return &fake;
	cb(0, addresses(fake.literal), arg);
	return NULL;
}

static void fake_cancel(void *handle)
{
	cr_assert_eq(handle, &fake);
	fake.cancelled++;
	fake.cb(EVUTIL_EAI_CANCEL, NULL, fake.arg);
	fake.cb = NULL;
}

static const struct evi_resolver resolver = {
	.getaddrinfo = fake_getaddrinfo,
	.cancel = fake_cancel,
};

static void answer(int result, const char *literals)
{
	evi_resolved_fn cb = fake.cb;

	cr_assert(cb != NULL);
	fake.cb = NULL;
	cb(result, result == 0 ? addresses(literals) : NULL, fake.arg);
}

static void start_fake(void)
{
	start();
	evi_resolver_register(&resolver);
}

TestSuite(bev_name_async, .init = start_fake, .fini = finish, .timeout = 60);

static ev_uint16_t dead_port(void)
{
	ev_uint16_t port;

	close(support_listen(&port));
	return port;
}

static int connect_name(struct bufferevent *bev, struct evdns_base *with, const char *name,
			int port)
{
	return bufferevent_socket_connect_hostname(bev, with, AF_UNSPEC, name, port);
}

/* --- The system's resolver -------------------------------------------------------------------- */

/* BEV-145, BEV-152 */
Test(bev_name, bad_arguments_are_refused_at_once)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct evutil_addrinfo hints = { .ai_family = AF_UNIX };

	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
	cr_expect_eq(bufferevent_socket_connect_hostname(bev, NULL, AF_UNIX, "localhost", 1), -1);
	cr_expect_eq(bufferevent_socket_connect_hostname(bev, NULL, AF_INET, "localhost", 0), -1);
	cr_expect_eq(bufferevent_socket_connect_hostname(bev, NULL, AF_INET, "localhost", 65536),
		     -1);
	cr_expect_eq(bufferevent_socket_connect_hostname(bev, NULL, AF_INET, "localhost", -1), -1);
	cr_expect_eq(bufferevent_socket_connect_hostname_hints(bev, NULL, &hints, "localhost", 1),
		     -1);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
	bufferevent_free(bev);
}

/* BEV-146, BEV-147, BEV-150, BEV-330, BEV-154 */
Test(bev_name, names_and_literals_connect)
{
	static const char *const names[] = { "localhost", "127.0.0.1" };
	struct evutil_addrinfo hints = { .ai_family = AF_INET, .ai_flags = EVUTIL_AI_ADDRCONFIG };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	for (int i = 0; i < 3; i++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
		struct probe probe = { 0 };

		watch(bev, &probe);
		if (i < 2)
			cr_expect_eq(connect_name(bev, NULL, names[i], port), 0);
		else
			cr_expect_eq(bufferevent_socket_connect_hostname_hints(bev, NULL, &hints,
									       "localhost", port),
				     0);
		cr_expect_eq(probe.n_order, 0, "nothing comes inside the call");
		run_until(&probe.events, 1);
		cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
		cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
		bufferevent_free(bev);
	}
	close(listener);
}

/* BEV-149, BEV-153, BEV-344, BEV-152 */
Test(bev_name, a_name_that_is_none_is_one_error_from_the_loop)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct evutil_addrinfo hints = { .ai_family = AF_INET, .ai_flags = EVUTIL_AI_NUMERICHOST };
	struct probe probe = { 0 };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	watch(bev, &probe);
	cr_expect_eq(bufferevent_socket_connect_hostname_hints(bev, NULL, &hints, "no.such.name",
							       80),
		     0);
	cr_expect_eq(probe.n_order, 0);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), EVUTIL_EAI_NONAME);
	run_until(&probe.events, 1);
	run_for(10);
	cr_expect_str_eq(probe.order, "e");
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(connect_name(bev, NULL, "127.0.0.1", port), 0);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0, "reset by the next call");
	run_until(&probe.events, 2);
	cr_expect_eq(probe.what[1], BEV_EVENT_CONNECTED);
	bufferevent_free(bev);
	close(listener);
}

/* BEV-150, B15 */
Test(bev_name, a_refusal_has_no_dns_error)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	watch(bev, &probe);
	cr_expect_eq(connect_name(bev, NULL, "127.0.0.1", dead_port()), 0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], ECONNREFUSED);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
	bufferevent_free(bev);
}

/* BEV-151 */
Test(bev_name, without_descriptors_left_the_error_is_an_event)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };
	struct rlimit limit, none;
	int result;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	watch(bev, &probe);
	settle();
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = connect_name(bev, NULL, "127.0.0.1", 80);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(result, 0);
	cr_expect_eq(probe.n_order, 0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], EMFILE);
	bufferevent_free(bev);
}

/* --- An asynchronous resolver ----------------------------------------------------------------- */

/* BEV-146, BEV-147, BEV-148 */
Test(bev_name_async, nothing_moves_while_resolving)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);
	char number[8];

	snprintf(number, sizeof(number), "%d", port);
	watch(bev, &probe);
	bufferevent_set_timeouts(bev, MS(5), MS(5));
	bufferevent_enable(bev, BOTH);
	bufferevent_write(bev, "x", 1);
	cr_expect_eq(connect_name(bev, dns, "[::1]", port), 0);
	cr_expect_str_eq(fake.host, "::1");
	cr_expect_str_eq(fake.service, number);
	cr_expect_eq(fake.hints.ai_socktype, SOCK_STREAM);
	run_for(20);
	cr_expect_eq(probe.n_order, 0, "timeouts rest");
	cr_expect_eq(output_len(bev), 1);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH);
	bufferevent_set_timeouts(bev, NULL, NULL);
	answer(0, "127.0.0.1");
	run_until(&probe.writes, 1);
	cr_expect_str_eq(probe.order, "ew");
	cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
	bufferevent_free(bev);
	close(listener);
}

/* BEV-149 */
Test(bev_name_async, its_failure_is_one_error)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };

	watch(bev, &probe);
	connect_name(bev, dns, "nowhere", 80);
	answer(EVUTIL_EAI_NONAME, NULL);
	settle();
	cr_expect_str_eq(probe.order, "e");
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), EVUTIL_EAI_NONAME);
	bufferevent_free(bev);
}

/* BEV-153 */
Test(bev_name_async, an_answer_inside_the_call_is_told_from_the_loop)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	fake.answers_at_once = 1;
	fake.literal = "127.0.0.1";
	watch(bev, &probe);
	cr_expect_eq(connect_name(bev, dns, "here", dead_port()), 0);
	cr_expect_eq(probe.n_order, 0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	bufferevent_free(bev);
}

/* What came of the round: one event, or a refusal and none. */
static void connect_with_refusal(long round, ev_uint16_t port)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct evutil_addrinfo *list;
	struct probe probe = { 0 };
	double end = support_now_ms() + support_limit_ms(10000);
	int result;

	snprintf(fake.service, sizeof(fake.service), "%d", port);
	list = addresses("127.0.0.1");
	watch(bev, &probe);
	support_fail_once_after(round);
	result = connect_name(bev, dns, "name", port);
	if (fake.cb != NULL) {
		evi_resolved_fn cb = fake.cb;

		fake.cb = NULL;
		cb(0, list, fake.arg);
	} else {
		evutil_freeaddrinfo(list);
	}
	while (result == 0 && probe.events == 0 && support_now_ms() < end)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(probe.events, result == 0, "round %ld", round);
	bufferevent_free(bev);
}

/* BEV-149, C01, B24 */
Test(bev_name_async, each_refused_allocation_is_an_error_or_one_event)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);
	long round = 0;
	int refused;

	support_capture_log();
	do {
		evutil_socket_t fd;

		connect_with_refusal(round++, port);
		refused = support_has_refused();
		support_fail_once_after(-1);
		settle();
		while ((fd = accept(listener, NULL, NULL)) >= 0)
			close(fd);
	} while (refused);
	cr_expect_gt(round, 3);
	close(listener);
}

/* BEV-155, BEV-344, B24 */
Test(bev_name_async, further_addresses_are_tried_before_giving_up)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	watch(bev, &probe);
	connect_name(bev, dns, "many", port);
	answer(0, "127.0.0.2 127.0.0.3 127.0.0.1");
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
	cr_assert_eq(getpeername(bufferevent_getfd(bev), (struct sockaddr *)&peer, &len), 0);
	cr_expect_eq(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	bufferevent_free(bev);

	bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	watch(bev, &probe);
	connect_name(bev, dns, "many", port);
	answer(0, "127.0.0.2 127.0.0.3 127.0.0.4");
	run_until(&probe.events, 2);
	run_for(10);
	cr_expect_eq(probe.events, 2, "one event for all");
	cr_expect_eq(probe.what[1], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[1], ECONNREFUSED);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
	cr_expect_geq(bufferevent_getfd(bev), 0, "the last one stays");
	bufferevent_free(bev);
	close(listener);
}

/* A listener on 127.0.0.x of the same port whose queue is full: attempts get no answer. */
static evutil_socket_t silent_listener(const char *address, ev_uint16_t port,
				       evutil_socket_t fds[8])
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &sin.sin_addr);
	sin.sin_port = htons(port);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	cr_assert_eq(listen(fd, 0), 0);
	for (int i = 0; i < 8; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fds[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	return fd;
}

/* B24, BEV-155 */
Test(bev_name_async, an_address_that_is_silent_does_not_hold_up_the_next)
{
	for (int freed = 0; freed < 2; freed++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
		struct probe probe = { .drain = 1 };
		double began = support_now_ms();
		ev_uint16_t port;
		evutil_socket_t listener = support_listen(&port), fds[8];
		evutil_socket_t silent = silent_listener("127.0.0.2", port, fds), peer;
		int open_before = support_open_fds();

		watch(bev, &probe);
		bufferevent_enable(bev, EV_READ);
		connect_name(bev, dns, "many", port);
		answer(0, freed ? "127.0.0.2 127.0.0.2" : "127.0.0.2 127.0.0.1");
		if (freed) {
			run_for(300);
			cr_expect_eq(probe.events, 0);
			cr_expect_eq(support_open_fds(), open_before + 2, "two attempts");
		} else {
			run_until(&probe.events, 1);
			cr_expect_lt(support_now_ms() - began, 30000.0);
			cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
			cr_expect_eq(support_open_fds(), open_before + 1, "the loser is closed");
			peer = accept(listener, NULL, NULL);
			cr_assert_geq(peer, 0);
			cr_assert_eq(send(peer, "hi", 2, 0), 2);
			run_until_received(&probe, 2);
			close(peer);
		}
		bufferevent_free(bev);
		settle();
		for (int i = 0; i < 8; i++)
			close(fds[i]);
		close(silent);
		close(listener);
	}
}

/* BEV-156, B24 */
Test(bev_name_async, setfd_cancels_the_lookup)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };

	watch(bev, &probe);
	connect_name(bev, dns, "slow", 80);
	cr_expect_eq(bufferevent_setfd(bev, -1), 0);
	cr_expect_eq(fake.cancelled, 1);
	settle();
	cr_expect_eq(probe.n_order, 0);
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), EVUTIL_EAI_CANCEL);
	connect_name(bev, dns, "slow", 80);
	cr_expect_eq(bufferevent_replacefd(bev, -1), 0);
	cr_expect_eq(fake.cancelled, 2);
	bufferevent_free(bev);
}

/* BEV-157, BEV-344, BEV-134, B24 */
Test(bev_name_async, freeing_cancels_the_lookup)
{
	struct probe probe = { 0 };

	for (int filtered = 0; filtered < 2; filtered++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);

		if (filtered)
			bev = bufferevent_filter_new(bev, NULL, NULL,
						     BEV_OPT_CLOSE_ON_FREE | thread_option, NULL,
						     NULL);
		watch(bev, &probe);
		cr_expect_eq(connect_name(bev, dns, "slow", 80), 0);
		bufferevent_free(bev);
		cr_expect_eq(fake.cancelled, filtered + 1);
	}
	settle();
	cr_expect_eq(probe.n_order, 0);
}
