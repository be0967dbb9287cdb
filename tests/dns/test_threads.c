/* SPDX-License-Identifier: BSD-3-Clause */
/* Several threads at one resolver, and at one server. */

#include "server.h"

#include <event2/thread.h>

#include <pthread.h>

TestSuite(dns_threads, .init = support_leak_init, .fini = support_leak_fini, .timeout = 120);

static void *run_loop(void *arg)
{
	event_base_loop(arg, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

struct loop {
	struct event_base *base;
	pthread_t thread;
};

static struct loop loop_start(void)
{
	struct loop l;

	cr_assert_eq(evthread_use_pthreads(), 0);
	l.base = support_base_new();
	return l;
}

static void loop_run(struct loop *l)
{
	cr_assert_eq(pthread_create(&l->thread, NULL, run_loop, l->base), 0);
}

static void end_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopexit(arg, NULL);
}

/*
 * The thread may not have got as far as its loop yet, which would then begin by forgetting that it
 * was asked to end: so it is asked from inside. Results that it left untold hold memory until they
 * are told.
 */
static void loop_stop(struct loop *l)
{
	cr_assert_eq(event_base_once(l->base, -1, EV_TIMEOUT, end_loop, l->base, NULL), 0);
	cr_assert_eq(pthread_join(l->thread, NULL), 0);
	do
		cr_assert_geq(event_base_loop(l->base, EVLOOP_NONBLOCK), 0);
	while (event_base_get_num_events(l->base, EVENT_BASE_COUNT_ACTIVE) > 0);
}

/* Counts what was told, from any thread. */
struct tally {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int told, wrong;
	pthread_t loop;
};

static void tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
}

static void count(int result, char type, int n, int ttl, void *addresses, void *arg)
{
	struct tally *t = arg;

	(void)type;
	(void)n;
	(void)ttl;
	(void)addresses;
	pthread_mutex_lock(&t->lock);
	t->told++;
	t->wrong += result != DNS_ERR_NONE && result != DNS_ERR_CANCEL;
	t->loop = pthread_self();
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void tally_wait(struct tally *t, int n)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	pthread_mutex_lock(&t->lock);
	while (t->told < n)
		cr_assert_eq(pthread_cond_timedwait(&t->changed, &t->lock, &limit), 0, "%d of %d",
			     t->told, n);
	pthread_mutex_unlock(&t->lock);
}

/* A server run by the same loop. */
static struct evdns_server_port *server_on(struct event_base *base, struct sockaddr_in *addr)
{
	return evdns_add_server_port_with_base(base, loopback_socket(SOCK_DGRAM, addr), 0, answer_a,
					       NULL);
}

#define LOOKUPS 300

struct worker {
	struct evdns_base *dns;
	struct tally *tally;
	int kind;
	int stop;
};

static void *look_up(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < LOOKUPS; i++) {
		struct evdns_request *request =
			evdns_base_resolve_ipv4(w->dns, host(i), DNS_NO_SEARCH, count, w->tally);

		if (request == NULL)
			w->kind = -1;
	}
	return NULL;
}

static void *read_addresses(void *arg)
{
	struct worker *w = arg;
	struct sockaddr_storage sa;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < evdns_base_count_nameservers(w->dns); i++)
			(void)evdns_base_get_nameserver_addr(w->dns, i, (struct sockaddr *)&sa,
							     sizeof(sa));
		(void)set_option(w->dns, "attempts", "3");
	}
	return NULL;
}

