/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few signals that the C library of Windows emulates. A handler may run in a thread of its own,
 * and is forgotten when it runs, so it installs itself again.
 */

#include "os_signal.h"

#include "../base.h"
#include "os_wake.h"

#include <errno.h>
#include <signal.h>
#include <windows.h>

struct evi_receiver {
	struct evi_receiver *next;
	evutil_socket_t wake_fd;
};

static struct evi_receiver *receivers;
static volatile LONG caught[NSIG];
static unsigned users[NSIG];
static void (*before[NSIG])(int);
static SRWLOCK lock = SRWLOCK_INIT;

static void on_signal(int sig)
{
	(void)signal(sig, on_signal);
	InterlockedIncrement(&caught[sig]);
	AcquireSRWLockShared(&lock);
	for (struct evi_receiver *r = receivers; r != NULL; r = r->next)
		evi_os_wake_send(r->wake_fd);
	ReleaseSRWLockShared(&lock);
}

int evi_os_signal_limit(void)
{
	return NSIG;
}

int evi_os_signal_is_catchable(int sig)
{
	(void)sig;
	return 1;
}

unsigned evi_os_signal_count(int sig)
{
	return (unsigned)caught[sig];
}

int evi_os_signal_catch(int sig)
{
	if (users[sig] == 0) {
		before[sig] = signal(sig, on_signal);
		if (before[sig] == SIG_ERR)
			return -EINVAL;
	}
	users[sig]++;
	return 0;
}

void evi_os_signal_release(int sig)
{
	if (--users[sig] == 0)
		(void)signal(sig, before[sig]);
}

struct evi_receiver *evi_os_receiver_new(evutil_socket_t wake_fd)
{
	struct evi_receiver *r = evi_calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->wake_fd = wake_fd;
	AcquireSRWLockExclusive(&lock);
	r->next = receivers;
	receivers = r;
	ReleaseSRWLockExclusive(&lock);
	return r;
}

void evi_os_receiver_free(struct evi_receiver *receiver)
{
	struct evi_receiver **link = &receivers;

	if (receiver == NULL)
		return;
	AcquireSRWLockExclusive(&lock);
	while (*link != receiver)
		link = &(*link)->next;
	*link = receiver->next;
	ReleaseSRWLockExclusive(&lock);
	evi_free(receiver);
}
