/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <signal.h>
#include <stddef.h>

#ifndef SUPPORT_WINDOWS_SIGNAL_H_INCLUDED
#define SUPPORT_WINDOWS_SIGNAL_H_INCLUDED

/* The C runtime has six signals; those that the suites send stand for these. */
#define SIGUSR1 SIGBREAK
#define SIGUSR2 SIGINT
#define SIGHUP  SIGTERM
#define SIGALRM SIGILL

/* Which nobody can get. */
#define SIGCHLD  92
#define SIGURG   93
#define SIGQUIT  94
#define SIGCONT  95
#define SIGWINCH 96
#define SIGPIPE  97
#define SIGKILL  98
#define SIGSTOP  99

/* For setitimer(), which there is not. */
struct itimerval {
	struct {
		long tv_sec, tv_usec;
	} it_interval, it_value;
};

#define ITIMER_REAL 0

struct sigaction {
	void (*sa_handler)(int);
	int sa_flags;
	int sa_mask;
};

#define SA_RESTART 0
#define SA_NODEFER 0

/* There are no masks; a test that asks for one is skipped. */
int posix_cannot(const char *what);
typedef unsigned long long sigset_t;
#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define sigemptyset(set)                 ((void)(set), 0)
#define sigaddset(set, sig)              ((void)(set), (void)(sig), 0)
#define sigismember(set, sig)            ((void)(set), (void)(sig), 0)
#define sigpending(set)                  ((void)(set), posix_cannot("there are no signal masks"))
#define pthread_sigmask(how, set, old)                                                             \
	((void)(set), (void)(old), posix_cannot("there are no signal masks"))
#define sigprocmask(how, set, old)       pthread_sigmask(how, set, old)

static inline int sigaction(int sig, const struct sigaction *after, struct sigaction *before)
{
	void (*old)(int) = signal(sig, after != NULL ? after->sa_handler : SIG_IGN);

	if (before != NULL)
		*before = (struct sigaction){ .sa_handler = old };
	if (after == NULL && old != SIG_ERR)
		(void)signal(sig, old);
	return old == SIG_ERR ? -1 : 0;
}

/* To this process only. */
#define kill(pid, sig) ((void)(pid), raise(sig))

#endif