/* DNS-277, DNS-279, DNS-280 */
Test(dns_threads, lookups_from_many_threads_complete)
{
	struct loop l = loop_start();
	struct sockaddr_in addr = { 0 };
	struct evdns_server_port *port = server_on(l.base, &addr);
	struct evdns_base *dns = patient_dns(l.base);
	struct tally tally;
	struct worker lookers[3], reader;
	pthread_t threads[3], reading;

	tally_init(&tally);
	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0),
		0);
	loop_run(&l);
	reader = (struct worker){ dns, &tally, 0, 0 };
	cr_assert_eq(pthread_create(&reading, NULL, read_addresses, &reader), 0);
	for (int i = 0; i < 3; i++) {
		lookers[i] = (struct worker){ dns, &tally, 0, 0 };
		cr_assert_eq(pthread_create(&threads[i], NULL, look_up, &lookers[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		cr_assert_eq(lookers[i].kind, 0);
	}
	tally_wait(&tally, 3 * LOOKUPS);
	__atomic_store_n(&reader.stop, 1, __ATOMIC_RELEASE);
	pthread_join(reading, NULL);
	cr_assert_eq(tally.wrong, 0);
	cr_assert(pthread_equal(tally.loop, l.thread), "callbacks run in the loop's thread");
	loop_stop(&l);
	evdns_base_free(dns, 0);
	evdns_close_server_port(port);
	event_base_free(l.base);
}

/* DNS-277, DNS-280, D34: cancelling, suspending and freeing while answers arrive. */
Test(dns_threads, cancelling_and_suspending_from_elsewhere)
{
	struct loop l = loop_start();
	struct sockaddr_in addr = { 0 };
	struct evdns_server_port *port = server_on(l.base, &addr);
	struct evdns_base *dns = patient_dns(l.base);
	struct tally tally;

	tally_init(&tally);
	/* all that is sent anew may be more than the server's socket holds */
	set_option(dns, "timeout", "0.5");
	set_option(dns, "attempts", "255");
	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0),
		0);
	loop_run(&l);
	for (int i = 0; i < 300; i++) {
		struct evdns_request *request;

		if (i % 3 != 0) {
			cr_assert_not_null(evdns_base_resolve_ipv4(dns, host(i), 0, count, &tally));
			continue;
		}
		/* suspended, it cannot have ended before it is cancelled */
		cr_assert_eq(evdns_base_clear_nameservers_and_suspend(dns), 0);
		request = evdns_base_resolve_ipv4(dns, host(i), 0, count, &tally);
		cr_assert_not_null(request);
		if (i % 2 == 0)
			evdns_cancel_request(dns, request);
		cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr,
								sizeof(addr), 0),
			     0);
		cr_assert_eq(evdns_base_resume(dns), 0);
	}
	tally_wait(&tally, 300);
	cr_assert_eq(tally.wrong, 0);
	for (int i = 0; i < 20; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, host(i), 0, count, &tally));
	evdns_base_free(dns, 0);
	loop_stop(&l);
	evdns_close_server_port(port);
	event_base_free(l.base);
}

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static struct evdns_server_request *held_requests[1024];
static int held_requests_count;

static void hold_for_thread(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	pthread_mutex_lock(&held_lock);
	cr_assert_lt(held_requests_count, 1024);
	held_requests[held_requests_count++] = req;
	pthread_mutex_unlock(&held_lock);
}

static void *answer_held(void *arg)
{
	int *left = arg;

	while (*left > 0) {
		struct evdns_server_request *req = NULL;

		pthread_mutex_lock(&held_lock);
		if (held_requests_count > 0)
			req = held_requests[--held_requests_count];
		pthread_mutex_unlock(&held_lock);
		if (req == NULL) {
			sched_yield();
			continue;
		}
		answer_a(req, NULL);
		--*left;
	}
	return NULL;
}

