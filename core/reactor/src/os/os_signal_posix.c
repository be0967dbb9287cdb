/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals by sigaction(2), for the whole process.
 *
 * The handler counts and writes to every receiver's descriptor; both are async-signal-safe. Receivers
 * are a list that the handler walks without a lock: they are linked in at the head, and one that
 * goes is unlinked first and freed when no handler is in the middle of a walk.
 */

#include "os_signal.h"

#include "../base.h"
#include "os_wake.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

struct evi_receiver {
	_Atomic(struct evi_receiver *) next;
	evutil_socket_t wake_fd;
};

static _Atomic(struct evi_receiver *) receivers;
static _Atomic int walkers;
static _Atomic unsigned caught[NSIG];
static unsigned users[NSIG];
static struct sigaction before[NSIG];

/* Set-up is rare and short, and must work before locks are configured. */
static atomic_flag is_changing = ATOMIC_FLAG_INIT;

static void begin_change(void)
{
	while (atomic_flag_test_and_set(&is_changing))
		(void)sched_yield();
}

static void end_change(void)
{
	atomic_flag_clear(&is_changing);
}

static void on_signal(int sig)
{
	atomic_fetch_add(&caught[sig], 1);
	atomic_fetch_add(&walkers, 1);
	for (struct evi_receiver *r = atomic_load(&receivers); r != NULL; r = atomic_load(&r->next))
		evi_os_wake_send(r->wake_fd);
	atomic_fetch_sub(&walkers, 1);
}

int evi_os_signal_limit(void)
{
	return NSIG;
}

int evi_os_signal_is_catchable(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP;
}

unsigned evi_os_signal_count(int sig)
{
	return atomic_load(&caught[sig]);
}

int evi_os_signal_catch(int sig)
{
	struct sigaction action;
	int err = 0;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART;
	(void)sigfillset(&action.sa_mask);
	begin_change();
	if (users[sig] == 0 && sigaction(sig, &action, &before[sig]) < 0)
		err = -errno;
	else
		users[sig]++;
	end_change();
	return err;
}

void evi_os_signal_release(int sig)
{
	begin_change();
	if (--users[sig] == 0)
		(void)sigaction(sig, &before[sig], NULL);
	end_change();
}

struct evi_receiver *evi_os_receiver_new(evutil_socket_t wake_fd)
{
	struct evi_receiver *r = evi_calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->wake_fd = wake_fd;
	begin_change();
	atomic_store(&r->next, atomic_load(&receivers));
	atomic_store(&receivers, r);
	end_change();
	return r;
}

void evi_os_receiver_free(struct evi_receiver *receiver)
{
	_Atomic(struct evi_receiver *) *link = &receivers;

	if (receiver == NULL)
		return;
	begin_change();
	while (atomic_load(link) != receiver)
		link = &atomic_load(link)->next;
	atomic_store(link, atomic_load(&receiver->next));
	end_change();
	while (atomic_load(&walkers) != 0)
		(void)sched_yield();
	evi_free(receiver);
}
