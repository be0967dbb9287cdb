/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_WINDOWS_RESOURCE_H_INCLUDED
#define SUPPORT_WINDOWS_RESOURCE_H_INCLUDED

#include "../posix.h"

#include <stdint.h>
#include <sys/time.h>

typedef uint64_t rlim_t;

struct rlimit {
	rlim_t rlim_cur, rlim_max;
};

struct rusage {
	struct timeval ru_utime, ru_stime;
};

#define RLIMIT_NOFILE 7
#define RUSAGE_SELF   0
#define RLIM_INFINITY UINT64_MAX

static inline int getrlimit(int what, struct rlimit *limit)
{
	(void)what;
	limit->rlim_cur = limit->rlim_max = RLIM_INFINITY;
	return posix_cannot("there are no limits of descriptors");
}

static inline int setrlimit(int what, const struct rlimit *limit)
{
	(void)what;
	(void)limit;
	return posix_cannot("there are no limits of descriptors");
}

/* Time this process has used so far. */
int posix_getrusage(struct rusage *ret_usage);

#define getrusage(who, usage) posix_getrusage(usage)

#endif