/* DNS-261, DNS-277 */
Test(dns_threads, another_thread_answers)
{
	for (int by_tcp = 0; by_tcp < 2; by_tcp++) {
		struct loop l = loop_start();
		struct served s = { .base = l.base, .fn = hold_for_thread };
		struct evdns_base *dns = patient_dns(l.base);
		struct tally tally;
		pthread_t answering;
		int left = LOOKUPS;

		tally_init(&tally);
		serve_udp(&s);
		serve_tcp(&s);
		cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&s.addr,
								sizeof(s.addr), 0),
			     0);
		loop_run(&l);
		cr_assert_eq(pthread_create(&answering, NULL, answer_held, &left), 0);
		for (int i = 0; i < LOOKUPS; i++)
			cr_assert_not_null(evdns_base_resolve_ipv4(
				dns, host(i), by_tcp ? DNS_QUERY_USEVC : 0, count, &tally));
		tally_wait(&tally, LOOKUPS);
		pthread_join(answering, NULL);
		cr_assert_eq(tally.wrong, 0);
		evdns_close_server_port(s.udp);
		evdns_close_server_port(s.tcp);
		evdns_base_free(dns, 0);
		loop_stop(&l);
		event_base_free(l.base);
	}
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static int in_callback, answered;
static struct evdns_server_request *first_request;

/*
 * The first request is kept; the second's callback waits until another thread has answered the
 * first.
 */
static void wait_in_callback(struct evdns_server_request *req, void *arg)
{
	struct timespec limit;

	(void)arg;
	pthread_mutex_lock(&gate);
	if (first_request == NULL) {
		first_request = req;
		pthread_mutex_unlock(&gate);
		return;
	}
	in_callback = 1;
	pthread_cond_broadcast(&gate_changed);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	while (!answered)
		cr_assert_eq(pthread_cond_timedwait(&gate_changed, &gate, &limit), 0,
			     "the port's lock is held");
	pthread_mutex_unlock(&gate);
	answer_a(req, NULL);
}

/* DNS-278 */
Test(dns_threads, no_lock_is_held_during_callbacks)
{
	struct loop l = loop_start();
	struct sockaddr_in addr = { 0 };
	struct evdns_server_port *port = evdns_add_server_port_with_base(
		l.base, loopback_socket(SOCK_DGRAM, &addr), 0, wait_in_callback, NULL);
	struct evdns_base *dns = patient_dns(l.base);
	struct tally tally;

	tally_init(&tally);
	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0),
		0);
	loop_run(&l);
	for (int i = 0; i < 2; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, host(i), 0, count, &tally));
	pthread_mutex_lock(&gate);
	while (!in_callback)
		pthread_cond_wait(&gate_changed, &gate);
	pthread_mutex_unlock(&gate);
	answer_a(first_request, NULL);
	cr_assert_eq(evdns_base_count_nameservers(dns), 1);
	pthread_mutex_lock(&gate);
	answered = 1;
	pthread_cond_broadcast(&gate_changed);
	pthread_mutex_unlock(&gate);
	tally_wait(&tally, 2);
	cr_assert_eq(tally.wrong, 0);
	loop_stop(&l);
	evdns_base_free(dns, 0);
	evdns_close_server_port(port);
	event_base_free(l.base);
}

/* DNS-277, DNS-228: ports and resolvers are closed while the loop works on them. */
Test(dns_threads, closing_from_elsewhere)
{
	struct loop l = loop_start();
	struct sockaddr_in keep = { 0 };
	struct evdns_server_port *kept = server_on(l.base, &keep);
	struct tally tally;

	tally_init(&tally);
	loop_run(&l);
	for (int i = 0; i < 60; i++) {
		struct sockaddr_in addr = { 0 };
		struct evdns_server_port *port = server_on(l.base, &addr);
		struct evdns_base *dns = evdns_base_new(l.base, 0);

		cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr,
								sizeof(addr), 0),
			     0);
		cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&keep,
								sizeof(keep), 0),
			     0);
		set_option(dns, "timeout", "0.01");
		for (int k = 0; k < 10; k++)
			cr_assert_not_null(evdns_base_resolve_ipv4(
				dns, host(k), k % 2 ? DNS_QUERY_USEVC : 0, count, &tally));
		if (i % 2)
			sched_yield();
		evdns_close_server_port(port);
		evdns_base_free(dns, i % 3 == 0);
	}
	loop_stop(&l);
	evdns_close_server_port(kept);
	event_base_free(l.base);
}
