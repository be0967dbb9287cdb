/* SPDX-License-Identifier: BSD-3-Clause */
/* The environment on POSIX systems, closed to set-user-id programs. */

#include "env.h"

#include <event2/event-config.h>

#include <stdlib.h>
#include <unistd.h>

#if defined(EVENT__HAVE_SECURE_GETENV)

const char *evi_getenv(const char *name)
{
	return secure_getenv(name);
}

#elif defined(EVENT__HAVE_ISSETUGID)

const char *evi_getenv(const char *name)
{
	return issetugid() ? NULL : getenv(name);
}

#else

const char *evi_getenv(const char *name)
{
	return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
}

#endif
