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
#define SIGPIPE 97 /* which nobody can get */
#define SIGKILL 98
#define SIGSTOP 99

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

#define SA_RESTART       0
#define sigemptyset(set) ((void)(set))

static inline int sigaction(int sig, const struct sigaction *after, struct sigaction *before)
{
	void (*old)(int) = signal(sig, after != NULL ? after->sa_handler : SIG_IGN);

	if (old == SIG_ERR)
		return -1;
	if (after == NULL)
		(void)signal(sig, old);
	if (before != NULL)
		*before = (struct sigaction){ .sa_handler = old };
	return 0;
}

/* To this process only. */
#define kill(pid, sig) raise(sig)

#endif
