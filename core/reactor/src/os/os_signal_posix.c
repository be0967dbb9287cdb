/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals by sigaction(2), for the whole process.
 *
 * The handler counts and writes to every receiver's descriptor; both are async-signal-safe.
 * Receivers are a list that the handler walks without a lock: they are linked in at the head, and
 * one that goes is unlinked first and freed when no handler is in the middle of a walk.
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
static unsigned catchers[NSIG], ignorers[NSIG]; /* how many; guarded by is_changing */
static struct sigaction before[NSIG];            /* when there was neither */

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

/* The default for SIGCHLD is to do nothing; ignoring it would make children vanish unawaited. */
static void (*handler_for(int sig))(int)
{
	if (catchers[sig] != 0)
		return on_signal;
	return sig == SIGCHLD ? SIG_DFL : SIG_IGN;
}

static int set_disposition(int sig, struct sigaction *ret_before)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler_for(sig);
	action.sa_flags = SA_RESTART;
	(void)sigfillset(&action.sa_mask);
	return sigaction(sig, &action, ret_before) < 0 ? -errno : 0;
}

/* `users` are those of one kind, `others` those of the other. */
static int start_use(int sig, unsigned *users, const unsigned *others)
{
	int err = 0;

	begin_change();
	if (++*users == 1)
		err = set_disposition(sig, *others == 0 ? &before[sig] : NULL);
	if (err < 0)
		--*users;
	end_change();
	return err;
}

static void end_use(int sig, unsigned *users, const unsigned *others)
{
	begin_change();
	if (--*users == 0 && *others == 0)
		(void)sigaction(sig, &before[sig], NULL);
	else if (*users == 0)
		(void)set_disposition(sig, NULL);
	end_change();
}

int evi_os_signal_catch(int sig)
{
	return start_use(sig, &catchers[sig], &ignorers[sig]);
}

void evi_os_signal_release(int sig)
{
	end_use(sig, &catchers[sig], &ignorers[sig]);
}

int evi_os_signal_ignore(int sig)
{
	return start_use(sig, &ignorers[sig], &catchers[sig]);
}

void evi_os_signal_heed(int sig)
{
	end_use(sig, &ignorers[sig], &catchers[sig]);
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
