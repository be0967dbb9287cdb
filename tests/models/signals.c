/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EVFILT_SIGNAL sees a signal before it is delivered, and also if it is ignored. Here a handler
 * stands in front of the program's disposition while anybody watches the signal; sigaction() goes
 * on to show and change the program's own, which the handler carries out.
 */

#include "model.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WATCHERS 64

static int (*real_sigaction)(int sig, const struct sigaction *action, struct sigaction *old);

/* Written with the lock of the objects held, read by the handler without. */
static struct {
	_Atomic int sig;
	_Atomic int wake_fd;
} watchers[WATCHERS];

static _Atomic unsigned sent[NSIG];
static int watched[NSIG];
static struct sigaction wanted[NSIG]; /* the program's, while the signal is watched */

static pthread_mutex_t action_lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void find_real(void)
{
	void *symbol = dlsym(RTLD_NEXT, "sigaction");

	memcpy(&real_sigaction, &symbol, sizeof(symbol));
}

/* What the default disposition does nothing about. */
static int is_harmless(int sig)
{
	return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
}

static void die_of(int sig)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t set;

	(void)real_sigaction(sig, &action, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, sig);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(sig);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	const uint64_t one = 1;
	int saved_errno = errno;

	atomic_fetch_add(&sent[sig], 1);
	for (int i = 0; i < WATCHERS; i++) {
		if (atomic_load(&watchers[i].sig) == sig)
			(void)syscall(SYS_write, atomic_load(&watchers[i].wake_fd), &one,
				      sizeof(one));
	}
	errno = saved_errno;
	if (wanted[sig].sa_flags & SA_SIGINFO)
		wanted[sig].sa_sigaction(sig, info, context);
	else if (wanted[sig].sa_handler != SIG_IGN && wanted[sig].sa_handler != SIG_DFL)
		wanted[sig].sa_handler(sig);
	else if (wanted[sig].sa_handler == SIG_DFL && !is_harmless(sig))
		die_of(sig);
}

/* The handler, with the mask and the flags that the program asks for. */
static int install(int sig)
{
	struct sigaction action = wanted[sig];

	if (!(action.sa_flags & SA_SIGINFO) &&
	    (action.sa_handler == SIG_IGN || action.sa_handler == SIG_DFL))
		action.sa_flags |= SA_RESTART; /* nobody is interrupted by what is ignored */
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = on_signal;
	return real_sigaction(sig, &action, NULL);
}

int sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
	int result = 0;

	if (real_sigaction == NULL)
		find_real();
	pthread_mutex_lock(&action_lock);
	if (sig <= 0 || sig >= NSIG || watched[sig] == 0) {
		result = real_sigaction(sig, action, old);
	} else {
		struct sigaction before = wanted[sig];

		if (action != NULL) {
			wanted[sig] = *action;
			result = install(sig);
		}
		if (old != NULL)
			*old = before;
	}
	pthread_mutex_unlock(&action_lock);
	return result;
}

void (*signal(int sig, void (*handler)(int)))(int)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;

	return sigaction(sig, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

static int watcher_find(int sig, int wake_fd)
{
	for (int i = 0; i < WATCHERS; i++) {
		if (atomic_load(&watchers[i].sig) == sig &&
		    (sig == 0 || atomic_load(&watchers[i].wake_fd) == wake_fd))
			return i;
	}
	return -1;
}

int model_signal_watch(int sig, int wake_fd)
{
	int free_place = watcher_find(0, -1), err = 0;

	if (free_place < 0)
		return ENOMEM;
	pthread_mutex_lock(&action_lock);
	if (watched[sig] == 0 &&
	    (real_sigaction(sig, NULL, &wanted[sig]) < 0 || install(sig) < 0))
		err = errno;
	else
		watched[sig]++;
	pthread_mutex_unlock(&action_lock);
	if (err != 0)
		return err;
	atomic_store(&watchers[free_place].wake_fd, wake_fd);
	atomic_store(&watchers[free_place].sig, sig);
	return 0;
}

void model_signal_unwatch(int sig, int wake_fd)
{
	int place = watcher_find(sig, wake_fd);

	if (place < 0)
		return;
	atomic_store(&watchers[place].sig, 0);
	pthread_mutex_lock(&action_lock);
	if (--watched[sig] == 0)
		(void)real_sigaction(sig, &wanted[sig], NULL);
	pthread_mutex_unlock(&action_lock);
}

unsigned model_signal_count(int sig)
{
	return atomic_load(&sent[sig]);
}

void model_signal_forget(void)
{
	for (int i = 0; i < WATCHERS; i++)
		atomic_store(&watchers[i].sig, 0);
	for (int sig = 1; sig < NSIG; sig++) {
		if (watched[sig] != 0)
			(void)real_sigaction(sig, &wanted[sig], NULL);
		watched[sig] = 0;
	}
}
