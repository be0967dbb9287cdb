/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a base finds out that it is a copy in a forked child, whose kernel objects are its parent's.
 */

#include <event2/component/reactor.h>

#include <pthread.h>

static volatile unsigned forks;

static void count_fork(void)
{
	forks++;
}

/* Before any base exists, and once: at load time. */
__attribute__((constructor)) static void watch_forks(void)
{
	(void)pthread_atfork(NULL, NULL, count_fork);
}

unsigned evi_fork_count(void)
{
	return forks;
}
