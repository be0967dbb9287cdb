/* SPDX-License-Identifier: BSD-3-Clause */
/* Wake-ups between threads: one way, both ways, many to one. */

#include "../bench.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>
#include <pthread.h>
#include <semaphore.h>

struct post {
	struct event_base *base;
	struct event *event;
	long received, wanted;
	struct post *peer;
};

static void count_post(evutil_socket_t fd, short what, void *arg)
{
	struct post *p = arg;

	(void)fd;
	(void)what;
	p->received++;
	if (p->peer != NULL)
		event_active(p->peer->event, EV_READ, 1);
	if (p->received >= p->wanted)
		event_base_loopbreak(p->base);
}

static void make(struct post *p, long wanted, struct post *peer)
{
	p->base = event_base_new();
	p->event = event_new(p->base, -1, EV_PERSIST, count_post, p);
	p->received = 0;
	p->wanted = wanted;
	p->peer = peer;
}

static void *run(void *arg)
{
	struct post *p = arg;

	event_base_loop(p->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void pingpong(long n, const struct bench_case *which)
{
	struct post a, b;
	pthread_t thread;
	uint64_t start;

	(void)which;
	make(&a, n, &b);
	make(&b, n, &a);
	pthread_create(&thread, NULL, run, &b);
	start = bench_now_ns();
	event_active(a.event, EV_READ, 1);
	run(&a);
	bench_report_rate(bench_now_ns() - start, (double)n);
	event_base_loopbreak(b.base);
	pthread_join(thread, NULL);
}

struct poster {
	struct post *to;
	struct event *event;
	long n;
	volatile int stop;
};

static void count_any(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(long *)arg;
}

static void on_running(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sem_post(arg);
}

/* A loop that has not begun forgets that it was asked to stop. */
static void wait_until_running(struct event_base *base)
{
	sem_t is_running;

	sem_init(&is_running, 0, 0);
	event_base_once(base, -1, EV_TIMEOUT, on_running, &is_running, NULL);
	while (sem_wait(&is_running) != 0)
		;
	sem_destroy(&is_running);
}

static void *post_all(void *arg)
{
	struct poster *poster = arg;

	for (long i = 0; i < poster->n; i++)
		event_active(poster->event, EV_READ, 1);
	return NULL;
}

/* `a` threads post as fast as they can; posts to an event that is still active merge. */
static void post(long n, const struct bench_case *which)
{
	struct post loop;
	struct poster posters[8];
	pthread_t threads[8], runner;
	long counts[8] = { 0 };
	uint64_t start;

	make(&loop, n + 1, NULL);
	pthread_create(&runner, NULL, run, &loop);
	wait_until_running(loop.base);
	start = bench_now_ns();
	for (long i = 0; i < which->a; i++) {
		posters[i].to = &loop;
		posters[i].event = event_new(loop.base, -1, EV_PERSIST, count_any, &counts[i]);
		posters[i].n = n / which->a;
		pthread_create(&threads[i], NULL, post_all, &posters[i]);
	}
	for (long i = 0; i < which->a; i++)
		pthread_join(threads[i], NULL);
	bench_report_rate(bench_now_ns() - start, (double)n);
	event_base_loopbreak(loop.base);
	pthread_join(runner, NULL);
}

static const struct bench_case cases[] = {
	{ "pingpong", pingpong, 0, 0, 50000 },
	{ "post", post, 1, 0, 1000000 },
	{ "fanin", post, 4, 0, 2000000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	evthread_use_pthreads();
	return bench_main(argc, argv, cases);
}
